"""All that a process needs to serve streams, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from siklus.activities.store.pool import Store
from siklus.services.clock import Clock
from siklus.services.feed.attendance import USUAL as USUAL_WATCHES
from siklus.services.feed.attendance import Attendance, WatchLimits
from siklus.services.feed.boards import Boards
from siklus.services.feed.hub import Hub
from siklus.services.feed.sequencer import Sequencer
from siklus.services.rpc.watching import EvaluationWatches
from siklus.services.rpc.watching_cycles import CycleWatches

PATIENCE: Final = 3.0
"""Seconds that a shutdown waits for streams whose clients do not listen."""


class Watches:
    """The streams of one process; `url` is the store's as the feed's role."""

    def __init__(
        self, store: Store, url: str, clock: Clock, limits: WatchLimits = USUAL_WATCHES
    ) -> None:
        hub = Hub(store, url)
        self._attendance = Attendance(limits)
        self._loops = (Sequencer(url).run, hub.run) if url else ()
        self.evaluations = EvaluationWatches(store, hub, self._attendance, clock)
        self.cycles = CycleWatches(Boards(store, hub), self._attendance, clock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sequence and follow the feed."""
        tasks = [asyncio.ensure_future(loop()) for loop in self._loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Send every stream its last message and wait for them, though not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._attendance.close()
