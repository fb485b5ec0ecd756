"""A store that is away delays reads, never decisions."""

import asyncio
from time import monotonic

import pytest
from temporalio.client import Client

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.evolve import begin, fold
from siklus.workflows.domain.stages import Stage
from tests.domain.story import make_plan
from tests.workflows.desk import Desk, eventually
from tests.workflows.memory import Memory

pytestmark = [
    pytest.mark.filterwarnings("error::temporalio.workflow.UnfinishedUpdateHandlersWarning"),
    pytest.mark.usefixtures("worker"),
]

PLAN = c.SubmitPlan(**make_plan())
NOTE = c.AddExpectation(prose={"expectation": "ten minutes"})
FIRST_ANSWER, NEXT_ANSWER = 1.5, 0.5
"""Seconds; the first command finds out that the store is away."""


@pytest.mark.parametrize("how", ["refuses", "hangs"])
async def test_commands_are_answered_and_recorded_later(
    client: Client, memory: Memory, how: str
) -> None:
    desk = await Desk.open(client)
    await desk.is_idle()
    go_away(memory, how)

    began = monotonic()
    receipts = [await desk.employee(PLAN)]
    assert monotonic() - began < FIRST_ANSWER
    for _ in range(5):
        began = monotonic()
        receipts.append(await desk.supervisor(NOTE))
        assert monotonic() - began < NEXT_ANSWER
    assert memory.numbers(desk.key) == [1]
    assert [receipt.projected for receipt in receipts] == [False] * 6
    assert [receipt.revision for receipt in receipts] == list(range(2, 8))
    come_back(memory)
    await recorded(memory, desk, 7)

    assert memory.numbers(desk.key) == list(range(1, 8))
    assert fold(begin(desk.start), memory.entries(desk.key)).revision == 7
    texts = [text for page in memory.projections[str(desk.key)] for text in page.texts]
    assert len({text.digest for text in texts}) == 2
    assert (await desk.supervisor(NOTE)).projected


@pytest.mark.usefixtures("phase_ends_with_the_plan")
async def test_a_repeat_says_whether_the_record_has_caught_up(
    client: Client, memory: Memory
) -> None:
    desk = await Desk.open(client)
    await desk.is_idle()
    memory.away = True
    assert not (await desk.employee(PLAN, key="k-1")).projected

    memory.away = False
    await recorded(memory, desk, 2)

    # The answer itself is remembered by Temporal for as long as the run lasts.
    assert not (await desk.employee(PLAN, key="k-1")).projected
    await desk.supervisor(c.ApprovePlan(), key="k-2")
    await desk.in_run(2)
    assert (await desk.employee(PLAN, key="k-1")).projected


async def test_an_evaluation_ends_when_its_end_is_on_record(client: Client, memory: Memory) -> None:
    desk = await Desk.open(client)
    await desk.is_idle()
    memory.away = True

    ended = await desk.team(c.Cancel(prose={"reason": "a mistake"}))
    assert (ended.stage, ended.projected) == (Stage.CANCELLED, False)
    reopening = asyncio.create_task(desk.team(c.Reopen(prose={"reason": "another"})))
    await asyncio.sleep(0.3)
    memory.away = False
    assert (await reopening).stage is Stage.PLAN
    await desk.team(c.Cancel(prose={"reason": "after all"}))

    async with asyncio.timeout(20):
        assert (await desk.outcome()).revision == 4
    assert memory.numbers(desk.key) == [1, 2, 3, 4]


async def test_what_the_clock_does_meanwhile_is_recorded_at_its_legal_instant(
    client: Client, memory: Memory
) -> None:
    desk = await Desk.open(client)
    await desk.employee(PLAN)
    await desk.is_idle()
    memory.away = True
    # Virtual time stands still as long as the projection is tried again.
    moving = asyncio.create_task(desk.at("03-02"))
    await desk.waits_for_the_store()

    began = monotonic()
    approved = await desk.supervisor(c.ApprovePlan())
    assert monotonic() - began < NEXT_ANSWER
    assert (approved.revision, approved.projected) == (4, False)
    memory.away = False
    assert await moving

    assert memory.numbers(desk.key) == [1, 2, 3, 4]
    escalated, decided = memory.entries(desk.key)[2:]
    assert escalated.event.kind == "task_escalated"
    assert escalated.occurred_at == desk.local("03-01 00:00")
    assert decided.event.kind == "plan_approved"


@pytest.mark.usefixtures("phase_ends_with_the_plan")
async def test_a_new_run_begins_with_an_empty_outbox(client: Client, memory: Memory) -> None:
    desk = await Desk.open(client)
    await desk.employee(PLAN)
    await desk.is_idle()
    memory.away = True

    await desk.supervisor(c.ApprovePlan())
    assert len([run async for run in desk.runs()]) == 1
    memory.away = False
    await desk.in_run(2)

    assert memory.numbers(desk.key) == [1, 2, 3]


def go_away(memory: Memory, how: str) -> None:
    if how == "refuses":
        memory.away = True
    else:
        memory.store_answers.clear()


def come_back(memory: Memory) -> None:
    memory.away = False
    memory.store_answers.set()


async def recorded(memory: Memory, desk: Desk, revision: int) -> None:
    """Wait until the store has everything up to a revision."""

    async def is_there() -> bool:
        return revision in memory.numbers(desk.key)

    await eventually(is_there)
