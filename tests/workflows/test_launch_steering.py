"""A launch that is paused, resumed, slowed down and called off: nobody lost, nobody twice."""

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

from siklus.services import launching
from siklus.workflows import cycle, names
from siklus.workflows.cycle import OVER, CycleWorkflow, Launch, Waiting
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId
from siklus.workflows.ports import cycle as ports
from siklus.workflows.ports.cycle import LaunchState
from tests.workflows.sandbox import workflow_runner

COHORT = ports.CohortRef(agency=AgencyId("a"), cycle=CycleId("c"))


@dataclass
class Office:
    """A cohort of memory: each page waits until the test lets it go."""

    waiting: list[str]
    pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    begun: asyncio.Queue[ports.CohortPage] = field(default_factory=asyncio.Queue)
    started: Counter[str] = field(default_factory=Counter)
    cancelled: list[str] = field(default_factory=list)
    notes: list[tuple[LaunchState, int]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    @activity.defn(name="freeze_cohort")
    async def freeze_cohort(self, cohort: ports.CohortRef) -> int:
        self.acts.append("freeze")
        self.waiting, self.cancelled = sorted(self.waiting + self.cancelled), []
        return len(self.waiting)

    @activity.defn(name="start_page")
    async def start_page(self, page: ports.CohortPage) -> ports.PageOutcome:
        self.begun.put_nowait(page)
        await self.pages.acquire()
        people = [each for each in self.waiting if each > (page.after or "")][: page.size]
        self.started.update(people)
        self.waiting = [each for each in self.waiting if each not in people]
        cursor = PersonId(people[-1]) if len(people) == page.size else None
        return ports.PageOutcome(started=len(people), already=0, cursor=cursor)

    @activity.defn(name="finish_launch")
    async def finish_launch(self, cohort: ports.CohortRef) -> None:
        self.acts.append("finish")

    @activity.defn(name="note_launch")
    async def note_launch(self, note: ports.LaunchNote) -> None:
        self.notes.append((note.state, note.pace))

    @activity.defn(name="cancel_launch")
    async def cancel_launch(self, cohort: ports.CohortRef) -> int:
        self.acts.append("cancel")
        self.waiting, self.cancelled = [], self.waiting
        return len(self.cancelled)

    def let_go(self, pages: int) -> None:
        for _ in range(pages):
            self.pages.release()


Handle = WorkflowHandle[CycleWorkflow, None]


@pytest.fixture
def office() -> Office:
    return Office([f"p{number:02}" for number in range(10)])


@pytest.fixture
async def queue(
    client: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """Serve launches on a queue of their own: other tests leave some that nobody serves."""
    monkeypatch.setattr(names, "COHORT_QUEUE", f"cohorts-{uuid4().hex}")
    activities: list[Any] = [
        office.freeze_cohort, office.start_page, office.finish_launch, office.note_launch,
        office.cancel_launch,
    ]  # fmt: skip
    async with Worker(
        client,
        task_queue=names.COHORT_QUEUE,
        workflows=[CycleWorkflow],
        activities=activities,
        workflow_runner=workflow_runner(),
    ):
        yield names.COHORT_QUEUE


async def launched(client: Client, queue: str, **more: Any) -> Handle:
    return await client.start_workflow(
        CycleWorkflow.run,
        Launch(cohort=COHORT, page_size=2, **more),
        id=f"cycle/a/{uuid4().hex}",
        task_queue=queue,
        start_signal="somebody_waits",
        start_signal_args=[Waiting()],
    )


def once_each(office: Office) -> bool:
    return set(office.started.values()) == {1}


async def test_a_pause_holds_the_next_page_and_a_resume_goes_on_there(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue)
    await office.begun.get()

    await launching.paused(handle)
    office.let_go(20)
    assert office.notes == [(LaunchState.PAUSED, 0)]
    await launching.paused(handle)
    # A page that had begun is finished; the next one waits.
    assert office.begun.empty()

    await launching.resumed(handle)
    await handle.result()

    assert office.notes[-1] == (LaunchState.LAUNCHING, 0)
    assert len(office.started) == 10
    assert once_each(office)
    # The signal that the launch began with asked for nobody more.
    assert office.acts == ["freeze", "finish"]


async def test_a_pace_makes_pages_that_a_pause_need_not_wait_for_long(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue, pace=1)
    first = await office.begun.get()
    assert (first.pace, first.size) == (1, 2)

    await launching.paced(40)(handle)
    office.let_go(20)
    second = await office.begun.get()
    await handle.result()

    assert (second.pace, second.size) == (40, 2)
    assert office.notes == [(LaunchState.LAUNCHING, 40)]
    assert once_each(office)


async def test_whoever_is_not_started_when_a_launch_is_called_off_stays_so(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue)
    await office.begun.get()
    await launching.paused(handle)

    await launching.cancelled(handle)
    office.let_go(1)
    await handle.result()

    assert sorted(office.started) == ["p00", "p01"]
    assert office.cancelled == [f"p{number:02}" for number in range(2, 10)]
    assert office.acts == ["freeze", "cancel"]
    assert office.notes[-1][0] is LaunchState.CANCELLED


async def test_a_launch_that_is_asked_for_again_meets_one_that_is_being_called_off(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue)
    await office.begun.get()
    await launching.cancelled(handle)
    await handle.signal(CycleWorkflow.somebody_waits, Waiting(pace=7))
    office.let_go(20)

    await handle.result()

    assert office.acts == ["freeze", "freeze", "finish"]
    assert len(office.started) == 10
    assert once_each(office)
    pages = [office.begun.get_nowait() for _ in range(office.begun.qsize())]
    assert {page.pace for page in pages} == {7}


async def test_whoever_was_added_does_not_begin_a_launch_again_that_is_called_off(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue)
    await office.begun.get()
    await handle.signal(CycleWorkflow.somebody_waits, Waiting(joining=True))

    await launching.cancelled(handle)
    # The word of an addition may come late.
    await handle.signal(CycleWorkflow.somebody_waits, Waiting(pace=7, joining=True))
    office.let_go(20)
    await handle.result()

    assert sorted(office.started) == ["p00", "p01"]
    assert office.acts == ["freeze", "cancel"]


async def test_a_launch_that_was_asked_for_again_can_be_called_off_again(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue)
    await office.begun.get()
    await launching.cancelled(handle)
    await handle.signal(CycleWorkflow.somebody_waits, Waiting())

    await launching.cancelled(handle)
    office.let_go(20)
    await handle.result()

    assert office.acts == ["freeze", "cancel"]


async def test_whoever_is_added_behind_the_page_is_started_in_another_round(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue)
    office.let_go(20)
    for _ in range(5):
        await office.begun.get()
    office.waiting.append("a-late-joiner")
    await handle.signal(CycleWorkflow.somebody_waits, Waiting())

    await handle.result()

    assert office.started["a-late-joiner"] == 1
    assert once_each(office)


async def test_a_new_run_takes_pace_and_pause_along(
    client: Client, office: Office, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cycle, "PAGES_A_RUN", 3)
    handle = await launched(client, queue, pace=1)
    await office.begun.get()
    await launching.paced(3)(handle)
    await launching.paused(handle)
    first = (await handle.describe()).run_id
    office.let_go(20)

    of_any_run = client.get_workflow_handle_for(CycleWorkflow.run, handle.id)
    await launching.resumed(of_any_run)
    await of_any_run.result()

    assert (await of_any_run.describe()).run_id != first
    pages = [office.begun.get_nowait() for _ in range(office.begun.qsize())]
    assert {page.pace for page in pages} == {3}
    assert office.acts == ["freeze", "finish"]
    assert len(office.started) == 10
    assert once_each(office)


async def test_a_launch_that_was_called_off_is_not_steered(
    client: Client, office: Office, queue: str
) -> None:
    handle = await launched(client, queue)
    await office.begun.get()
    await launching.cancelled(handle)
    await launching.cancelled(handle)

    with pytest.raises(WorkflowUpdateFailedError) as told:
        await launching.resumed(handle)

    assert isinstance(told.value.cause, ApplicationError)
    assert told.value.cause.type == OVER
    office.let_go(20)
    await handle.result()
