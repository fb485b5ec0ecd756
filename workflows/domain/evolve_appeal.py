"""What the events of an appeal change, its decision apart."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, assert_never

from siklus.workflows.domain import events as e
from siklus.workflows.domain.model import Appeal, Evaluation
from siklus.workflows.domain.panel import PanelSeat, Vote, first_seats, seated
from siklus.workflows.domain.stages import AWAITING_A_DECISION, Task, TaskKind
from siklus.workflows.domain.values import PersonId

AppealEvent = (
    e.AppealFiled
    | e.AppealWithdrawn
    | e.AppealResponded
    | e.AppealResponseMissed
    | e.AppealVoteCast
    | e.PanelSeated
)


def appealed(state: Evaluation, event: AppealEvent, entry: e.Entry) -> dict[str, Any]:
    """Return the facts that one of these events changes."""
    if isinstance(event, e.AppealFiled):
        return {"appeal": _filed(state, event, entry)}
    appeal, at = state.appeal, entry.occurred_at
    if appeal is None:
        raise ValueError("nothing was appealed yet")
    changes: dict[str, Any] = {}
    match event:
        case e.AppealWithdrawn():
            update: dict[str, Any] = {"withdrawn_at": at}
        case e.AppealResponded():
            update = {"responded_at": at, "answered_by": _answered(entry)}
        case e.AppealResponseMissed():
            update = {"response_missed": True}
        case e.AppealVoteCast():
            update = {"seats": _voted(appeal, event, at)}
        case e.PanelSeated():
            update = {"seats": seated(appeal.seats, event.places)}
            members = {place.member for place in event.places}
            # Whoever was gone and gets a seat again is back.
            changes["gone"] = tuple(person for person in state.gone if person not in members)
        case _:
            assert_never(event)
    return {"appeal": appeal.model_copy(update=update), **changes}


def _answered(entry: e.Entry) -> tuple[PersonId, ...]:
    people = (PersonId(entry.actor), entry.principal)
    return tuple(person for person in people if person is not None)


def _filed(state: Evaluation, event: e.AppealFiled, entry: e.Entry) -> Appeal:
    return Appeal(
        filed_at=entry.occurred_at,
        decider=event.decider,
        top_of_hierarchy=event.top_of_hierarchy,
        response_due_at=due_at(event.opens, TaskKind.RESPOND_TO_APPEAL),
        decision_due_at=due_at(event.opens, *AWAITING_A_DECISION),
        seats=first_seats(event.panel),
        panel=state.policy.appeal.panel,
    )


def _voted(appeal: Appeal, event: e.AppealVoteCast, at: datetime) -> tuple[PanelSeat, ...]:
    vote = Vote(
        outcome=event.outcome,
        results=event.results,
        behaviour=event.behaviour,
        predicate=event.predicate,
        numbers=event.numbers,
        cast_at=at,
    )
    return tuple(
        seat.model_copy(update={"vote": vote}) if seat.number == event.seat else seat
        for seat in appeal.seats
    )


def due_at(tasks: Iterable[Task], *kinds: TaskKind) -> datetime | None:
    """Return when the first of these kinds among the tasks is due."""
    return next((t.due.due_at for t in tasks if t.kind in kinds and t.due is not None), None)
