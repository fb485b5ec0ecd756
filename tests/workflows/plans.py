"""A plan that runs, the people round it, and the stories of both that are recorded."""

import uuid
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowHistory

from siklus.activities.following import PlansOnTemporal
from siklus.services.local.virtual_time import VirtualTime
from siklus.workflows import names
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.outcomes.improvement import (
    ClosePlan,
    PlanOrder,
    PlanState,
    RecordCheckIn,
    StepResult,
    open_plan,
)
from siklus.workflows.domain.values import Level, PersonId
from siklus.workflows.following import PlanReceipt
from siklus.workflows.ports.following import Completed
from tests.workflows.desk import SECOND, SUPERVISOR, Desk, at_once, eventually, on_record
from tests.workflows.memory import Memory

EXCLUDE = c.Exclude(ground=c.ExclusionGround.OTHER, prose={"reason": "recorded"})


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


async def follows(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """What follows is drawn, and drawn anew after a reopening."""
    start = at_once(pack="permenpan-6-2022", person="p-follows")
    desk = await Desk.open(client, start)
    await rated(desk, Level.BELOW)
    await desk.outcome()
    runs = [await desk.now_running.fetch_history()]
    await desk.reopens(on_record(desk, memory))
    await rated(desk, Level.AT)
    await desk.outcome()
    return [*runs, await desk.now_running.fetch_history()]


def two_reopen(*, person: str | None = None) -> Start:
    """Return the start of an evaluation that one member of the team alone does not reopen."""
    start = at_once(pack="permenpan-6-2022", person=person)
    policy = start.terms.policy.model_copy(update={"reopen_needs_second_person": True})
    return start.model_copy(update={"terms": start.terms.model_copy(update={"policy": policy})})


async def called_off(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """A second person is asked for a reopening, reopens, and the evaluation is excluded."""
    desk = await Desk.open(client, two_reopen(person="p-called-off"))
    await rated(desk, Level.BELOW)
    await desk.outcome()
    await desk.reopens(on_record(desk, memory))
    await desk.outcome()
    runs = [await desk.now_running.fetch_history()]
    await desk.reopens(on_record(desk, memory), person=SECOND)
    await desk.team(EXCLUDE)
    await desk.outcome()
    return [*runs, await desk.now_running.fetch_history()]


async def improvement_plan(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """A plan is met, late with the store away, and closed."""
    desk = await Desk.open(client, at_once(pack="permenpan-6-2022", person="p-improves"))
    await rated(desk, Level.BELOW)
    await desk.outcome()
    plan = await opened(client, memory, memory.drawn[0])
    await plan.meets("sepakat")
    memory.away = True
    await plan.meets("pantau")
    memory.away = False
    await eventually(lambda: is_stored(memory, 2))
    due = memory.plans[-1].plan.steps[2].due
    await VirtualTime(client).forward_to(plan.handle.id, (due.due_at + timedelta(minutes=1)))
    await eventually(lambda: is_stored(memory, 3))
    await plan.meets("simpulkan")
    await plan.gives(ClosePlan(ending=PlanState.COMPLETED))
    await plan.handle.result()
    return [await plan.handle.fetch_history()]
