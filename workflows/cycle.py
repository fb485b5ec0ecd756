"""The launch of a cycle: freeze the cohort, then start its evaluations page by page."""

from datetime import timedelta

from temporalio import workflow

from siklus.workflows import names, ports
from siklus.workflows.domain.values import PersonId, Value

PAGES_A_RUN = 200
"""Pages before the launch continues as a new run: six history events each."""


class Launch(Value):
    """Which cycle to launch, and how far an earlier run came."""

    cohort: ports.CohortRef
    page_size: int = 200
    cursor: PersonId | None = None
    frozen: bool = False


@workflow.defn(name="CycleWorkflow")
class CycleWorkflow:
    """Starts every evaluation of a cohort exactly once, however often it is interrupted."""

    @workflow.run
    async def run(self, launch: Launch) -> None:
        """Freeze, start page after page, and mark the cycle as launched."""
        cohort = launch.cohort
        if not launch.frozen:
            await workflow.execute_activity(
                ports.freeze_cohort,
                cohort,
                start_to_close_timeout=ports.PAGE,
                heartbeat_timeout=ports.HEARTBEAT,
            )
        cursor = launch.cursor
        for _ in range(PAGES_A_RUN):
            page = ports.CohortPage(
                agency=cohort.agency, cycle=cohort.cycle, after=cursor, size=launch.page_size
            )
            outcome = await workflow.execute_activity(
                ports.start_page,
                page,
                task_queue=names.COHORT_QUEUE,
                start_to_close_timeout=ports.PAGE,
                heartbeat_timeout=ports.HEARTBEAT,
            )
            cursor = outcome.cursor
            if cursor is None:
                await workflow.execute_activity(
                    ports.finish_launch, cohort, start_to_close_timeout=timedelta(seconds=30)
                )
                return
        workflow.continue_as_new(launch.model_copy(update={"cursor": cursor, "frozen": True}))
