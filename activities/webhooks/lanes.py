"""Places for deliveries under way, so that slow receivers hold up each other and nobody else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.sender import Outcome

PLACES: Final = 64
"""In each of the two lanes of a worker."""
SLOW_SECONDS: Final = 2.0


class Lanes:
    """Two queues for places: one for receivers that answered well the last time, one for others.

    Both are first come, first served, and a place is for one delivery; so each subscription gets
    its turn, however much another one has waiting.
    """

    def __init__(self, places: int = PLACES) -> None:
        self._quick = asyncio.Semaphore(places)
        self._slow = asyncio.Semaphore(places)
        self._failing: set[Turn] = set()
        self._dragging: set[Turn] = set()
        self._queueing: Counter[Turn] = Counter()

    @asynccontextmanager
    async def place(self, turn: Turn) -> AsyncIterator[None]:
        """Wait for a place in the receiver's lane, and keep it while the block is open."""
        slow = turn in self._failing or turn in self._dragging
        lane = self._slow if slow else self._quick
        self._queueing[turn] += 1
        try:
            await lane.acquire()
        finally:
            self._queueing[turn] -= 1
            if not self._queueing[turn]:
                del self._queueing[turn]
        try:
            yield
        finally:
            lane.release()

    def queues(self, turn: Turn) -> bool:
        """Tell whether a delivery of the subscription waits for a place."""
        return turn in self._queueing

    def failing(self, turn: Turn) -> bool:
        """Tell whether the receiver failed the last time: one at a time is enough then."""
        return turn in self._failing

    def learn(self, turn: Turn, outcome: Outcome) -> None:
        """Choose the lane of a receiver by how it did."""
        for seen, true in (
            (self._failing, not outcome.delivered),
            (self._dragging, outcome.seconds > SLOW_SECONDS),
        ):
            if true:
                seen.add(turn)
            else:
                seen.discard(turn)
