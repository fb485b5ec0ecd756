"""The launch of a cycle: freeze the cohort, then start its evaluations page by page.

While it runs it can be paused, resumed, slowed down, sped up and called off. Late joiners are
started by the same pages: whoever adds them signals that somebody waits.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from siklus.workflows import names
from siklus.workflows.domain.values import PersonId, Value
from siklus.workflows.ports import cycle as ports
from siklus.workflows.ports import limits

PAGES_A_RUN = 200
"""Pages before the launch continues as a new run: six history events each."""
PAGE_SECONDS = 5
"""A page of a slow launch is at most that many seconds' worth, so that a pause comes soon."""
NOTE = timedelta(seconds=10)
LAST_WORD = "cancelling-is-the-last-word"
"""Histories from before it began a launch again that was called off after somebody was added."""
OVER = "LAUNCH_OVER"
"""The type of the failure of an Update that comes when nobody is left to start."""


class Launch(Value):
    """Which cycle to launch, and how far an earlier run came."""

    cohort: ports.CohortRef
    page_size: int = 200
    cursor: PersonId | None = None
    frozen: bool = False
    pace: int = 0
    """Evaluations started a second at most; 0 is as fast as can be."""
    paused: bool = False
    cancelled: bool = False
    asked: bool = False
    """Whether somebody was added, or a launch asked for, behind the cursor."""


class Pace(Value):
    """How many evaluations to start a second at most; 0 is as fast as can be."""

    pace: int


class Waiting(Value):
    """Somebody waits to be started. A pace counts for a launch that was cancelled."""

    pace: int = 0
    joining: bool = False
    """They were added to a launch under way; one that is called off is not begun again for them."""


@workflow.defn(name="CycleWorkflow")
class CycleWorkflow:
    """Starts every evaluation of a cohort exactly once, however often it is interrupted."""

    @workflow.init
    def __init__(self, launch: Launch) -> None:
        self._cohort = launch.cohort
        self._pace = launch.pace
        self._paused = launch.paused
        self._cancelled = launch.cancelled
        self._asked = launch.asked
        self._over = False
        self._noting = asyncio.Lock()

    @workflow.run
    async def run(self, launch: Launch) -> None:
        """Freeze, start page after page, and mark the cycle as launched or as cancelled."""
        frozen, cursor, pages = launch.frozen, launch.cursor, 0
        while True:
            if not frozen:
                # Whoever waits by now is met by the pages.
                self._asked = False
                await self._freeze()
                cursor = None
            while await self._may_go_on():
                if pages == PAGES_A_RUN:
                    await workflow.wait_condition(workflow.all_handlers_finished)
                    workflow.continue_as_new(self._so_far(launch, cursor))
                pages += 1
                cursor = await self._start_page(launch, cursor)
                if cursor is None:
                    break
            await self._end()
            if not self._asked:
                return
            frozen = self._over = self._cancelled = False

    @workflow.signal(name="somebody_waits")
    def somebody_waits(self, waiting: Waiting) -> None:
        """Start whoever waits, once the pages under way are done."""
        if self._cancelled and waiting.joining:
            # They are on record as waiting, so they are called off with everybody else who waits.
            return
        self._asked = True
        if self._cancelled:
            self._pace, self._paused = waiting.pace, False

    @workflow.update(name="pause")
    async def pause(self) -> None:
        """Begin no further page; answered when people can see it."""
        self._must_be_under_way()
        self._paused = True
        await self._note()

    @workflow.update(name="resume")
    async def resume(self) -> None:
        """Go on where the launch was paused."""
        self._must_be_under_way()
        self._paused = False
        await self._note()

    @workflow.update(name="set_pace")
    async def set_pace(self, wanted: Pace) -> None:
        """Start so many a second from the next page on."""
        self._must_be_under_way()
        self._pace = wanted.pace
        await self._note()

    @workflow.update(name="cancel")
    async def cancel(self) -> None:
        """Call the launch off: whoever is not started after the page under way never is."""
        if not self._cancelled:
            self._must_be_under_way()
        if workflow.patched(LAST_WORD):
            # Whoever was added, or asked for the launch again, did so before.
            self._asked = False
        self._cancelled = True
        await self._note()

    async def _freeze(self) -> None:
        await workflow.execute_activity(
            ports.freeze_cohort,
            self._cohort,
            start_to_close_timeout=limits.PAGE,
            heartbeat_timeout=limits.HEARTBEAT,
        )

    async def _may_go_on(self) -> bool:
        """Wait while the launch is paused; tell whether it was not called off."""
        await workflow.wait_condition(lambda: not self._paused or self._cancelled)
        return not self._cancelled

    async def _start_page(self, launch: Launch, cursor: PersonId | None) -> PersonId | None:
        size = launch.page_size
        page = ports.CohortPage(
            agency=self._cohort.agency,
            cycle=self._cohort.cycle,
            after=cursor,
            size=min(size, self._pace * PAGE_SECONDS) if self._pace else size,
            pace=self._pace,
        )
        outcome = await workflow.execute_activity(
            ports.start_page,
            page,
            task_queue=names.COHORT_QUEUE,
            start_to_close_timeout=limits.PAGE,
            heartbeat_timeout=limits.HEARTBEAT,
        )
        return outcome.cursor

    async def _end(self) -> None:
        self._over = True
        if self._cancelled and self._asked:
            # Asked for again before it was called off: whoever waits waits on.
            pass
        elif self._cancelled:
            async with self._noting:
                await workflow.execute_activity(
                    ports.cancel_launch, self._cohort, start_to_close_timeout=limits.PAGE
                )
        else:
            await workflow.execute_activity(
                ports.finish_launch, self._cohort, start_to_close_timeout=timedelta(seconds=30)
            )
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _must_be_under_way(self) -> None:
        if self._over or self._cancelled:
            raise ApplicationError("this launch is over", type=OVER, non_retryable=True)

    async def _note(self) -> None:
        """Write how the launch stands now; one note at a time, so that the last one stays."""
        async with self._noting:
            state = ports.LaunchState.LAUNCHING
            if self._cancelled:
                state = ports.LaunchState.CANCELLED
            elif self._paused:
                state = ports.LaunchState.PAUSED
            note = ports.LaunchNote(cohort=self._cohort, state=state, pace=self._pace)
            await workflow.execute_activity(
                ports.note_launch,
                note,
                task_queue=names.COHORT_QUEUE,
                start_to_close_timeout=NOTE,
                retry_policy=limits.PROJECTION_RETRY,
            )

    def _so_far(self, launch: Launch, cursor: PersonId | None) -> Launch:
        return launch.model_copy(
            update={
                "cursor": cursor,
                "frozen": True,
                "pace": self._pace,
                "paused": self._paused,
                "cancelled": self._cancelled,
                "asked": self._asked,
            }
        )
