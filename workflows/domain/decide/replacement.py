"""People who leave: everything that one person holds goes to another in one act.

No open task is ever held by somebody who works there no more. The successor takes what they may
judge; the rest goes up the line, and to the agency's team where the line has nobody left.
"""

from collections.abc import Iterable

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import (
    Departure,
    ExclusionGround,
    InRoster,
    RecordDeparture,
    ReplacePerson,
    Seat,
)
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.panel import vacated
from siklus.workflows.domain.decide.people import RUNNING, answering, handed_over
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import OWN_TASKS, Stage, Task, TaskKind
from siklus.workflows.domain.values import PersonId


@decides(ReplacePerson, by=(Party.TEAM, Party.SYSTEM), stages=RUNNING)
def replace_person(state: Evaluation, command: ReplacePerson, act: Act) -> list[e.AnyEvent]:
    """Seats, open tasks and places in lines move together; due times stay, lateness begins anew.

    A seat on a panel passes to nobody, and its vote falls away.
    """
    roster = _roster_of(state, command, act)
    leaving = command.leaving
    line = _line(state, command, roster)
    seats = tuple(_succession(state, leaving, line, act))
    vacancies, closes = vacated(state, leaving, act)
    handed = (
        _handed_over(state, waiting, leaving, line, act)
        for waiting in state.tasks
        if waiting.id not in closes
        and (leaving == waiting.holder or leaving in waiting.escalated_to)
    )
    opens = (*handed, *vacancies)
    in_a_line = leaving in state.superiors.values() or leaving == state.participants.superior
    if not seats and not opens and not closes and not in_a_line:
        raise Refusal(Reason.ALREADY_DONE, "that person holds nothing here any more")
    return [
        e.PersonReplaced(
            prose=act.prose,
            leaving=leaving,
            successor=line[0] if line else None,
            seats=seats,
            superiors=_superiors(command, roster, line),
            opens=opens,
            closes=tuple(closes),
        )
    ]


def _roster_of(state: Evaluation, command: ReplacePerson, act: Act) -> InRoster:
    """Return what the roster said of two people who may follow each other here, or refuse."""
    leaving, employee = command.leaving, state.participants.employee
    if leaving == employee:
        raise invalid("leaving", "is the employee; record a departure or a transfer instead")
    if command.successor == employee:
        raise Refusal(Reason.SELF_DECISION, "nobody can be given the own evaluation to judge")
    if command.successor == leaving:
        raise invalid("successor", "is the one who leaves")
    if act.actor.person is not None:
        forms.must_say(command, "reason")
    if act.roster is None or (command.successor is not None and not act.roster.active):
        raise invalid("successor", "is nobody who works in the agency now")
    return act.roster


def _line(state: Evaluation, command: ReplacePerson, roster: InRoster) -> tuple[PersonId, ...]:
    """Return who may follow, the nearest first: the named successor, then the line above.

    The employee may be somebody's superior, and is passed over: nobody judges the own case.
    """
    named = (command.successor,) if command.successor is not None else ()
    out = {command.leaving, state.participants.employee}
    return tuple(who for who in dict.fromkeys((*named, *roster.line)) if who not in out)


def _superiors(
    command: ReplacePerson, roster: InRoster, line: tuple[PersonId, ...]
) -> dict[PersonId, PersonId | None]:
    """Return who stands above whom from the successor on, as far as the roster told.

    A subordinate who follows may still have the one who leaves above them in the roster.
    """
    if command.successor is not None and roster.superior != command.leaving:
        return {command.successor: roster.superior}
    above = dict(zip(line, (*line[1:], None), strict=False))
    return {command.successor: above[command.successor]} if command.successor else above


def _succession(
    state: Evaluation, leaving: PersonId, line: tuple[PersonId, ...], act: Act
) -> Iterable[e.Succession]:
    seats = state.participants
    heir = next(iter(line), None)
    # A supervisor whom nobody followed is named by the seat still: that is no news.
    if seats.supervisor == leaving and (heir is not None or leaving not in state.gone):
        yield e.Succession(seat=Seat.SUPERVISOR, person=heir)
    if seats.approver == leaving:
        yield e.Succession(seat=Seat.APPROVER, person=heir)
    deciding = state.appeal is not None and state.stage is Stage.APPEAL_DECISION
    if deciding and state.appeal is not None and state.appeal.decider == leaving:
        yield e.Succession(seat=Seat.DECIDER, person=_decider(state, line, act))


def _decider(state: Evaluation, line: tuple[PersonId, ...], act: Act) -> PersonId | None:
    """Return who decides: nobody who rated or answers for it; nor does the rater choose."""
    if act.actor.person in state.raters:
        message = "whoever rated does not choose who decides; ask another of the team"
        raise Refusal(Reason.SEPARATION_OF_DUTIES, message)
    heard = answering(state, act)
    return next((who for who in line if who not in heard), None)


def _heir(
    state: Evaluation, waiting: Task, leaving: PersonId, line: tuple[PersonId, ...], act: Act
) -> PersonId | None:
    """Return who gets a task; nobody decides an appeal and answers for the rater as well."""
    if waiting.kind is TaskKind.DECIDE_APPEAL:
        return _decider(state, line, act)
    if waiting.kind is TaskKind.SECOND_RATE:
        return next((who for who in line if who not in state.first_raters), None)
    deciding: set[PersonId | None] = set()
    if waiting.kind is TaskKind.RESPOND_TO_APPEAL and state.appeal is not None:
        decider = state.appeal.decider
        deciding = {seat.member for seat in state.appeal.seats}
        deciding.add(_decider(state, line, act) if decider == leaving else decider)
    return next((who for who in line if who not in deciding), None)


def _handed_over(
    state: Evaluation, waiting: Task, leaving: PersonId, line: tuple[PersonId, ...], act: Act
) -> Task:
    if waiting.holder == leaving:
        return handed_over(state, waiting, _heir(state, waiting, leaving, line, act), act.at)
    # It had climbed to them: if to them last, it climbs once more from whoever is left.
    rest = tuple(person for person in waiting.escalated_to if person != leaving)
    climbs_at = act.at if waiting.escalated_to[-1] == leaving else waiting.escalates_at
    return waiting.model_copy(update={"escalated_to": rest, "escalates_at": climbs_at})


_GROUNDS = {Departure.DISMISSED_FOR_A_TIME: ExclusionGround.DISMISSED_FOR_A_TIME}


@decides(RecordDeparture, by=(Party.TEAM, Party.SYSTEM), stages=RUNNING)
def record_departure(state: Evaluation, command: RecordDeparture, act: Act) -> list[e.AnyEvent]:
    """The employee left: before a rating the evaluation ends, afterwards the result goes its way.

    What only they could do falls to the team, who may reach them; their right to appeal stays
    until its window closes (our decision). An interim rating is given without them.
    """
    if act.actor.person is not None:
        forms.must_say(command, "reason")
    if state.participants.employee in state.gone:
        raise Refusal(Reason.ALREADY_DONE, "the departure was recorded already")
    if not state.ratings and state.stage is not Stage.INTERIM_RATING:
        ground = _GROUNDS.get(command.departure, ExclusionGround.LEFT_SERVICE)
        return [
            e.EvaluationExcluded(
                prose=act.prose,
                ground=ground,
                stage=Stage.EXCLUDED,
                closes=tuple(waiting.id for waiting in state.tasks),
            )
        ]
    own = (waiting for waiting in state.tasks if waiting.kind in OWN_TASKS)
    opens = tuple(waiting.model_copy(update={"holder": None}) for waiting in own)
    return [e.EmployeeLeft(prose=act.prose, departure=command.departure, opens=opens)]
