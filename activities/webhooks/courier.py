"""The courier: a worker's loop that turns the feed into deliveries and sends them.

All that must survive stands in the store. A delivery is taken up for a while, sent, and noted; who
dies in between leaves it to the next, who sends the same id. So couriers of many workers need not
know of each other, and at least once is certain.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from siklus.activities.keyring import Keys
from siklus.activities.store.lasting import Outages
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import deliveries, turns
from siklus.activities.store.queries.deliveries import DeliveryState
from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.ladder import LADDER
from siklus.activities.webhooks.lanes import Lanes
from siklus.activities.webhooks.parcel import AttemptLost, Parcels
from siklus.activities.webhooks.sender import Sender
from siklus.workflows.domain.values import AgencyId

log = structlog.get_logger("siklus.webhooks")

LOOK_SECONDS: Final = 0.25
LEASE: Final = timedelta(seconds=30)
"""How long a delivery that was taken up is ours: longer than an attempt may take."""
AT_ONCE: Final = 4
"""Deliveries of one subscription under way in one worker."""
HANDS: Final = 4
"""Subscriptions whose part of the feed is taken over at once."""
REST_SECONDS: Final = 1.0
"""For which a receiver is let alone after it failed: much may wait for one that is dead."""
FAULT_SECONDS: Final = 30.0
"""For which a subscription is let alone after a fault of ours, which is logged."""
NOBODY: Final = AgencyId("")
"""Whoever asks for everybody's turns asks as no agency."""
GRACE_SECONDS: Final = 3.0
"""What is under way when the worker stops may end by itself."""
PRUNE_SECONDS: Final = 3600.0
PRUNE_PAGE: Final = 500
KEPT: Final = {
    DeliveryState.DELIVERED: timedelta(days=30),
    DeliveryState.DEAD: timedelta(days=180),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a courier goes; tests shrink it."""

    look: float = LOOK_SECONDS
    rest: float = REST_SECONDS
    lease: timedelta = LEASE
    ladder: Sequence[timedelta] = field(default=LADDER)


class Courier:
    """Delivers for every agency until it is cancelled.

    `store` is for couriers alone: what they do must not take connections from decisions. `feed` is
    the store as the feed's reader, who sees whose turn it is.
    """

    def __init__(
        self,
        store: Store,
        feed: Store,
        keyring: Keys,
        sender: Sender,
        now: Callable[[], datetime],
        *,
        pace: Pace = Pace(),
    ) -> None:
        self._store = store
        self._feed = feed
        self._parcels = Parcels(store, keyring, sender, now, pace.ladder)
        self._now = now
        self._pace = pace
        self._lanes = Lanes()
        self._working: dict[Turn, set[asyncio.Task[None]]] = {}
        self._hands = asyncio.Semaphore(HANDS)
        self._rest_until: dict[Turn, float] = {}
        self._outages = Outages(log, "webhooks_wait")

    async def run(self) -> None:
        """Look for work again and again; an outage of the store is waited out."""
        pruning = asyncio.create_task(self._prune_at_times())
        try:
            while True:
                await self._survived(self._look)
                await asyncio.sleep(self._pace.look)
        finally:
            pruning.cancel()
            await self._end()

    async def _prune_at_times(self) -> None:
        """Forget beside the rest: where much ended at once, that takes long."""
        while True:
            await asyncio.sleep(PRUNE_SECONDS)
            await self._survived(self._prune)

    async def _survived(self, work: Callable[[], Awaitable[None]]) -> None:
        """Go on whatever happens: nobody would start it again."""
        try:
            with self._outages_told():
                await work()
        except Exception as error:
            log.exception("webhook_fault", error=type(error).__name__)

    async def _look(self) -> None:
        async with self._feed.agency(NOBODY) as connection:
            found = await turns.due(connection, self._now())
        # Who still waits for a place has work enough; whoever stumbled may rest.
        ready = [turn for turn in found if not self._lanes.queues(turn) and self._room(turn)]
        begun = await asyncio.gather(*map(self._begun, ready), return_exceptions=True)
        for error in filter(None, begun):
            raise error

    async def _begun(self, turn: Turn) -> None:
        """Begin, so that a fault in what belongs to one subscription holds up no other."""
        try:
            async with self._hands:
                await self._begin(turn)
        except StoreUnavailable:
            raise
        except Exception as error:
            self._stumbled(turn, error)

    async def _begin(self, turn: Turn) -> None:
        """Take over what is new in the feed, and begin as many deliveries as there is room for."""
        await self._parcels.take_over(turn)
        async with self._store.agency(turn.agency) as connection:
            count = await deliveries.due(connection, turn, self._now(), at_most=self._room(turn))
        working = self._working.setdefault(turn, set())
        for _ in range(count):
            task = asyncio.create_task(self._deliver(turn))
            working.add(task)
            task.add_done_callback(lambda done: self._ended(turn, done))

    def _room(self, turn: Turn) -> int:
        if self._rest_until.get(turn, 0.0) > monotonic():
            return 0
        most = 1 if self._lanes.failing(turn) else AT_ONCE
        return max(0, most - len(self._working.get(turn, ())))

    def _ended(self, turn: Turn, task: asyncio.Task[None]) -> None:
        working = self._working[turn]
        working.discard(task)
        if not working:
            del self._working[turn]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._stumbled(turn, error)

    def _stumbled(self, turn: Turn, error: BaseException) -> None:
        self._rest_until[turn] = monotonic() + FAULT_SECONDS
        log.error("webhook_fault", agency=turn.agency, error=type(error).__name__)

    async def _deliver(self, turn: Turn) -> None:
        """Send what is due, one after the other, each time from the end of the queue."""
        with self._outages_told():
            while True:
                async with self._lanes.place(turn):
                    parcel = await self._parcels.take(turn, self._pace.lease)
                    if parcel is None:
                        return
                    outcome = await self._parcels.send(parcel)
                self._lanes.learn(turn, outcome)
                if not outcome.delivered:
                    self._rest_until[turn] = monotonic() + self._pace.rest
                    return

    async def _prune(self) -> None:
        async with self._feed.agency(NOBODY) as connection:
            found = await turns.every(connection)
        for turn in found:
            await self._parcels.forget_old_secret(turn)
            for state, kept in KEPT.items():
                await self._parcels.prune(turn, state, self._now() - kept, PRUNE_PAGE)

    async def _end(self) -> None:
        tasks = [task for working in self._working.values() for task in working]
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.contextmanager
    def _outages_told(self) -> Iterator[None]:
        try:
            yield
            self._outages.answered()
        except (StoreUnavailable, AttemptLost) as away:
            self._outages.missed(str(away))
