"""Writers who begin and commit as they like, and a reader who follows the feed meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from random import Random
from time import monotonic
from typing import Final

from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import feed
from siklus.activities.store.queries.feed import FeedRow
from siklus.services.feed.sequencer import Sequencer
from siklus.workflows.domain.values import AgencyId
from tests.feed.writer import writer

SHORT: Final = (0.0, 0.02)
LONG: Final = (0.2, 0.6)
"""Seconds that a transaction stays open after it has written."""
PAGE: Final = 3
"""Small, so that pages end everywhere."""
CAUGHT_UP_WITHIN: Final = 15.0

Event = tuple[str, int]
"""Person and number."""


@dataclass
class Written:
    """What was committed, and around it, when it was begun and known to be committed."""

    began: dict[Event, float] = field(default_factory=dict)
    committed: dict[Event, float] = field(default_factory=dict)


async def writes(url: str, agency: str, person: str, dice: Random, until: float) -> Written:
    """Write events of one person in transactions of any length; some are taken back."""
    written, number = Written(), 0
    async with writer(url, agency) as hand:
        await hand.opens(person)
        while monotonic() < until:
            count, began = dice.randint(1, 4), monotonic()
            taken_back = dice.random() < 0.2
            async with hand.connection.transaction(force_rollback=taken_back):
                for each in range(count):
                    await hand.writes(person, number + each + 1)
                    await asyncio.sleep(dice.uniform(*SHORT) / count)
                await asyncio.sleep(dice.uniform(*(LONG if dice.random() < 0.15 else SHORT)))
            for each in range(0 if taken_back else count):
                written.began[person, number + each + 1] = began
                written.committed[person, number + each + 1] = monotonic()
            number += 0 if taken_back else count
    return written


class Reader:
    """Follows one agency's feed and keeps what it was shown, in the order of being shown."""

    def __init__(self, store: Store, agency: AgencyId, dice: Random) -> None:
        self._store = store
        self._agency = agency
        self._dice = dice
        self.rows: list[FeedRow] = []

    async def run(self) -> None:
        """Read what follows the last position, for ever; an outage is waited out."""
        while True:
            try:
                async with self._store.agency(self._agency) as connection:
                    position = self.rows[-1].position if self.rows else 0
                    self.rows += await feed.after(connection, position, PAGE)
            except StoreUnavailable:
                pass
            await asyncio.sleep(self._dice.uniform(0, 0.004))

    async def caught_up(self, count: int) -> None:
        """Wait until it was shown so many rows."""
        await eventually(lambda: len(self.rows) >= count)
        # One more that is too many would come now.
        await asyncio.sleep(0.1)


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = monotonic() + CAUGHT_UP_WITHIN
    while not holds():
        assert monotonic() < deadline, "it never came"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def sequencing(url: str, count: int = 1) -> AsyncIterator[list[Sequencer]]:
    """Run so many sequencers."""
    sequencers = [Sequencer(url) for _ in range(count)]
    tasks = [asyncio.ensure_future(each.run()) for each in sequencers]
    try:
        yield sequencers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def must_be_the_order_of_commits(rows: list[FeedRow], written: Written) -> None:
    """Fail unless each committed event came once, and after all that was committed before it."""
    shown = [(row.person, row.number) for row in rows]
    assert sorted(shown) == sorted(written.committed)
    assert [row.position for row in rows] == sorted({row.position for row in rows})
    for person in {person for person, _ in shown}:
        numbers = [number for who, number in shown if who == person]
        assert numbers == list(range(1, len(numbers) + 1))
    first_committed_later = inf
    for event in reversed(shown):
        assert written.began[event] < first_committed_later
        first_committed_later = min(first_committed_later, written.committed[event])
