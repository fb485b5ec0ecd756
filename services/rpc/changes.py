"""Recorded changes as watchers see them, and who wants to see which."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self, get_args

from siklus.activities.store.queries.feed import FeedRow
from siklus.services.auth.caller import Caller
from siklus.services.rpc.names import evaluation_name_of
from siklus.services.rpc.views import stage, to_timestamp
from siklus.v1 import watch_pb2 as pb
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.events import AnyEvent
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import PersonId

KINDS: Final = tuple(
    event.model_fields["kind"].default for event in get_args(get_args(AnyEvent)[0])
)
"""Every kind of event that there is, such as `plan_submitted`, in the order of a year."""

TELLING_KINDS: Final = frozenset({"distribution_warned"})
"""Kinds that say by themselves how somebody was rated: guides are public."""


def must_be_kinds(kinds: Iterable[str]) -> None:
    """Raise FIELD_INVALID for a kind that there is not: nothing of it would ever come."""
    unknown = sorted(set(kinds).difference(KINDS))
    if unknown:
        raise invalid("kinds", f"there is no event {unknown[0]}")


class Change:
    """One row of the feed; what is sent of it is made once for all who watch."""

    __slots__ = ("_shown", "row")

    def __init__(self, row: FeedRow) -> None:
        self.row = row
        self._shown: pb.EvaluationChange | None = None

    @property
    def shown(self) -> pb.EvaluationChange:
        """The change as the contract has it; nobody may alter it."""
        if self._shown is None:
            self._shown = _shown(self.row)
        return self._shown


def changes(rows: Iterable[FeedRow]) -> list[Change]:
    """Return rows as changes."""
    return [Change(row) for row in rows]


def _shown(row: FeedRow) -> pb.EvaluationChange:
    return pb.EvaluationChange(
        name=evaluation_name_of(row.agency, row.cycle, row.person, row.segment),
        seq=row.number,
        hash=row.hash,
        kind=row.kind,
        occurred_at=to_timestamp(row.occurred_at),
        recorded_at=to_timestamp(row.recorded_at),
        stage=stage(row.stage),
        unit=row.unit,
        supervisor=row.supervisor,
        actor=row.actor,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one watcher asked for and may see; what is None or empty does not filter."""

    participant: PersonId | None
    """Whose evaluations alone are seen; None sees those of the whole agency."""
    cycle: str
    unit: str
    supervisor: str
    person: str
    kinds: frozenset[str]
    reader: PersonId | None = None
    """Who watches, to whom a warning about the own rating would tell it before its delivery."""

    @classmethod
    def asked(cls, caller: Caller, request: pb.WatchEvaluationsRequest) -> Self:
        """Read the filters; who has no office that sees everything sees where they take part.

        By no mandate: one that ends amid a stream would have to end there at once.
        Raises FIELD_INVALID for a kind of event that there is not.
        """
        must_be_kinds(request.kinds)
        return cls(
            participant=None if caller.sees_all else caller.person,
            cycle=request.cycle,
            unit=request.unit,
            supervisor=request.supervisor,
            person=request.person,
            kinds=frozenset(request.kinds),
            reader=caller.person,
        )

    def shows(self, row: FeedRow) -> bool:
        """Tell whether a row is to be sent."""
        return (
            (self.participant is None or self.participant in row.participants)
            and self.cycle in {"", row.cycle}
            and self.unit in {"", row.unit}
            and self.supervisor in {"", row.supervisor}
            and self.person in {"", row.person}
            and (not self.kinds or row.kind in self.kinds)
            and not self._tells_the_own_rating(row)
        )

    def _tells_the_own_rating(self, row: FeedRow) -> bool:
        waits = row.stage == Stage.CALIBRATION and row.kind in TELLING_KINDS
        return waits and row.person == self.reader
