"""The events of deadlines that were moved, and of what was mended."""

from datetime import date
from typing import Literal

from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands import Correctable, LeaveKind
from siklus.workflows.domain.deadlines import Due
from siklus.workflows.domain.events.base import Event
from siklus.workflows.domain.values import Digest, Instant, Level, Predicate


class DeadlineMoved(Event):
    """`opens` holds the task with its new deadline, where it is open already."""

    kind: Literal["deadline_moved"] = "deadline_moved"
    task: str
    due_on: date


class DeadlinesExtended(Event):
    """`opens` holds what was open in the outage, with the days given back."""

    kind: Literal["deadlines_extended"] = "deadlines_extended"
    outage: str
    began_at: Instant
    ended_at: Instant
    days: int


class LeaveRecorded(Event):
    """`opens` holds the employee's own tasks that the leave pauses."""

    kind: Literal["leave_recorded"] = "leave_recorded"
    leave: LeaveKind
    from_on: date
    to_on: date
    plan_due: Due | None = None
    """When the plan that was handed in would be due, should it come back."""


class CalendarReplaced(Event):
    """`opens` holds the tasks whose deadline moved later."""

    kind: Literal["calendar_replaced"] = "calendar_replaced"
    calendar: Calendar
    digest: Digest


class StageReturned(Event):
    """The team sent the evaluation back to `stage`."""

    kind: Literal["stage_returned"] = "stage_returned"


class EntryCorrected(Event):
    """The levels as they should have been; the entry itself stays in the history."""

    kind: Literal["entry_corrected"] = "entry_corrected"
    entry: Correctable
    number: int
    results: Level
    behaviour: Level
    predicate: Predicate | None


class RepairRequested(Event):
    """The first of two people asked for an act; `content` tells it from another."""

    kind: Literal["repair_requested"] = "repair_requested"
    command: str
    content: Digest
