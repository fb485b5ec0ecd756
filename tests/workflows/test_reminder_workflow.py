"""The reminder run and the delivery run on the real server, and the schedules that start them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, ScheduleHandle, ScheduleOverlapPolicy, ScheduleRange
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from siklus.activities.schedules import CATCH_UP, NOTICES_EVERY, UPKEEP_EVERY, ensure_schedules
from siklus.workflows import names, reminders
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import reminders as ports
from siklus.workflows.reminders import NoticeWorkflow, Reminded, ReminderWorkflow, Sent
from tests.workflows.sandbox import workflow_runner

NOBODY = ports.Delivered(people=0, mails=0, failed=0, more=False)
FULL_PAGE = ports.Delivered(people=100, mails=99, failed=1, more=True)
PLANNED = ports.Planned(working_day=True, notices=107)
LAST_PAGE = ports.Delivered(people=7, mails=7, failed=0, more=False)


@dataclass
class Post:
    """Activities of memory: hand out what was laid down, and keep what they were asked."""

    planned: ports.Planned = PLANNED
    pages: list[ports.Delivered | ApplicationError] = field(default_factory=list)
    runs: list[ports.ReminderRun] = field(default_factory=list)
    asked: list[ports.DeliveryPage] = field(default_factory=list)
    delivered: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name="plan_reminders")
    async def plan_reminders(self, run: ports.ReminderRun) -> ports.Planned:
        self.runs.append(run)
        return self.planned

    @activity.defn(name="deliver_page")
    async def deliver_page(self, page: ports.DeliveryPage) -> ports.Delivered:
        self.asked.append(page)
        self.delivered.set()
        answer = self.pages.pop(0) if self.pages else NOBODY
        if isinstance(answer, ApplicationError):
            raise answer
        return answer


@pytest.fixture
def agency() -> AgencyId:
    return AgencyId(f"a-{uuid4().hex[:12]}")


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def notices(client: Client, post: Post) -> AsyncIterator[Worker]:
    """A worker of the notice queue that replays at every task."""
    async with worker_of(client, post) as worker:
        yield worker


def worker_of(client: Client, post: Post, *, sandboxed: bool = True) -> Worker:
    return Worker(
        client,
        task_queue=names.NOTICE_QUEUE,
        workflows=[ReminderWorkflow, NoticeWorkflow],
        activities=[post.plan_reminders, post.deliver_page],
        workflow_runner=workflow_runner() if sandboxed else UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
    )


async def remind(client: Client, run: ports.ReminderRun) -> Reminded:
    return await client.execute_workflow(
        ReminderWorkflow.run, run, id=f"remind/{run.agency}", task_queue=names.NOTICE_QUEUE
    )


async def send(client: Client, agency: AgencyId) -> Sent:
    return await client.execute_workflow(
        NoticeWorkflow.run, agency, id=f"send/{agency}", task_queue=names.NOTICE_QUEUE
    )


async def test_a_run_plans_and_then_delivers_page_by_page(
    client: Client, notices: Worker, post: Post, agency: AgencyId
) -> None:
    post.pages = [FULL_PAGE, LAST_PAGE]
    run = ports.ReminderRun(agency=agency, zone="Asia/Jakarta", as_of=date(2026, 1, 30))

    done = await remind(client, run)

    assert done == Reminded(working_day=True, notices=107, mails=106, failed=1)
    assert post.runs == [run]
    assert post.asked == [ports.DeliveryPage(agency=agency)] * 2


async def test_a_run_ends_at_once_when_nobody_works(
    client: Client, notices: Worker, post: Post, agency: AgencyId
) -> None:
    post.planned = ports.Planned(working_day=False, notices=0)

    done = await remind(client, ports.ReminderRun(agency=agency, zone="Asia/Jakarta"))

    assert done == Reminded(working_day=False)
    assert post.asked == []


async def test_a_mail_server_that_is_away_is_tried_again(
    client: Client, notices: Worker, post: Post, agency: AgencyId
) -> None:
    away = ApplicationError(
        "away", type="MAIL_SERVER_AWAY", next_retry_delay=timedelta(milliseconds=1)
    )
    post.pages = [away, away, LAST_PAGE]

    assert await send(client, agency) == Sent(mails=7)
    assert len(post.asked) == 3


async def test_a_long_delivery_goes_on_in_another_run(
    client: Client, post: Post, agency: AgencyId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "PAGES_IN_A_RUN", 2)
    post.pages = [FULL_PAGE, FULL_PAGE, FULL_PAGE, LAST_PAGE]

    # Outside the sandbox, which would read the constant anew.
    async with worker_of(client, post, sandboxed=False):
        assert await send(client, agency) == Sent(mails=106, failed=1)

    assert len(post.asked) == 4


async def test_schedules_are_made_once_and_left_alone(client: Client, agency: AgencyId) -> None:
    zones = ["Asia/Jakarta", "Asia/Jayapura"]
    await ensure_schedules(client, agency, zones)
    handles = schedules(client, agency, zones)
    try:
        await handles[0].pause(note="by an operator")
        await ensure_schedules(client, agency, [*zones, *zones])

        assert (await handles[0].describe()).schedule.state.paused
        for handle, zone in zip(handles[1:], zones, strict=True):
            schedule = (await handle.describe()).schedule
            assert schedule.spec.time_zone_name == zone
            (at,) = schedule.spec.calendars
            assert list(at.hour) == [ScheduleRange(8, 8)]
            assert [*at.minute, *at.second] == [ScheduleRange(0)] * 2
            assert list(at.day_of_week) == [ScheduleRange(0, 6)]
            assert schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
            assert schedule.policy.catchup_window == CATCH_UP
        (every,) = (await handles[0].describe()).schedule.spec.intervals
        assert every.every == NOTICES_EVERY
        upkeep = client.get_schedule_handle(names.upkeep_schedule_id(agency))
        (hourly,) = (await upkeep.describe()).schedule.spec.intervals
        assert hourly.every == UPKEEP_EVERY
    finally:
        await forget(client, agency, handles)


async def test_a_schedule_starts_its_run(
    client: Client, notices: Worker, post: Post, agency: AgencyId
) -> None:
    await ensure_schedules(client, agency, ["Asia/Makassar"])
    handles = schedules(client, agency, ["Asia/Makassar"])
    try:
        for handle in handles:
            post.delivered.clear()
            await handle.trigger()
            await asyncio.wait_for(post.delivered.wait(), 30)
    finally:
        await forget(client, agency, handles)

    assert post.runs == [ports.ReminderRun(agency=agency, zone="Asia/Makassar")]
    assert {page.agency for page in post.asked} == {agency}


async def forget(client: Client, agency: AgencyId, handles: list[ScheduleHandle]) -> None:
    """Delete an agency's schedules, so that none starts runs for other tests to meet."""
    for handle in (*handles, client.get_schedule_handle(names.upkeep_schedule_id(agency))):
        await handle.delete()


def schedules(client: Client, agency: AgencyId, zones: list[str]) -> list[ScheduleHandle]:
    ids = [names.notices_schedule_id(agency)]
    ids += [names.reminders_schedule_id(agency, zone) for zone in zones]
    return [client.get_schedule_handle(each) for each in ids]
