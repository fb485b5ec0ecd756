"""Follows the feed for a whole process: one connection listens, however many watch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from siklus.activities.store.feed_link import FeedLink, feed_link
from siklus.activities.store.lasting import Outages
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import sequence
from siklus.services.feed.channel import Channel, Listener
from siklus.services.rpc.changes import Wanted
from siklus.workflows.domain.values import AgencyId

LOOK_AGAIN: Final = 1.0
"""Seconds after which we look although nobody told us to: word may be lost with a connection."""
RETRY: Final = 0.2
AT_ONCE: Final = 4
"""Agencies that are read at the same time; calls need connections too."""

log = structlog.get_logger("siklus.feed")


class Hub:
    """The channels of all agencies that somebody of this process watches."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url
        self._channels: dict[AgencyId, Channel] = {}
        self._seen: int | None = None
        self._outages = Outages(log, "feed_not_followed")
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def listening(
        self, agency: AgencyId, listener: Listener, wanted: Wanted
    ) -> AsyncIterator[Channel]:
        """Have a listener told of everything beyond the channel's position as it enters."""
        # Known before it looks where the feed ends: what comes after that is told for sure.
        channel = self._channels.setdefault(agency, Channel(self._store, agency))
        channel.visitors += 1
        try:
            await channel.begin()
            channel.add(listener, wanted)
            yield channel
        finally:
            channel.remove(listener, wanted)
            channel.visitors -= 1
            if not channel.visitors:
                del self._channels[agency]

    async def run(self) -> None:
        """Follow the feed until cancelled; an outage is waited out, and nothing is skipped."""
        while True:
            try:
                async with feed_link(self._url) as link:
                    await self._follow(link)
            except StoreUnavailable as away:
                self._outages.missed(away.outage.value)
            except Exception as error:
                # It goes on whatever happens: nobody would start it again, and all who watch
                # would wait in vain.
                log.exception("feed_fault", error=type(error).__name__)
                await asyncio.sleep(LOOK_AGAIN)
            await asyncio.sleep(RETRY)

    async def _follow(self, link: FeedLink) -> None:
        async with link.use() as connection:
            await sequence.listen(connection)
            if self._seen is None:
                self._seen = await sequence.head(connection)
        # Whoever came before we listened begins before what we count as seen.
        await asyncio.gather(*(self._advance(agency) for agency in list(self._channels)))
        while True:
            async with link.use() as connection:
                grown = await sequence.grown(connection, self._seen)
            # Only what was told counts as seen: with an outage in between it is read again.
            await asyncio.gather(*(self._advance(AgencyId(each.agency)) for each in grown))
            self._seen = max((each.position for each in grown), default=self._seen)
            self._outages.answered()
            async with link.use(within=2 * LOOK_AGAIN + RETRY) as connection:
                await sequence.word(connection, within=LOOK_AGAIN)

    async def _advance(self, agency: AgencyId) -> None:
        channel = self._channels.get(agency)
        if channel is not None:
            async with self._turns:
                await channel.advance()
