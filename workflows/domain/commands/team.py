"""What the agency's team says: seats, moves, endings and the way back."""

from datetime import date
from enum import StrEnum
from typing import Literal

from siklus.workflows.domain.commands.base import Command
from siklus.workflows.domain.values import PersonId


class Seat(StrEnum):
    """A place in an evaluation that one person fills and another may take over."""

    SUPERVISOR = "SUPERVISOR"
    APPROVER = "APPROVER"
    DECIDER = "DECIDER"


class Reassign(Command):
    """The agency's team gives a seat, with its open tasks, to another person."""

    kind: Literal["reassign"] = "reassign"
    seat: Seat
    person: PersonId


class ReplacePerson(Command):
    """Whatever one person holds in an evaluation goes to another, or up the line."""

    kind: Literal["replace_person"] = "replace_person"
    leaving: PersonId
    successor: PersonId | None = None
    """None takes the nearest active superior who may judge, seat by seat."""


class Departure(StrEnum):
    """Why somebody works there no more."""

    RESIGNED = "RESIGNED"
    RETIRED = "RETIRED"
    DIED = "DIED"
    DISMISSED = "DISMISSED"
    DISMISSED_FOR_A_TIME = "DISMISSED_FOR_A_TIME"
    OTHER = "OTHER"


class RecordDeparture(Command):
    """The employee left: what waits for them waits for nobody any more."""

    kind: Literal["record_departure"] = "record_departure"
    departure: Departure


class LeaveKind(StrEnum):
    """On what leave somebody is (PP 11/2017 art. 310, in its order; unpaid leave last)."""

    ANNUAL = "ANNUAL"
    LONG = "LONG"
    SICK = "SICK"
    MATERNITY = "MATERNITY"
    IMPORTANT_REASON = "IMPORTANT_REASON"
    COLLECTIVE = "COLLECTIVE"
    UNPAID = "UNPAID"


class RecordLeave(Command):
    """Days of leave that pause the employee's own clocks, where the policy says so."""

    kind: Literal["record_leave"] = "record_leave"
    leave: LeaveKind
    from_on: date
    to_on: date


class Transfer(Command):
    """The team closes this segment because the employee moved on that day."""

    kind: Literal["transfer"] = "transfer"
    closing_on: date


class ExclusionGround(StrEnum):
    """Why somebody is not evaluated in a cycle."""

    DISMISSED_FOR_A_TIME = "DISMISSED_FOR_A_TIME"
    UNPAID_LEAVE = "UNPAID_LEAVE"
    PRE_RETIREMENT = "PRE_RETIREMENT"
    NO_RATER = "NO_RATER"
    LEFT_SERVICE = "LEFT_SERVICE"
    OTHER = "OTHER"


class Exclude(Command):
    """The team takes the employee out of the cycle, on a stated ground."""

    kind: Literal["exclude"] = "exclude"
    ground: ExclusionGround


class Cancel(Command):
    """The team ends an evaluation that should not have been started."""

    kind: Literal["cancel"] = "cancel"


class Reopen(Command):
    """The team opens an ended evaluation again; where the policy says so, two of them."""

    kind: Literal["reopen"] = "reopen"
