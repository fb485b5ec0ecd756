"""Reminders and notices: short workflows that schedules start; the ledger makes them repeatable."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, Value
from siklus.workflows.ports import reminders as ports

PLANNING = timedelta(minutes=15)
"""For a million open tasks, page by page."""
PLANNING_HEARTBEAT = timedelta(minutes=1)
PLANNING_AT_MOST = timedelta(hours=6)
"""A store that is away in the morning; tomorrow's run makes good what is left after that."""
DELIVERY_AT_MOST = timedelta(minutes=30)
"""A mail server that is away: then the run fails, to be seen, and the next one takes over."""
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=2),
)
PAGES_IN_A_RUN = 500
"""Then the workflow continues as new, long before its history grows too long."""


class Reminded(Value):
    """What a run did: planned notices, and mails to people."""

    working_day: bool
    notices: int = 0
    mails: int = 0
    failed: int = 0


class Sent(Value):
    """What a delivery run did."""

    mails: int = 0
    failed: int = 0
    more: bool = False
    """The run stopped early; another one goes on."""


@workflow.defn(name="ReminderWorkflow")
class ReminderWorkflow:
    """Plan a day's reminders of one agency and zone, then send one digest to each person."""

    @workflow.run
    async def run(self, run: ports.ReminderRun) -> Reminded:
        """End at once where nobody works; repeating the run of a day changes nothing."""
        planned = await workflow.execute_activity(
            ports.plan_reminders,
            run,
            task_queue=names.NOTICE_QUEUE,
            start_to_close_timeout=PLANNING,
            heartbeat_timeout=PLANNING_HEARTBEAT,
            schedule_to_close_timeout=PLANNING_AT_MOST,
            retry_policy=RETRY,
        )
        if not planned.working_day:
            return Reminded(working_day=False)
        sent = await _deliver(run.agency)
        if sent.more:
            workflow.continue_as_new(run)
        return Reminded(
            working_day=True, notices=planned.notices, mails=sent.mails, failed=sent.failed
        )


@workflow.defn(name="NoticeWorkflow")
class NoticeWorkflow:
    """Send what waits in one agency's ledger: event notices, and mails whose next try has come."""

    @workflow.run
    async def run(self, agency: AgencyId) -> Sent:
        """Deliver page by page until nothing waits."""
        sent = await _deliver(agency)
        if sent.more:
            workflow.continue_as_new(agency)
        return sent


async def _deliver(agency: AgencyId) -> Sent:
    sent = Sent(more=True)
    for _ in range(PAGES_IN_A_RUN):
        page = await workflow.execute_activity(
            ports.deliver_page,
            ports.DeliveryPage(agency=agency),
            task_queue=names.NOTICE_QUEUE,
            start_to_close_timeout=ports.DELIVERY_PAGE,
            schedule_to_close_timeout=DELIVERY_AT_MOST,
            retry_policy=RETRY,
        )
        sent = Sent(mails=sent.mails + page.mails, failed=sent.failed + page.failed, more=page.more)
        if not page.more:
            break
    return sent
