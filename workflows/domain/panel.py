"""A panel: who may be on it, and of one that decides an appeal its seats and votes so far."""

from collections.abc import Collection, Sequence

from siklus.workflows.domain.commands import AppealOutcome
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.policy import Panel
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.values import Instant, Level, PersonId, Predicate, Value


def must_be_as_many(rule: Panel, members: Sequence[PersonId]) -> None:
    """Refuse to appoint more people than a policy's panel has, or fewer."""
    if len(members) != rule.members:
        message = f"a panel has {rule.members} members by this policy, these are {len(members)}"
        raise invalid("members", message)


def must_work_there(members: Sequence[PersonId], active: Collection[PersonId]) -> None:
    """Refuse, by their place, whoever is none of those who work in the agency now."""
    for number, who in enumerate(members):
        if who not in active:
            raise invalid(f"members[{number}]", "is nobody who works in the agency now")


class Vote(Value):
    """What a member would decide, as the scheme computes it; it may change until the decision."""

    outcome: AppealOutcome
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate
    numbers: Numbers | None = None
    cast_at: Instant

    def says_as(self, other: "Vote") -> bool:
        """Tell whether two members would decide the very same, whenever they said so."""
        return self == other.model_copy(update={"cast_at": self.cast_at})


class Place(Value):
    """Who sits on which place of a panel; its number is that of its member's task."""

    number: int
    member: PersonId


class PanelSeat(Place):
    """A place, and what its member has said."""

    vote: Vote | None = None

    @property
    def place(self) -> Place:
        """Return who sits there, without what they said."""
        return Place(number=self.number, member=self.member)


class Spoken(Value):
    """How far a panel is; never how anybody voted."""

    members: int
    """As many as the policy gives it."""
    quorum: int
    spoken: int


def spoken(rule: Panel, seats: tuple[PanelSeat, ...]) -> Spoken:
    """Return how many of a panel have spoken so far."""
    voted = sum(seat.vote is not None for seat in seats)
    return Spoken(members=rule.members, quorum=rule.quorum, spoken=voted)


def first_seats(members: tuple[PersonId, ...]) -> tuple[PanelSeat, ...]:
    """Return the seats of a panel that sits for the first time."""
    return tuple(PanelSeat(number=n, member=who) for n, who in enumerate(members, start=1))


def seated(before: tuple[PanelSeat, ...], now: tuple[Place, ...]) -> tuple[PanelSeat, ...]:
    """Return the seats after a change; who stays keeps the vote, the others' fall away."""
    kept = {seat.place: seat for seat in before}
    return tuple(
        kept.get(place) or PanelSeat(number=place.number, member=place.member) for place in now
    )
