"""The events of people who change, of lateness, of endings and of the way back."""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from siklus.workflows.domain.commands import Departure, ExclusionGround, Seat
from siklus.workflows.domain.events.base import Event
from siklus.workflows.domain.scheme.explained import Step
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.values import Grown, Level, PersonId, Predicate, Value


class Reassigned(Event):
    """`opens` holds the seat's open tasks as they stand with the new person."""

    kind: Literal["reassigned"] = "reassigned"
    seat: Seat
    previous: PersonId | None
    person: PersonId
    superior: PersonId | None


class Succession(Value):
    """A seat and who fills it now; None is the agency's team, for want of anybody else."""

    seat: Seat
    person: PersonId | None


class PersonReplaced(Event):
    """`opens` holds every task that the leaving person held or was given, as it stands now."""

    kind: Literal["person_replaced"] = "person_replaced"
    leaving: PersonId
    successor: PersonId | None
    """Who follows them in the lines of superiors."""
    seats: tuple[Succession, ...]
    superiors: dict[PersonId, PersonId | None]
    """Who stands above whom from there on, as the roster had it."""


class EmployeeLeft(Event):
    """The employee left after the rating; `opens` holds what waited for them, now the team's."""

    kind: Literal["employee_left"] = "employee_left"
    departure: Departure


class SuperiorResolved(Event):
    kind: Literal["superior_resolved"] = "superior_resolved"
    person: PersonId
    superior: PersonId | None


class TaskEscalated(Event):
    kind: Literal["task_escalated"] = "task_escalated"
    task: str
    to: PersonId
    level: int


class TaskFlagged(Event):
    """Shown to the agency's team: by policy, or because the line has no one further up."""

    kind: Literal["task_flagged"] = "task_flagged"
    task: str


class SegmentClosing(Event):
    """The employee moved; an interim rating is asked when enough days were served."""

    kind: Literal["segment_closing"] = "segment_closing"
    closing_on: date
    days: int


class InterimRated(Grown, Event):
    added: ClassVar[frozenset[str]] = frozenset({"numbers", "explanation"})

    kind: Literal["interim_rated"] = "interim_rated"
    rater: PersonId
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate
    numbers: Numbers | None = None
    explanation: tuple[Step, ...] = ()


class SegmentUnrated(Event):
    """No interim rating came in the policy's days; the segment counts as unrated."""

    kind: Literal["segment_unrated"] = "segment_unrated"


class SegmentResultRecorded(Grown, Event):
    added: ClassVar[frozenset[str]] = frozenset({"score", "innovation", "conditions"})

    kind: Literal["segment_result_recorded"] = "segment_result_recorded"
    segment: int
    days: int
    results: Level | None
    behaviour: Level | None
    predicate: Predicate | None
    score: Decimal | None = None
    innovation: bool = False
    conditions: tuple[str, ...] = ()


class EvaluationExcluded(Event):
    kind: Literal["evaluation_excluded"] = "evaluation_excluded"
    ground: ExclusionGround


class EvaluationCancelled(Event):
    kind: Literal["evaluation_cancelled"] = "evaluation_cancelled"


class ReopeningRequested(Event):
    """The first of two people asked for a reopening."""

    kind: Literal["reopening_requested"] = "reopening_requested"


class EvaluationReopened(Event):
    kind: Literal["evaluation_reopened"] = "evaluation_reopened"
