"""Changes of the roster that take effect on a day: what each may say, and what follows from it."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from siklus.workflows.domain.commands import (
    AnyCommand,
    Departure,
    LeaveKind,
    Reassign,
    RecordDeparture,
    RecordLeave,
    ReplacePerson,
    Seat,
    Transfer,
)
from siklus.workflows.domain.decide.leave import LONGEST_LEAVE_DAYS
from siklus.workflows.domain.decide.second_person import may_be_asked_for
from siklus.workflows.domain.decide.transfer import MOVABLE
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.roster_people import Directory, Person
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import PersonId, Value

BACK_DAYS = 366
"""How long ago a change may have taken effect: letters come late, within the year [ours]."""
AHEAD_DAYS = 366
"""How far ahead a change can be planned [ours]."""


class ChangeState(StrEnum):
    """How a change stands."""

    PLANNED = "PLANNED"
    APPLYING = "APPLYING"
    """The roster has it; the evaluations that it touches follow one by one."""
    APPLIED = "APPLIED"
    FAILED = "FAILED"
    """On its day the roster had become another, into which it does not fit."""
    WITHDRAWN = "WITHDRAWN"


class Outcome(StrEnum):
    """What a change did to one evaluation."""

    WAITING = "WAITING"
    DONE = "DONE"
    UNTOUCHED = "UNTOUCHED"
    """By the rules nothing was to be done there."""
    REFUSED = "REFUSED"


class NewSupervisor(Value):
    """Another superior; the unit stays."""

    kind: Literal["NEW_SUPERVISOR"] = "NEW_SUPERVISOR"
    supervisor: PersonId


class NewUnit(Value):
    """A transfer: another unit, and mostly another superior."""

    kind: Literal["TRANSFER"] = "TRANSFER"
    unit: str
    supervisor: PersonId | None = None
    """None stays under the same superior."""


class OnLeave(Value):
    """Leave from the day of effect on."""

    kind: Literal["LEAVE"] = "LEAVE"
    leave: LeaveKind
    to_on: date


class Deactivation(Value):
    """The person works there no more."""

    kind: Literal["DEACTIVATION"] = "DEACTIVATION"
    departure: Departure
    successor: PersonId | None = None
    """Takes what the person holds, and the place in the roster; None leaves it to the line."""


class ReturnToWork(Value):
    """Whoever had left works there again, or comes back from leave before its last day."""

    kind: Literal["RETURN"] = "RETURN"
    leave: LeaveKind | None = None
    """Of the leave that ends by it; noted when the return is recorded."""
    from_on: date | None = None
    """The first day of that leave."""


Facts = Annotated[
    NewSupervisor | NewUnit | OnLeave | Deactivation | ReturnToWork,
    Field(discriminator="kind"),
]


class Change(Value):
    """One change of one person."""

    person: PersonId
    effective_on: date
    facts: Facts


class LeaveDays(Value):
    """Leave that is on record, both days included."""

    from_on: date
    to_on: date
    leave: LeaveKind


class Known(Value):
    """What the roster says round a change, as far as it matters."""

    person: Person | None
    others: tuple[Person, ...] = ()
    """Whoever the change names, with everybody above them."""
    units: frozenset[str] = frozenset()
    leaves: tuple[LeaveDays, ...] = ()


def must_be_dated(effective_on: date, today: date) -> None:
    """Refuse days too long ago or too far ahead; raises Refusal."""
    if effective_on < today - timedelta(days=BACK_DAYS):
        raise invalid("effective_on", f"lies more than {BACK_DAYS} days back")
    if effective_on > today + timedelta(days=AHEAD_DAYS):
        raise invalid("effective_on", f"lies more than {AHEAD_DAYS} days ahead")


def must_fit(change: Change, known: Known) -> Person:
    """Return the person as they stand before the change; raises Refusal where it does not fit."""
    person, facts = known.person, change.facts
    if person is None:
        raise invalid("person", "is not in the roster")
    if not person.active and not isinstance(facts, ReturnToWork):
        raise invalid("person", "works there no more; record a return first")
    match facts:
        case NewSupervisor(supervisor=supervisor):
            if supervisor == person.supervisor:
                raise Refusal(Reason.ALREADY_DONE, "that is the superior already")
            _must_be_able_to_lead(supervisor, change.person, known, "new_supervisor.supervisor")
        case NewUnit(unit=unit, supervisor=above):
            if unit not in known.units:
                raise invalid("new_unit.unit", "there is no such unit")
            if unit == person.unit:
                raise invalid("new_unit.unit", "is the unit already; record a new supervisor")
            if above is not None:
                _must_be_able_to_lead(above, change.person, known, "new_unit.supervisor")
        case OnLeave():
            _must_be_leave(change.effective_on, facts.to_on, known.leaves)
        case Deactivation(successor=successor) if successor is not None:
            if successor == change.person:
                raise invalid("deactivation.successor", "is the one who leaves")
            _must_work(successor, known, "deactivation.successor")
        case ReturnToWork():
            if person.active and leave_on(known.leaves, change.effective_on) is None:
                raise Refusal(Reason.ALREADY_DONE, "that person is at work")
        case _:
            pass
    return person


def _must_be_able_to_lead(who: PersonId, person: PersonId, known: Known, field: str) -> None:
    if who == person:
        raise invalid(field, "nobody is their own superior")
    _must_work(who, known, field)
    if person in _line(who, known.others):
        raise invalid(field, "stands below that person: the line of superiors would be a loop")


def _must_work(who: PersonId, known: Known, field: str) -> None:
    found = {each.person: each for each in known.others}.get(who)
    if found is None:
        raise invalid(field, "is not in the roster")
    if not found.active:
        raise invalid(field, "works there no more")


def _line(who: PersonId, people: Collection[Person]) -> list[PersonId]:
    directory = Directory(people)
    line: list[PersonId] = []
    above = directory.superior(who)
    while above is not None and above not in line:
        line.append(above)
        above = directory.superior(above)
    return line


def _must_be_leave(from_on: date, to_on: date, known: Sequence[LeaveDays]) -> None:
    if not 0 <= (to_on - from_on).days < LONGEST_LEAVE_DAYS:
        raise invalid("leave.to_on", f"leave ends after it began, within {LONGEST_LEAVE_DAYS} days")
    for other in known:
        apart = other.to_on < from_on or to_on < other.from_on
        # Of a leave that began on that very day the last day may change.
        if not apart and other.from_on != from_on:
            raise invalid("leave", f"there is leave from {other.from_on.isoformat()} already")


def leave_on(leaves: Collection[LeaveDays], day: date) -> LeaveDays | None:
    """Return the leave that has not ended before that day and began before it, if any."""
    return next((leave for leave in leaves if leave.from_on <= day <= leave.to_on), None)


def as_recorded(change: Change, known: Known) -> Change:
    """Return a change with what the roster adds to it: a return names the leave that it ends."""
    ended = leave_on(known.leaves, change.effective_on)
    if not isinstance(change.facts, ReturnToWork) or ended is None:
        return change
    facts = ReturnToWork(leave=ended.leave, from_on=ended.from_on)
    return change.model_copy(update={"facts": facts})


def changed(change: Change, person: Person) -> Person:
    """Return the person as the roster has them from then on."""
    match change.facts:
        case NewSupervisor(supervisor=supervisor):
            update: dict[str, object] = {"supervisor": supervisor, "top": False}
        case NewUnit(unit=unit, supervisor=None):
            update = {"unit": unit}
        case NewUnit(unit=unit, supervisor=supervisor):
            update = {"unit": unit, "supervisor": supervisor, "top": False}
        case Deactivation():
            update = {"active": False}
        case ReturnToWork():
            update = {"active": True}
        case OnLeave():
            update = {}
    return person.model_copy(update=update)


def in_place_of(leaving: Person, successor: Person, known: Known) -> Person:
    """Return the successor in the roster: whoever stood below takes the place, not a loop [ours].

    Everybody who stood directly under the leaving person then stands under the successor.
    """
    if leaving.person not in _line(successor.person, known.others):
        return successor
    above = {"supervisor": leaving.supervisor, "top": leaving.top}
    return successor.model_copy(update=above)


def command_for(change: Change, *, own: bool, reason: str) -> AnyCommand | None:
    """Return what a change means for a running evaluation; None where it means nothing.

    `own` tells the person's own evaluation from one in which they hold something.
    """
    prose = {"reason": reason}
    match change.facts:
        case NewSupervisor(supervisor=supervisor) if own:
            return Reassign(seat=Seat.SUPERVISOR, person=supervisor, prose=prose)
        case NewUnit() if own:
            return Transfer(closing_on=change.effective_on - timedelta(days=1), prose=prose)
        case OnLeave(leave=leave, to_on=to_on) if own:
            from_on = change.effective_on
            return RecordLeave(leave=leave, from_on=from_on, to_on=to_on, prose=prose)
        case ReturnToWork(leave=LeaveKind() as leave, from_on=date() as from_on) if own:
            to_on = change.effective_on - timedelta(days=1)
            return RecordLeave(leave=leave, from_on=from_on, to_on=to_on, prose=prose)
        case Deactivation(departure=departure) if own:
            return RecordDeparture(departure=departure, prose=prose)
        case Deactivation(successor=successor):
            return ReplacePerson(leaving=change.person, successor=successor, prose=prose)
        case _:
            return None


BY_THE_SYSTEM = (ReplacePerson, RecordDeparture, RecordLeave)
"""Facts that the system may record where whoever recorded the change may not."""


def moves_on(effective_on: date, *, ends_on: date, stage: Stage, rated: bool) -> bool:
    """Tell whether a transfer begins another segment of that evaluation.

    Not where the result was delivered once, nor after the evaluated year: then only the roster
    changes, and whoever rated or is to rate stays where the law has them [ours].
    """
    return stage in MOVABLE and not rated and effective_on <= ends_on


def is_none_of_its(command: AnyCommand, stage: Stage) -> bool:
    """Tell whether a change says nothing to an evaluation of the person at that stage.

    A closed segment that waits for its interim rating gets it from whoever led the employee there,
    or from who follows them; never from a superior of later days.
    """
    return isinstance(command, Reassign) and stage is Stage.INTERIM_RATING


def by_the_system(command: AnyCommand, policy: Policy) -> bool:
    """Tell whether the system records a fact at once, for which the policy may ask for two."""
    return isinstance(command, BY_THE_SYSTEM) and may_be_asked_for(policy, command)


def by_the_system_after(command: AnyCommand, refusal: Reason | None) -> bool:
    """Tell whether the system records a fact that somebody with a part in it may not."""
    return isinstance(command, BY_THE_SYSTEM) and refusal in _NOT_THEIRS


_NOT_THEIRS = frozenset({Reason.SELF_DECISION, Reason.SEPARATION_OF_DUTIES})

NOTHING_TO_DO = frozenset(
    {
        Reason.ALREADY_DONE,
        Reason.EVALUATION_CLOSED,
        Reason.NOT_ALLOWED_BY_POLICY,
        Reason.WRONG_STAGE,
    }
)
"""Refusals that tell that by the rules nothing was to be done."""


def outcome_of(refusal: Reason | None) -> Outcome:
    """Return what became of an evaluation whose command was refused so, or accepted."""
    if refusal is None:
        return Outcome.DONE
    return Outcome.UNTOUCHED if refusal in NOTHING_TO_DO else Outcome.REFUSED
