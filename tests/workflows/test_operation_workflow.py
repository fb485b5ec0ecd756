"""An operation that is paused, resumed, called off and continued: every turn once, none lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from siklus.services import operating
from siklus.workflows import names, operation
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId
from siklus.workflows.operation import OVER, OperationWorkflow, Undertaking
from siklus.workflows.ports import operation as ports
from tests.workflows.sandbox import workflow_runner

REF = ports.OperationRef(agency=AgencyId("a"), operation="op-1")


@dataclass
class Office:
    """A list of memory: each page waits until the test lets it go."""

    people: list[str] = field(default_factory=lambda: [f"p{number:02}" for number in range(10)])
    pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    begun: asyncio.Queue[ports.OperationPage] = field(default_factory=asyncio.Queue)
    turns: Counter[str] = field(default_factory=Counter)
    notes: list[tuple[bool, bool]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    @activity.defn(name="freeze_operation")
    async def freeze_operation(self, ref: ports.OperationRef) -> None:
        self.acts.append("freeze")

    @activity.defn(name="take_turns")
    async def take_turns(self, page: ports.OperationPage) -> ports.TurnsTaken:
        self.begun.put_nowait(page)
        await self.pages.acquire()
        after = page.after.person if page.after else ""
        people = [each for each in self.people if each > after][: page.size]
        self.turns.update(people)
        if len(people) < page.size:
            return ports.TurnsTaken(cursor=None)
        last = PersonId(people[-1])
        cursor = ports.OperationTurn(cycle=CycleId("c"), person=last, segment=1)
        return ports.TurnsTaken(cursor=cursor)

    @activity.defn(name="note_operation")
    async def note_operation(self, note: ports.OperationNote) -> None:
        self.notes.append((note.paused, note.cancelled))

    @activity.defn(name="finish_operation")
    async def finish_operation(self, end: ports.OperationEnd) -> None:
        self.acts.append("cancel" if end.cancelled else "finish")

    def let_go(self, pages: int) -> None:
        for _ in range(pages):
            self.pages.release()


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def queue(
    client: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """Serve operations on a queue of their own: other tests leave some that nobody serves."""
    monkeypatch.setattr(names, "COHORT_QUEUE", f"cohorts-{uuid4().hex}")
    activities: list[Any] = [
        office.freeze_operation, office.take_turns, office.note_operation, office.finish_operation,
    ]  # fmt: skip
    async with Worker(
        client,
        task_queue=names.COHORT_QUEUE,
        workflows=[OperationWorkflow],
        activities=activities,
        workflow_runner=workflow_runner(),
    ):
        yield names.COHORT_QUEUE


async def begun(client: Client, queue: str, **more: Any) -> WorkflowHandle[OperationWorkflow, None]:
    return await client.start_workflow(
        OperationWorkflow.run,
        Undertaking(ref=REF, page_size=2, **more),
        id=f"operation/a/{uuid4().hex}",
        task_queue=queue,
    )


async def test_a_pause_holds_the_next_page_and_a_resume_goes_on_there(
    client: Client, office: Office, queue: str
) -> None:
    handle = await begun(client, queue)
    await office.begun.get()

    await operating.paused(handle)
    office.let_go(20)
    await operating.paused(handle)
    assert office.begun.empty()
    assert office.notes == [(True, False)] * 2

    await operating.resumed(handle)
    await handle.result()

    assert office.notes[-1] == (False, False)
    assert (len(office.turns), set(office.turns.values())) == (10, {1})
    assert office.acts == ["freeze", "finish"]


async def test_whoever_had_no_turn_when_it_is_called_off_has_none(
    client: Client, office: Office, queue: str
) -> None:
    handle = await begun(client, queue)
    await office.begun.get()
    await operating.paused(handle)

    await operating.cancelled(handle)
    assert office.notes[-1] == (True, True)
    await operating.cancelled(handle)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await operating.resumed(handle)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == OVER
    office.let_go(1)
    await handle.result()

    assert sorted(office.turns) == ["p00", "p01"]
    assert office.acts == ["freeze", "cancel"]


async def test_a_long_operation_goes_on_in_a_new_run_where_it_was(
    client: Client, office: Office, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "PAGES_A_RUN", 2)
    handle = await begun(client, queue)
    first = await office.begun.get()
    office.let_go(20)
    await handle.result()

    assert first.after is None
    assert (len(office.turns), set(office.turns.values())) == (10, {1})
    assert office.acts == ["freeze", "finish"]
    runs = [run.run_id async for run in client.list_workflows(f"WorkflowId = '{handle.id}'")]
    assert len(runs) == 3


async def test_a_pace_makes_pages_that_a_pause_need_not_wait_for_long(
    client: Client, office: Office, queue: str
) -> None:
    handle = await client.start_workflow(
        OperationWorkflow.run,
        Undertaking(ref=REF, pace=3),
        id=f"operation/a/{uuid4().hex}",
        task_queue=queue,
    )
    page = await office.begun.get()
    office.let_go(20)
    await handle.result()

    assert (page.pace, page.size) == (3, 15)
