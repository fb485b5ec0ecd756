"""The courier of a worker process, with connections of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from siklus.activities.keyring import Keys
from siklus.activities.store.pool import Store
from siklus.activities.webhooks.courier import Courier
from siklus.activities.webhooks.sender import Sender
from siklus.activities.webhooks.targets import Targets
from siklus.services.clock import Clock
from siklus.services.feed.sequencer import Sequencer

CONNECTIONS = 4
"""To PostgreSQL, beside those of decisions, from which webhooks must not take any."""
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Stores:
    """PostgreSQL twice: as the role that works for one agency, and as the feed's reader."""

    url: str
    feed_url: str


@asynccontextmanager
async def running_courier(
    stores: Stores, keyring: Keys, targets: Targets, clock: Clock
) -> AsyncIterator[None]:
    """Deliver webhooks until the block is left."""
    async with (
        Store(stores.url, size=CONNECTIONS, patience=PATIENCE) as store,
        Store(stores.feed_url, size=1) as feed,
        Sender(targets, clock.now) as sender,
    ):
        courier = Courier(store, feed, keyring, sender, clock.now)
        # Where no API runs, events get their positions all the same.
        sequencer = Sequencer(stores.feed_url)
        tasks = [asyncio.create_task(each.run()) for each in (courier, sequencer)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
