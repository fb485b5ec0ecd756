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
        courier = asyncio.create_task(Courier(store, feed, keyring, sender, clock.now).run())
        try:
            yield
        finally:
            courier.cancel()
            await asyncio.wait([courier])
