"""What the events of people who leave, of moved deadlines and of repairs change."""

from typing import Any, assert_never

from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import Correctable, Seat
from siklus.workflows.domain.model import (
    Evaluation,
    Leave,
    Midyear,
    Period,
    Repair,
    SelfEvaluation,
)
from siklus.workflows.domain.stages import AWAITING_A_DECISION, Stage, Task, TaskKind, task_id
from siklus.workflows.domain.values import PersonId

RepairEvent = (
    e.PersonReplaced
    | e.EmployeeLeft
    | e.DeadlineMoved
    | e.DeadlinesExtended
    | e.LeaveRecorded
    | e.CalendarReplaced
    | e.StageReturned
    | e.EntryCorrected
    | e.RepairRequested
)

UNDELIVERED: dict[str, Any] = {
    "delivered_at": None,
    "received_at": None,
    "received_how": None,
    "accepted_at": None,
    "window_due_at": None,
}
"""A result that has to be delivered once more."""


def repaired(state: Evaluation, event: RepairEvent, entry: e.Entry) -> dict[str, Any]:
    """Return the facts that one of these events changes."""
    match event:
        case e.PersonReplaced():
            return _replaced(state, event)
        case e.EmployeeLeft():
            return {"gone": _gone(state, state.participants.employee)}
        case e.DeadlineMoved(task=task, due_on=due_on):
            return {"moved": {**state.moved, task: due_on}, **clocks(state, event.opens)}
        case e.DeadlinesExtended(outage=outage):
            return {"outages": (*state.outages, outage), **clocks(state, event.opens)}
        case e.LeaveRecorded():
            return _on_leave(state, event, entry)
        case e.CalendarReplaced(calendar=calendar, digest=digest):
            terms = state.terms.model_copy(update={"calendar": calendar})
            return {"terms": terms, "calendar_digest": digest, **clocks(state, event.opens)}
        case e.StageReturned():
            return _returned(state, event, entry)
        case e.EntryCorrected():
            return _corrected(state, event)
        case e.RepairRequested(command=command, content=content):
            asked = Repair(command=command, content=content, by=entry.actor, at=entry.occurred_at)
            return {"repair": asked}
        case _:
            assert_never(event)


def clocks(state: Evaluation, opens: tuple[Task, ...]) -> dict[str, Any]:
    """Return the due times that are kept beside their tasks, as these tasks have them now."""
    due = {task.kind: task.due.due_at for task in opens if task.due is not None}
    changes: dict[str, Any] = {}
    if TaskKind.APPEAL in due:
        changes["window_due_at"] = due[TaskKind.APPEAL]
    heard = {
        "response_due_at": due.get(TaskKind.RESPOND_TO_APPEAL),
        "decision_due_at": next((due[k] for k in AWAITING_A_DECISION if k in due), None),
    }
    known = {name: at for name, at in heard.items() if at is not None}
    if known and state.appeal is not None:
        changes["appeal"] = state.appeal.model_copy(update=known)
    return changes


def _on_leave(state: Evaluation, event: e.LeaveRecorded, entry: e.Entry) -> dict[str, Any]:
    begun = [leave for leave in state.leaves if leave.from_on == event.from_on]
    leave = Leave(
        from_on=event.from_on,
        to_on=event.to_on,
        given_to_on=max([event.to_on, *(before.given_to_on for before in begun)]),
        recorded_at=entry.occurred_at,
    )
    others = tuple(other for other in state.leaves if other not in begun)
    changes: dict[str, Any] = {"leaves": (*others, leave), **clocks(state, event.opens)}
    if event.plan_due is not None:
        changes["plan"] = state.plan.model_copy(update={"due": event.plan_due})
    return changes


def _gone(state: Evaluation, person: PersonId) -> tuple[PersonId, ...]:
    return state.gone if person in state.gone else (*state.gone, person)


def _replaced(state: Evaluation, event: e.PersonReplaced) -> dict[str, Any]:
    seats, appeal = state.participants, state.appeal
    # In the lines that are known whoever follows stands in place of who leaves.
    superiors = {
        below: event.successor if above == event.leaving else above
        for below, above in state.superiors.items()
    } | event.superiors
    for succession in event.seats:
        match succession.seat:
            case Seat.SUPERVISOR if succession.person is not None:
                superior = superiors.get(succession.person)
                superiors[seats.employee] = succession.person
                update = {"supervisor": succession.person, "superior": superior}
                seats = seats.model_copy(update=update)
            case Seat.SUPERVISOR:
                pass
            case Seat.APPROVER:
                seats = seats.model_copy(update={"approver": succession.person})
            case Seat.DECIDER:
                if appeal is not None:
                    appeal = appeal.model_copy(update={"decider": succession.person})
            case _:
                assert_never(succession.seat)
    if appeal is not None and event.closes:
        # Who sat on a panel that has decided stays in the record of it.
        held = {task_id(TaskKind.VOTE_ON_APPEAL, seat.number): seat for seat in appeal.seats}
        left = tuple(seat for task, seat in held.items() if task not in event.closes)
        appeal = appeal.model_copy(update={"seats": left})
    if seats.superior == event.leaving:
        seats = seats.model_copy(update={"superior": superiors.get(seats.supervisor)})
    return {
        "participants": seats,
        "appeal": appeal,
        "superiors": superiors,
        "gone": (*(who for who in state.gone if who not in _given(event)), event.leaving),
    }


def _given(event: e.PersonReplaced) -> set[PersonId | None]:
    """Return who has something to do from there on: whoever was gone among them is back."""
    seated = {succession.person for succession in event.seats}
    return {event.leaving, event.successor, *seated, *(task.holder for task in event.opens)}


def _returned(state: Evaluation, event: e.StageReturned, entry: e.Entry) -> dict[str, Any]:
    at, plan = entry.occurred_at, state.plan
    changes: dict[str, Any] = {**UNDELIVERED, "referred": False}
    anew: dict[str, Any] = {"proposed": None, "proposed_prose": None}
    match event.stage:
        case Stage.PLAN:
            anew |= {"submitted_at": None, "approved_at": None, "set_by_team": False}
        case Stage.PLAN_REVIEW:
            anew |= {"approved_at": None}
        case Stage.MIDYEAR:
            anew = {}
            changes["midyear"] = Midyear(opened_at=at, account_at=state.midyear.account_at)
        case Stage.SELF_EVALUATION:
            changes["self_evaluation"] = SelfEvaluation(opened_at=at)
        case Stage.APPEAL_WINDOW:
            kept = {name: getattr(state, name) for name in ("delivered_at", "received_at")}
            changes |= {**kept, "received_how": state.received_how, **clocks(state, event.opens)}
        case _:
            pass
    return {**changes, "plan": plan.model_copy(update=anew)}


def _corrected(state: Evaluation, event: e.EntryCorrected) -> dict[str, Any]:
    levels = {"results": event.results, "behaviour": event.behaviour}
    match event.entry:
        case Correctable.PERIODIC_EVALUATION:
            periods = tuple(
                _with_levels(period, event) if period.number == event.number else period
                for period in state.periods
            )
            return {"periods": periods}
        case Correctable.SELF_EVALUATION:
            return {"self_evaluation": state.self_evaluation.model_copy(update=levels)}
        case _:
            assert_never(event.entry)


def _with_levels(period: Period, event: e.EntryCorrected) -> Period:
    levels = {"results": event.results, "behaviour": event.behaviour}
    return period.model_copy(update={**levels, "predicate": event.predicate})
