"""Cycles that somebody watches: each is read once for all of them, when it may have changed."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

import structlog

from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cycles
from siklus.activities.store.queries.cycles import CycleRow, CycleState
from siklus.services.feed.hub import Hub
from siklus.services.feed.stream import Stream
from siklus.services.rpc import cycle_views
from siklus.services.rpc.changes import Change, Wanted
from siklus.v1 import cycle_service_pb2 as pb
from siklus.workflows.domain.values import AgencyId, CycleId

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at a cycle; the contract sends no more than one a second."""
SHARE: Final = 10
"""Counting a cycle may take this part of the time: a large one is looked at less often."""

log = structlog.get_logger("siklus.feed")


@dataclass(frozen=True, slots=True)
class Shown:
    """A cycle as it is sent, and what tells whether it has changed."""

    cycle: pb.Cycle
    digest: str


class Board:
    """One cycle, kept up to date while anybody watches it."""

    def __init__(self, store: Store, hub: Hub, agency: AgencyId, cycle: CycleId) -> None:
        self._store = store
        self._hub = hub
        self._agency = agency
        self._cycle = cycle
        self._changed = True
        self._row: CycleRow | None = None
        self._waiting = False
        self.streams: set[Stream] = set()
        self.shown: Shown | None = None
        """None before the first look."""

    def offer(self, change: Change) -> None:
        """Look again: something was recorded in the cycle."""
        self._changed = True

    async def run(self) -> None:
        """Look until cancelled; an outage of the store is waited out."""
        everything = Wanted(None, self._cycle, "", "", "", frozenset())
        while True:
            try:
                async with self._hub.listening(self._agency, self, everything):
                    await self._look_on()
            except StoreUnavailable:
                pass
            except Exception as error:
                # It goes on whatever happens: all who watch the cycle would wait in vain.
                log.exception("board_fault", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def _look_on(self) -> None:
        self._changed = True
        while True:
            began = monotonic()
            await self._look()
            await asyncio.sleep(max(LOOK_EVERY, SHARE * (monotonic() - began)))

    async def _look(self) -> None:
        async with self._store.agency(self._agency) as connection:
            row = await cycles.get(connection, self._agency, self._cycle)
            # Who is started, or left out, while it is launched is no event of an evaluation.
            moves = row is not None and self._may_move(row)
            if row is None or not (self._changed or moves or row != self._row):
                return
            self._changed = False
            progress = await cycles.progress(connection, self._agency, self._cycle)
        self._row, self._waiting = row, progress.waiting > 0
        cycle = cycle_views.cycle(self._agency, row, progress)
        if self.shown is None or cycle != self.shown.cycle:
            told = cycle.SerializeToString(deterministic=True)
            self.shown = Shown(cycle, hashlib.sha256(told).hexdigest())
            for stream in self.streams:
                stream.wake()

    def _may_move(self, row: CycleRow) -> bool:
        """Tell whether people are being started: the page under way ends after a pause, too."""
        called_off = row.state == CycleState.CANCELLED and self._waiting
        return called_off or row.state in {CycleState.LAUNCHING, CycleState.PAUSED}


class Boards:
    """The boards of this process."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._boards: dict[tuple[AgencyId, CycleId], tuple[Board, asyncio.Task[None]]] = {}

    @contextmanager
    def watching(self, agency: AgencyId, cycle: CycleId, stream: Stream) -> Iterator[Board]:
        """Have a stream woken whenever the cycle has changed."""
        known = self._boards.get((agency, cycle))
        if known is None:
            board = Board(self._store, self._hub, agency, cycle)
            known = self._boards[agency, cycle] = (board, asyncio.ensure_future(board.run()))
        board, looking = known
        board.streams.add(stream)
        try:
            yield board
        finally:
            board.streams.discard(stream)
            if not board.streams:
                looking.cancel()
                del self._boards[agency, cycle]
