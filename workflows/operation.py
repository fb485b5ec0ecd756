"""One act on many evaluations: freeze the list, then give each its turn, page by page.

While it runs it can be paused, resumed and called off. What each evaluation decides is its own: the
pages only bring the command and keep the answer.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from siklus.workflows import names
from siklus.workflows.domain.values import Value
from siklus.workflows.ports import limits
from siklus.workflows.ports import operation as ports

PAGES_A_RUN = 200
"""Pages before the operation continues as a new run: six history events each."""
PAGE_SECONDS = 5
"""A page of a slow operation is at most that many seconds' worth, so that a pause comes soon."""
NOTE = timedelta(seconds=10)
OVER = "OPERATION_OVER"
"""The type of the failure of an Update that comes when there are no more turns."""


class Undertaking(Value):
    """Which operation to do, and how far an earlier run came."""

    ref: ports.OperationRef
    page_size: int = 200
    pace: int = 0
    """Evaluations at most a second; 0 is as fast as can be."""
    frozen: bool = False
    cursor: ports.OperationTurn | None = None
    paused: bool = False


@workflow.defn(name="OperationWorkflow")
class OperationWorkflow:
    """Gives every evaluation of a list its turn, however often it is interrupted."""

    @workflow.init
    def __init__(self, undertaking: Undertaking) -> None:
        self._ref = undertaking.ref
        self._paused = undertaking.paused
        self._cancelled = False
        self._over = False
        self._noting = asyncio.Lock()

    @workflow.run
    async def run(self, undertaking: Undertaking) -> None:
        """Freeze, take page after page, and mark the operation as done or as called off."""
        if not undertaking.frozen:
            await workflow.execute_activity(
                ports.freeze_operation,
                self._ref,
                task_queue=names.COHORT_QUEUE,
                start_to_close_timeout=limits.PAGE,
                heartbeat_timeout=limits.HEARTBEAT,
            )
        cursor, pages = undertaking.cursor, 0
        while await self._may_go_on():
            if pages == PAGES_A_RUN:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._cancelled:
                    break
                workflow.continue_as_new(self._so_far(undertaking, cursor))
            pages += 1
            cursor = await self._take_turns(undertaking, cursor)
            if cursor is None:
                break
        await self._end()

    @workflow.update(name="pause")
    async def pause(self) -> None:
        """Begin no further page; answered when people can see it."""
        self._must_be_under_way()
        self._paused = True
        await self._note()

    @workflow.update(name="resume")
    async def resume(self) -> None:
        """Go on where the operation was paused."""
        self._must_be_under_way()
        self._paused = False
        await self._note()

    @workflow.update(name="cancel")
    async def cancel(self) -> None:
        """Call the operation off: whoever has no turn after the page under way never has one."""
        if not self._cancelled:
            self._must_be_under_way()
        self._cancelled = True
        await self._note()

    async def _may_go_on(self) -> bool:
        """Wait while the operation is paused; tell whether it was not called off."""
        await workflow.wait_condition(lambda: not self._paused or self._cancelled)
        return not self._cancelled

    async def _take_turns(
        self, undertaking: Undertaking, cursor: ports.OperationTurn | None
    ) -> ports.OperationTurn | None:
        size, pace = undertaking.page_size, undertaking.pace
        page = ports.OperationPage(
            ref=self._ref,
            after=cursor,
            size=min(size, pace * PAGE_SECONDS) if pace else size,
            pace=pace,
        )
        taken = await workflow.execute_activity(
            ports.take_turns,
            page,
            task_queue=names.COHORT_QUEUE,
            start_to_close_timeout=limits.PAGE,
            heartbeat_timeout=limits.HEARTBEAT,
        )
        return taken.cursor

    async def _end(self) -> None:
        """Note the end; called off behind the last page, there is nothing left to call off."""
        async with self._noting:
            await workflow.execute_activity(
                ports.finish_operation,
                ports.OperationEnd(ref=self._ref, cancelled=self._cancelled),
                task_queue=names.COHORT_QUEUE,
                start_to_close_timeout=limits.PAGE,
            )
            self._over = True
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _must_be_under_way(self) -> None:
        if self._over or self._cancelled:
            raise ApplicationError("this operation is over", type=OVER, non_retryable=True)

    async def _note(self) -> None:
        """Write how the operation stands now; one note at a time, so that the last one stays."""
        async with self._noting:
            if self._over:
                return
            await workflow.execute_activity(
                ports.note_operation,
                ports.OperationNote(ref=self._ref, paused=self._paused, cancelled=self._cancelled),
                task_queue=names.COHORT_QUEUE,
                start_to_close_timeout=NOTE,
                retry_policy=limits.PROJECTION_RETRY,
            )

    def _so_far(self, undertaking: Undertaking, cursor: ports.OperationTurn | None) -> Undertaking:
        so_far = {"cursor": cursor, "frozen": True, "paused": self._paused}
        return undertaking.model_copy(update=so_far)
