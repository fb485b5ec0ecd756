"""Who asks, and by whose authority."""

from datetime import date

from siklus.workflows.domain.values import PersonId, Role, Value


class Mandate(Value):
    """One acting official's authority (Plt/Plh): who lends it to whom, by which letter."""

    id: str
    principal: PersonId
    delegate: PersonId
    letter: str
    from_on: date
    to_on: date
    scope: tuple[str, ...] = ()
    """Command kinds it covers; empty covers all that the principal may do."""


class Actor(Value):
    """Who asks, as the token and the agency's own records say; never the request's body."""

    person: PersonId | None = None
    """None is the system itself."""
    roles: tuple[Role, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    """The chain relied on, from the actor's own mandate up to the principal's."""

    @property
    def name(self) -> str:
        """The actor as written in an event: a person id or `system:clock`."""
        return self.person or "system:clock"


SYSTEM = Actor()


class InRoster(Value):
    """What the roster says of the person whom a command names, as the service read it."""

    active: bool
    superior: PersonId | None = None
    """The nearest active one; None at the top of the line."""
    line: tuple[PersonId, ...] = ()
    """Where somebody is replaced: the active superiors of whoever leaves, nearest first."""
