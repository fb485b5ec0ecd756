"""A workflow started by an ordinary client moves exactly, and only when it is moved."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from siklus.services.local.temporal import LocalTemporal
from siklus.services.local.virtual_time import VirtualTime

pytestmark = pytest.mark.alone
"""A worker that gets no processor time lets the server's clock run ahead of it."""

QUEUE = "virtual-time"
DAY = timedelta(days=1)
SLACK = timedelta(seconds=30)


@workflow.defn(name="Reminds", sandboxed=False)
class Reminds:
    """Notes the instant of each daily reminder; a new run begins after every third.

    Like an evaluation it waits for instants, not for spans.
    """

    def __init__(self) -> None:
        self.noted: list[datetime] = []

    @workflow.run
    async def run(self, noted: list[str], days: int, began: str | None = None) -> list[str]:
        self.noted = [datetime.fromisoformat(each) for each in noted]
        first = datetime.fromisoformat(began) if began else workflow.now()
        while len(self.noted) < days:
            due_at = first + (len(self.noted) + 1) * DAY
            await workflow.sleep(max(due_at - workflow.now(), timedelta()))
            self.noted.append(workflow.now())
            if len(self.noted) % 3 == 0 and len(self.noted) < days:
                carried = [[str(each) for each in self.noted], days, str(first)]
                workflow.continue_as_new(args=carried)
        return [str(each) for each in self.noted]

    @workflow.query
    def count(self) -> int:
        return len(self.noted)

    @workflow.query
    def now(self) -> datetime:
        return workflow.now()


@pytest.fixture(scope="module")
async def client(temporal_server: LocalTemporal) -> AsyncIterator[Client]:
    client = await Client.connect(temporal_server.address)
    async with Worker(client, task_queue=QUEUE, workflows=[Reminds]):
        yield client


async def start(client: Client, days: int) -> WorkflowHandle[Reminds, list[str]]:
    """Start one and wait for its first task, which notes from when it counts."""
    handle = await client.start_workflow(
        Reminds.run, args=[[], days], id=f"reminds-{uuid.uuid4()}", task_queue=QUEUE
    )
    await has_noted(handle, 0)
    return handle


async def test_an_idle_workflow_does_not_run_away(client: Client) -> None:
    moved, left_alone = await start(client, 30), await start(client, 30)
    time = VirtualTime(client)

    assert await time.fast_forward(moved, 2 * DAY + DAY / 2)

    assert await moved.query(Reminds.count) == 2
    assert await left_alone.query(Reminds.count) == 0
    # From there it walks with the wall's, and nothing draws it to the next timer.
    settled = await time.now(moved)
    await ticks_past(settled + timedelta(milliseconds=300), lambda: time.now(moved))
    assert await moved.query(Reminds.count) == 2
    assert abs(settled - (datetime.now(UTC) + 2 * DAY + DAY / 2)) < SLACK
    assert abs(await time.now(left_alone) - datetime.now(UTC)) < SLACK


async def test_misses_nothing_across_runs_and_comes_to_nothing_early(client: Client) -> None:
    handle = await start(client, 8)
    started = datetime.now(UTC)
    time = VirtualTime(client)

    for day in range(1, 4):
        assert await time.fast_forward(handle, DAY)
        # The clock has arrived, the task that the timer made may be still on its way.
        await has_noted(client.get_workflow_handle(handle.id), day)
    assert await time.forward_to(handle.id, started + 7 * DAY + DAY / 2)
    await has_noted(client.get_workflow_handle(handle.id), 7)
    await time.fast_forward(handle.id, DAY)

    late = [
        datetime.fromisoformat(each) - (started + day * DAY)
        for day, each in enumerate(await handle.result(), start=1)
    ]
    assert len(late) == 8
    # A task that a timer made sees the clock of when a worker takes it up: that may have moved on.
    assert all(-SLACK < each < 6 * DAY for each in late)
    assert abs(late[-1]) < SLACK


async def has_noted(newest: WorkflowHandle[Any, Any], reminders: int) -> None:
    """Wait until the newest run has come so far; a run that has just begun cannot be asked."""
    deadline, count = monotonic() + 20, 0
    while count != reminders:
        assert monotonic() < deadline, f"the newest run is at {count}"
        await asyncio.sleep(0.02)
        with suppress(RPCError):
            count = await newest.query(Reminds.count)


async def test_forwarding_a_workflow_that_ends_on_the_way_says_so(client: Client) -> None:
    handle = await start(client, 1)

    assert await VirtualTime(client).fast_forward(handle, 5 * DAY) is False
    assert len(await handle.result()) == 1


async def test_forward_to_an_instant(client: Client) -> None:
    handle = await start(client, 30)
    time = VirtualTime(client)
    next_year = datetime.now(UTC) + 10 * DAY + DAY / 2

    assert await time.forward_to(handle, next_year)
    assert await time.forward_to(handle, next_year - DAY)

    assert abs(await time.now(handle) - next_year) < SLACK


async def ticks_past(instant: datetime, read: Callable[[], Awaitable[datetime]]) -> None:
    """Wait until a clock that runs at the wall's pace has left `instant` behind."""
    deadline = monotonic() + 10
    while await read() <= instant:
        assert monotonic() < deadline, "the clock stands still"
        await asyncio.sleep(0.02)
