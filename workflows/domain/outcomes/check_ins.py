"""What may be done with an improvement plan, and what it becomes.

decide(plan, order, now) -> events   raises Refusal
evolve(plan, event) -> plan
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import assert_never

from siklus.workflows.domain import audit
from siklus.workflows.domain.commands import SYSTEM
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.outcomes.improvement import (
    ClosePlan,
    HandOver,
    ImprovementPlan,
    PlanEvent,
    PlanEventKind,
    PlanOrder,
    PlanState,
    PlanStep,
    RecordCheckIn,
    StepResult,
    SupersedePlan,
)
from siklus.workflows.domain.values import Code, Digest, PersonId, Role


def decide(plan: ImprovementPlan, order: PlanOrder, now: datetime) -> tuple[PlanEvent, ...]:
    """Return what an order leads to, or raise `Refusal`; a refused one changes nothing."""
    command = order.command
    match command:
        case RecordCheckIn():
            _must_supervise(plan, order)
            _must_be_open(plan)
            events = [_checked_in(plan, command)]
        case ClosePlan():
            _may_close(plan, order, command)
            _must_be_open(plan)
            events = [_closed(plan, command)]
        case SupersedePlan():
            _must_be_the_system(order)
            events = [] if plan.closed else [_end(PlanState.SUPERSEDED)]
        case HandOver():
            _must_be_the_system(order)
            same = command.supervisor in {plan.supervisor, plan.employee}
            events = [] if plan.closed or same else [_handed_over(command.supervisor)]
        case _:
            assert_never(command)
    return _stamped(plan, events, order, now)


def late(plan: ImprovementPlan, now: datetime) -> tuple[PlanEvent, ...]:
    """Return that the step which waits has become late, if it has and nobody was told."""
    step = plan.next_step
    if step is None or step.late or now < step.due.expires_at:
        return ()
    return (
        PlanEvent(
            number=plan.revision + 1,
            kind=PlanEventKind.STEP_LATE,
            at=now,
            actor=SYSTEM.name,
            step=step.code,
        ),
    )


def evolve(plan: ImprovementPlan, event: PlanEvent) -> ImprovementPlan:
    """Return the plan after an event."""
    changes: dict[str, object] = {"events": (*plan.events, event)}
    match event.kind:
        case PlanEventKind.CHECKED_IN:
            recorded: dict[str, object] = {
                "result": event.result,
                "recorded_at": event.at,
                "recorded_by": event.actor,
                "prose": event.prose,
            }
            changes["steps"] = _changed(plan, event.step, recorded)
        case PlanEventKind.STEP_LATE:
            changes["steps"] = _changed(plan, event.step, {"late": True})
        case PlanEventKind.HANDED_OVER:
            changes["supervisor"] = event.supervisor
        case PlanEventKind.CLOSED:
            changes |= {
                "state": event.state,
                "closed_at": event.at,
                "closed_by": event.actor,
                "prose": event.prose,
            }
        case _:
            assert_never(event.kind)
    return plan.model_copy(update=changes)


def fold(plan: ImprovementPlan, events: Iterable[PlanEvent]) -> ImprovementPlan:
    """Return the plan after events in their order."""
    return reduce(evolve, events, plan)


def answered(plan: ImprovementPlan, request_key: str) -> PlanEvent | None:
    """Return what a request led to that was made before."""
    return next((each for each in plan.events if each.request_key == request_key), None)


def says(event: PlanEvent, order: PlanOrder) -> bool:
    """Tell whether an event is what that order asks for."""
    match order.command:
        case RecordCheckIn(step=step, result=result):
            return (event.step, event.result) == (step, result)
        case ClosePlan(ending=ending):
            return event.state is ending
        case _:
            return True


def _must_supervise(plan: ImprovementPlan, order: PlanOrder) -> None:
    person = order.actor.person
    if person == plan.employee:
        raise Refusal(Reason.SELF_DECISION, "nobody records the steps of their own plan")
    if person is None or not (person == plan.supervisor or order.supervises):
        raise Refusal(Reason.NOT_YOUR_TASK, "the employee's supervisor records the steps")


def _may_close(plan: ImprovementPlan, order: PlanOrder, command: ClosePlan) -> None:
    if order.actor.person == plan.employee:
        raise Refusal(Reason.SELF_DECISION, "nobody closes their own plan")
    if command.ending is not PlanState.CANCELLED:
        _must_supervise(plan, order)
    elif Role.AGENCY_ADMIN not in order.actor.roles:
        raise Refusal(Reason.NOT_YOUR_TASK, "the agency's team cancels a plan")


def _must_be_the_system(order: PlanOrder) -> None:
    if order.actor.person is not None:
        raise Refusal(Reason.NOT_YOUR_TASK, "only the system does this")


def _must_be_open(plan: ImprovementPlan) -> None:
    if plan.closed:
        raise Refusal(
            Reason.ALREADY_DONE,
            f"the plan has ended as {plan.state}",
            details={"revision": str(plan.revision), "by": plan.closed_by or ""},
        )


def _checked_in(plan: ImprovementPlan, command: RecordCheckIn) -> dict[str, object]:
    forms.must_fit(command)
    step = next((each for each in plan.steps if each.code == command.step), None)
    if step is None:
        raise invalid("step", "the plan has no such step")
    if step.result is not None:
        raise Refusal(
            Reason.ALREADY_DONE,
            "this step was recorded already",
            details={"revision": str(plan.revision), "by": step.recorded_by or ""},
        )
    if command.result is StepResult.NOT_MET:
        forms.must_say(command, "note")
    return {"kind": PlanEventKind.CHECKED_IN, "step": step.code, "result": command.result}


def _closed(plan: ImprovementPlan, command: ClosePlan) -> dict[str, object]:
    forms.must_fit(command)
    if command.ending is not PlanState.COMPLETED:
        forms.must_say(command, "reason")
    elif plan.next_step is not None:
        raise Refusal(
            Reason.WRONG_STAGE,
            f"the step {plan.next_step.code} waits: record it, or close the plan as failed",
            details={"step": plan.next_step.code},
        )
    return _end(command.ending)


def _end(state: PlanState) -> dict[str, object]:
    return {"kind": PlanEventKind.CLOSED, "state": state}


def _handed_over(supervisor: PersonId) -> dict[str, object]:
    return {"kind": PlanEventKind.HANDED_OVER, "supervisor": supervisor}


def _stamped(
    plan: ImprovementPlan, told: list[dict[str, object]], order: PlanOrder, now: datetime
) -> tuple[PlanEvent, ...]:
    said = order.command.prose
    prose = Digest(audit.prose_digest(order.salt, said)) if said else None
    return tuple(
        PlanEvent.model_validate(
            {**facts, "number": number, "at": now, "actor": order.actor.name, "prose": prose}
            | {"request_key": order.request_key or None}
        )
        for number, facts in enumerate(told, plan.revision + 1)
    )


def _changed(
    plan: ImprovementPlan, code: Code | None, changes: dict[str, object]
) -> tuple[PlanStep, ...]:
    return tuple(
        step.model_copy(update=changes) if step.code == code else step for step in plan.steps
    )
