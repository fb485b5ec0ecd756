"""Who calls: what a verified token says, carried through one call in a context variable."""

from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from datetime import datetime

from siklus.workflows.domain.values import AgencyId, PersonId, Role


@dataclass(frozen=True, slots=True)
class Caller:
    """One agency's person with the roles of the token, or one of its programs with its scopes.

    Exactly one of `person` and `program` is set. A person's scopes are empty: roles decide.
    """

    agency: AgencyId
    person: PersonId | None
    roles: tuple[Role, ...]
    program: str | None = None
    scopes: frozenset[str] = frozenset()
    until: datetime | None = field(default=None, compare=False)
    """When the token stops being good; None where nobody says so."""

    def __post_init__(self) -> None:
        if (self.person is None) == (self.program is None):
            raise ValueError("a caller is either a person or a program")

    @property
    def subject(self) -> str:
        """Who it is within the agency; no person's id has a colon, so a program is never one."""
        return self.person if self.person is not None else f"program:{self.program}"

    @property
    def sees_all(self) -> bool:
        """Tell whether every evaluation of the agency may be read.

        The team and auditors may; so may a program, because the gate has asked for its scope.
        """
        return self.program is not None or self.has(Role.AGENCY_ADMIN, Role.AUDITOR)

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
