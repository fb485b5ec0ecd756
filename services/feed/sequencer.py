"""The one who gives committed events their positions; every server tries to be it, one is."""

import asyncio
from typing import Final

import structlog

from siklus.activities.store.feed_link import FeedLink, feed_link
from siklus.activities.store.lasting import Outages
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.queries import sequence

LOOK_EVERY: Final = 0.03
"""Seconds; on average half of it is added to what a watcher waits. To notify from each writer's
transaction instead would make all their commits wait for one lock."""
STAND_BY_EVERY: Final = 0.2
"""Seconds until another one notices that nobody sequences. To wait for the lock in the database
would hold a snapshot open, and nothing could be vacuumed meanwhile."""
AWAKE: Final = 3.0
"""Seconds without a word after which whoever sequences is taken for dead."""
BATCH: Final = 2000
"""Events that get their positions in one transaction."""

log = structlog.get_logger("siklus.feed")


class Sequencer:
    """Sequences whenever no other process does, for as long as `run` runs."""

    def __init__(self, url: str, *, every: float = LOOK_EVERY) -> None:
        self._url = url
        self._every = every
        self._outages = Outages(log, "feed_unavailable")
        self.leads = False
        """Whether this is the one who sequences now."""

    async def run(self) -> None:
        """Go on until cancelled; an outage of the store is waited out."""
        while True:
            try:
                async with feed_link(self._url) as link:
                    await self._serve(link)
            except StoreUnavailable as away:
                self._outages.missed(away.outage.value)
            finally:
                self.leads = False
            await asyncio.sleep(STAND_BY_EVERY)

    async def _serve(self, link: FeedLink) -> None:
        while not self.leads:
            async with link.use() as connection:
                self.leads = await sequence.take_lead(connection, awake=AWAKE)
            if not self.leads:
                self._outages.answered()
                await asyncio.sleep(STAND_BY_EVERY)
        log.info("feed_sequencing")
        while True:
            async with link.use() as connection:
                placed = await sequence.sequence(connection, BATCH)
            self._outages.answered()
            if placed < BATCH:
                await asyncio.sleep(self._every)
