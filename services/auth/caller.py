"""Who calls: what a verified token says, carried through one call in a context variable."""

from contextvars import ContextVar, Token
from dataclasses import dataclass

from siklus.workflows.domain.values import AgencyId, PersonId, Role


@dataclass(frozen=True, slots=True)
class Caller:
    """One agency's person, or one of its programs (`person` None), with the roles of the token."""

    agency: AgencyId
    person: PersonId | None
    roles: tuple[Role, ...]

    def has(self, *roles: Role) -> bool:
        """Tell whether the token gives at least one of these roles."""
        return any(role in self.roles for role in roles)


class NoCallerError(LookupError):
    """Nobody was identified: this code runs outside a call."""


_caller: ContextVar[Caller] = ContextVar("siklus_caller")


def current_caller() -> Caller:
    """Return the caller of the current call; raises NoCallerError outside one."""
    try:
        return _caller.get()
    except LookupError:
        raise NoCallerError("no call is being served") from None


def set_caller(caller: Caller) -> Token[Caller]:
    """Make that caller the current one; give the answer to `reset_caller` afterwards."""
    return _caller.set(caller)


def reset_caller(token: Token[Caller]) -> None:
    """Return to the caller before `set_caller`."""
    _caller.reset(token)
