"""People who move and leave: a change of the roster with all that follows, and hourly upkeep."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import limits
from siklus.workflows.ports import people as ports

SOON = timedelta(seconds=30)
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
)
"""Without end: what was begun in the roster is brought to every evaluation."""
UNLINKS = "unlinks-answers"
"""Patch: upkeep ends with parting what was said of somebody from whoever said it."""
PAGES_IN_A_RUN = 400
"""Then the workflow continues as new: six history events each."""


@workflow.defn(name="ChangeWorkflow")
class ChangeWorkflow:
    """Apply one change of the roster, then let every running evaluation follow."""

    @workflow.run
    async def run(self, ref: ports.ChangeRef) -> None:
        """Beginning again changes nothing: what each evaluation got is written down."""
        begun = await workflow.execute_activity(
            ports.begin_change,
            ref,
            task_queue=names.COHORT_QUEUE,
            start_to_close_timeout=limits.PAGE,
            retry_policy=RETRY,
        )
        if not begun:
            return
        pages = 0
        while await workflow.execute_activity(
            ports.change_page,
            ref,
            task_queue=names.COHORT_QUEUE,
            start_to_close_timeout=limits.PAGE,
            heartbeat_timeout=limits.HEARTBEAT,
            retry_policy=RETRY,
        ):
            pages += 1
            if pages == PAGES_IN_A_RUN:
                workflow.continue_as_new(ref)
        await workflow.execute_activity(
            ports.finish_change,
            ref,
            task_queue=names.COHORT_QUEUE,
            start_to_close_timeout=SOON,
            retry_policy=RETRY,
        )


@workflow.defn(name="UpkeepWorkflow")
class UpkeepWorkflow:
    """Begin the changes whose day has come, hand over what is held by whoever left, bring days off
    that became known, begin operations that were entered and never begun, and part what was said of
    somebody from whoever said it."""

    def __init__(self) -> None:
        self._relieved = 0

    @workflow.run
    async def run(self, agency: AgencyId) -> int:
        """Return how many evaluations were relieved; the next hour goes on after a failure.

        A duty that fails keeps no other from being done: the run fails when all had their turn.
        """
        failed: list[ActivityError] = []
        for duty in (self._start_changes, self._relieve, self._refresh, self._unlink):
            try:
                await duty(agency)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                failed.append(error)
        if failed:
            raise failed[0]
        return self._relieved

    async def _start_changes(self, agency: AgencyId) -> None:
        await workflow.execute_activity(
            ports.start_due_changes,
            agency,
            task_queue=names.COHORT_QUEUE,
            start_to_close_timeout=limits.PAGE,
            schedule_to_close_timeout=ports.UPKEEP_AT_MOST,
            retry_policy=RETRY,
        )

    async def _relieve(self, agency: AgencyId) -> None:
        page = ports.UpkeepPage(agency=agency)
        for _ in range(PAGES_IN_A_RUN):
            done = await workflow.execute_activity(
                ports.relieve_page,
                page,
                task_queue=names.COHORT_QUEUE,
                start_to_close_timeout=limits.PAGE,
                heartbeat_timeout=limits.HEARTBEAT,
                schedule_to_close_timeout=ports.UPKEEP_AT_MOST,
                retry_policy=RETRY,
            )
            self._relieved += done.handed_over
            if done.after is None:
                break
            page = page.model_copy(update={"after": done.after})

    async def _refresh(self, agency: AgencyId) -> None:
        await workflow.execute_activity(
            ports.refresh_calendars,
            agency,
            task_queue=names.COHORT_QUEUE,
            start_to_close_timeout=SOON,
            schedule_to_close_timeout=ports.UPKEEP_AT_MOST,
            retry_policy=RETRY,
        )

    async def _unlink(self, agency: AgencyId) -> None:
        if workflow.patched(UNLINKS):
            await workflow.execute_activity(
                ports.unlink_answers,
                agency,
                task_queue=names.COHORT_QUEUE,
                start_to_close_timeout=limits.PAGE,
                heartbeat_timeout=limits.HEARTBEAT,
                schedule_to_close_timeout=ports.UPKEEP_AT_MOST,
                retry_policy=RETRY,
            )
