"""What follows from a result, by the real workflows: drawn at the end, and plans that run."""

import uuid
from datetime import UTC, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from siklus.activities.following import PlansOnTemporal
from siklus.services.local.virtual_time import VirtualTime
from siklus.workflows import names
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.outcomes.improvement import (
    ClosePlan,
    PlanOrder,
    PlanState,
    RecordCheckIn,
    StepResult,
    open_plan,
)
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level, PersonId
from siklus.workflows.evaluation import EvaluationWorkflow
from siklus.workflows.following import Completed, PlanReceipt
from siklus.workflows.improvement import ImprovementPlanWorkflow
from tests.workflows.desk import EMPLOYEE, SUPERVISOR, Desk, at_once, eventually, on_record
from tests.workflows.memory import Memory, worker_of

NEXT = PersonId("p-7")
STEPS = ("sepakat", "pantau", "simpulkan")


async def rated(desk: Desk, behaviour: Level) -> None:
    """Have the evaluation rated and approved."""
    await desk.supervisor(c.Rate(results=Level.BELOW, behaviour=behaviour))
    await desk.approver(c.ApproveEvaluation())


class Plan:
    """A plan that runs, and its people."""

    def __init__(self, client: Client, memory: Memory, handle: WorkflowHandle[Any, Any]) -> None:
        self.client, self.memory, self.handle = client, memory, handle

    async def gives(
        self, command: RecordCheckIn | ClosePlan, person: PersonId = SUPERVISOR, key: str = ""
    ) -> PlanReceipt:
        order = PlanOrder(
            actor=c.Actor(person=person),
            command=command,
            request_key=key or uuid.uuid4().hex,
            salt="s" * 32,
        )
        receipt: PlanReceipt = await self.handle.execute_update(
            order.command.kind, order, id=order.request_key, result_type=PlanReceipt
        )
        return receipt

    async def meets(self, step: str, **how: Any) -> PlanReceipt:
        return await self.gives(RecordCheckIn(step=step, result=StepResult.MET), **how)


async def test_a_completed_evaluation_draws_once_and_again_when_it_was_reopened(
    client: Client,
) -> None:
    memory = Memory()
    async with worker_of(client, memory):
        desk = await Desk.open(client, at_once(pack="permenpan-6-2022"))
        await rated(desk, Level.BELOW)
        assert (await desk.outcome()).stage is Stage.COMPLETED
        (first,) = memory.drawn
        await desk.reopens(on_record(desk, memory))
        await rated(desk, Level.AT)
        await desk.outcome()

    assert [each.facts.predicate for each in memory.drawn] == ["SANGAT_KURANG", "BUTUH_PERBAIKAN"]
    assert first.head == memory.entries(desk.key)[first.revision - 1].hash
    assert (first.facts.months, first.facts.year) == (12, desk.start.terms.year)


async def test_a_plan_lives_through_its_steps_and_a_change_of_supervisor(client: Client) -> None:
    memory = Memory()
    async with worker_of(client, memory, workflows=(EvaluationWorkflow, ImprovementPlanWorkflow)):
        desk = await Desk.open(client, at_once(pack="permenpan-6-2022"))
        await rated(desk, Level.BELOW)
        await desk.outcome()
        plan = await opened(client, memory, memory.drawn[0])
        receipt = await plan.meets("sepakat")
        memory.line[EMPLOYEE] = NEXT
        due = memory.plans[-1].plan.steps[1].due
        clock = VirtualTime(client)
        await clock.forward_to(plan.handle.id, due.due_at.astimezone(UTC))
        in_time = len(memory.plans)
        await clock.forward_to(plan.handle.id, (due.due_at + timedelta(minutes=1)).astimezone(UTC))
        await eventually(lambda: is_held_by(memory, NEXT))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await plan.gives(ClosePlan(ending=PlanState.COMPLETED), NEXT)
        await plan.meets("pantau", person=NEXT, key="once")
        again = await plan.meets("pantau", person=NEXT, key="once")
        await plan.meets("simpulkan", person=NEXT)
        await plan.gives(ClosePlan(ending=PlanState.COMPLETED), NEXT)
        assert await plan.handle.result() == PlanState.COMPLETED

    assert (receipt.revision, receipt.projected, in_time) == (1, True, 2)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == Reason.WRONG_STAGE
    assert again.revision == 4
    last = memory.plans[-1]
    assert (last.plan.state, last.task) == (PlanState.COMPLETED, None)
    told = [(event.kind, event.actor) for event in last.plan.events]
    assert told == [
        ("CHECKED_IN", SUPERVISOR),
        ("STEP_LATE", "system:clock"),
        ("HANDED_OVER", "system:clock"),
        ("CHECKED_IN", NEXT),
        ("CHECKED_IN", NEXT),
        ("CLOSED", NEXT),
    ]


async def test_decisions_go_on_while_the_store_is_away_and_a_changed_result_ends_a_plan(
    client: Client,
) -> None:
    memory = Memory()
    async with worker_of(client, memory, workflows=(EvaluationWorkflow, ImprovementPlanWorkflow)):
        desk = await Desk.open(client, at_once(pack="permenpan-6-2022"))
        await rated(desk, Level.BELOW)
        await desk.outcome()
        plan = await opened(client, memory, memory.drawn[0])
        memory.away = True
        behind = await plan.meets("sepakat")
        memory.away = False
        await eventually(lambda: is_stored(memory, 1))
        plans = PlansOnTemporal(client)
        await plans.supersede(desk.key, "perbaikan", "changed")
        assert await plan.handle.result() == PlanState.SUPERSEDED
        await plans.supersede(desk.key, "perbaikan", "changed again")

    assert (behind.projected, memory.plans[-1].plan.closed_by) == (False, "system:clock")


async def opened(client: Client, memory: Memory, drawn: Completed) -> Plan:
    """Open the plan that a result asks for, as the activity does; a second time opens none."""
    (rule,) = [each for each in drawn.rules if each.steps]
    found = open_plan(drawn.basis, rule)
    for _ in range(2):
        await PlansOnTemporal(client).open(found)
    handle = client.get_workflow_handle(
        names.improvement_workflow_id(found.key, found.code), result_type=str
    )
    await eventually(lambda: is_stored(memory, 0))
    return Plan(client, memory, handle)


async def is_stored(memory: Memory, revision: int) -> bool:
    return any(each.plan.revision == revision for each in memory.plans)


async def is_held_by(memory: Memory, person: PersonId) -> bool:
    task = memory.plans[-1].task
    return task is not None and (task.holder, task.flagged) == (person, True)
