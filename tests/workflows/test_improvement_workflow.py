"""What follows from a result, by the real workflows: drawn at the end, and plans that run."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from siklus.activities import following
from siklus.activities.commanding import Unanswered
from siklus.activities.following import PlansOnTemporal
from siklus.services.local.virtual_time import VirtualTime
from siklus.workflows import names
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.outcomes.improvement import (
    ClosePlan,
    PlanState,
    SupersedePlan,
    open_plan,
)
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import EvaluationKey, Level, PersonId
from siklus.workflows.evaluation import EvaluationWorkflow
from siklus.workflows.improvement import ImprovementPlanWorkflow
from tests.store.follow import a_basis, the_rule
from tests.workflows.desk import EMPLOYEE, SUPERVISOR, Desk, at_once, eventually, on_record
from tests.workflows.memory import Memory, worker_of
from tests.workflows.plans import EXCLUDE, is_stored, opened, rated, two_reopen

NEXT = PersonId("p-7")
STEPS = ("sepakat", "pantau", "simpulkan")


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
        await plans.tell(desk.key, "perbaikan", SupersedePlan(), "changed")
        assert await plan.handle.result() == PlanState.SUPERSEDED
        await plans.tell(desk.key, "perbaikan", SupersedePlan(), "changed again")

    assert (behind.projected, memory.plans[-1].plan.closed_by) == (False, "system:clock")


async def test_a_plan_that_gives_no_answer_is_said_to_give_none(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "EVALUATION_QUEUE", f"nobody-{uuid4().hex}")
    key = EvaluationKey(agency="a", cycle="c", person=f"p-{uuid4().hex}", segment=1)
    basis = a_basis(key, datetime(2026, 3, 2, 2, tzinfo=UTC))
    plans = PlansOnTemporal(client)
    await plans.open(open_plan(basis, the_rule("perbaikan")))
    monkeypatch.setattr(following, "PATIENCE", timedelta(milliseconds=200))

    with pytest.raises(Unanswered):
        await plans.tell(key, "perbaikan", SupersedePlan(), "changed")


async def test_one_that_was_reopened_and_called_off_has_its_plans_ended(client: Client) -> None:
    """The recorded story `called-off` is of a run that left them running."""
    memory = Memory()
    async with worker_of(client, memory):
        desk = await Desk.open(client, at_once(pack="permenpan-6-2022"))
        await rated(desk, Level.BELOW)
        await desk.outcome()
        await desk.reopens(on_record(desk, memory))
        await desk.team(EXCLUDE)
        assert (await desk.outcome()).stage is Stage.EXCLUDED

    first, last = memory.drawn
    assert (bool(first.rules), last.rules) == (True, ())
    assert last.revision == memory.numbers(desk.key)[-1]


async def test_what_was_drawn_stands_while_a_reopening_waits_for_its_second_person(
    client: Client,
) -> None:
    memory = Memory()
    async with worker_of(client, memory):
        desk = await Desk.open(client, two_reopen())
        await rated(desk, Level.BELOW)
        await desk.outcome()
        await desk.reopens(on_record(desk, memory))
        assert (await desk.outcome()).stage is Stage.COMPLETED

    assert memory.kinds(desk.key)[-1] == "reopening_requested"
    assert len(memory.drawn) == 1


async def is_held_by(memory: Memory, person: PersonId) -> bool:
    task = memory.plans[-1].task
    return task is not None and (task.holder, task.flagged) == (person, True)
