"""One open stream: what wakes it, what it has to send, and why it ends."""

import asyncio
from collections import deque
from enum import Enum, auto

from siklus.services.rpc.changes import Change


class Ending(Enum):
    """Why a stream ends although its client would listen on."""

    CLOSING = auto()
    """The server shuts down."""
    EXPIRED = auto()
    """The token that opened it is good no longer."""
    TOO_SLOW = auto()
    """Its client does not read as fast as things happen."""


class Stream:
    """Belongs to the task that made it, which waits for `woken` and looks what there is."""

    def __init__(self, *, heartbeat: float, most: int, ends_in: float | None, patience: float):
        self.pending: deque[Change] = deque()
        self.ending: Ending | None = None
        self.beat_due = False
        self._most = most
        self._heartbeat = heartbeat
        self._patience = patience
        self._task = asyncio.current_task()
        self._something = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._timers = [self._loop.call_later(heartbeat, self._beat)]
        if ends_in is not None:
            self._timers.append(self._loop.call_later(ends_in, self.end, Ending.EXPIRED))

    async def woken(self) -> None:
        """Wait until there is something to send, a checkpoint is due, or the stream ends."""
        await self._something.wait()
        self._something.clear()

    def wake(self) -> None:
        """Have it look again."""
        self._something.set()

    def offer(self, change: Change) -> None:
        """Give it a change to send; with too many that wait already it ends."""
        if len(self.pending) < self._most:
            self.pending.append(change)
            self._something.set()
        else:
            self.pending.clear()
            self.end(Ending.TOO_SLOW)

    def end(self, why: Ending) -> None:
        """Have it say goodbye; one whose client takes nothing is cut off a little later."""
        if self.ending is not None:
            return
        self.ending = why
        self._something.set()
        at_once = why is Ending.TOO_SLOW
        self._timers.append(self._loop.call_later(0 if at_once else self._patience, self._cut))

    def over(self) -> None:
        """Forget its timers."""
        for timer in self._timers:
            timer.cancel()
        self._task = None

    def _beat(self) -> None:
        self.beat_due = True
        self._something.set()
        self._timers[0] = self._loop.call_later(self._heartbeat, self._beat)

    def _cut(self) -> None:
        if self._task is not None:
            self._task.cancel()
