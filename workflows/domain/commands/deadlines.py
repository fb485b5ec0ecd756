"""What moves a deadline that runs: the team, an outage, or days off that became known late."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands.base import Command
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import Code, Instant


class MoveDeadline(Command):
    """The team gives a task another last day, open now or still to come (`prose.reason`)."""

    kind: Literal["move_deadline"] = "move_deadline"
    task: TaskKind
    number: Annotated[int, Field(ge=0, le=12)] = 0
    due_on: date
    """The last day, in the zone of the employee's unit."""
    reopen_passed: bool = False
    """Says on purpose that a deadline which has passed is to run again."""


class ExtendForOutage(Command):
    """The team gives back the time that an outage took from whatever was open then."""

    kind: Literal["extend_for_outage"] = "extend_for_outage"
    outage: Code
    """The outage as the agency recorded it; each extends an evaluation once."""
    began_at: Instant
    ended_at: Instant


class ReplaceCalendar(Command):
    """The system brings days off that became known since; running deadlines only move later."""

    kind: Literal["replace_calendar"] = "replace_calendar"
    calendar: Calendar
