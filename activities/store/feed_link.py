"""Connections as the feed's role, which sees ids and numbers of every agency and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from siklus.activities.store.outage import Outage, StoreUnavailable, outage_of
from siklus.activities.store.pool import (
    GRACE,
    NETWORK,
    PATIENCE,
    PREPARE_AFTER,
    WITHIN,
    Connection,
)

log = structlog.get_logger("siklus.feed")

LIMIT = "SELECT set_config('statement_timeout', %s, false)"


class FeedLink:
    """One connection for as long as it lasts; each use of it is bounded in time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def use(self, *, within: float = WITHIN + GRACE) -> AsyncIterator[Connection]:
        """Lend the connection; raises `StoreUnavailable` when the store goes away or hangs."""
        timer = asyncio.timeout(within)
        try:
            async with timer:
                yield self._connection
        except psycopg.Error as error:
            outage = outage_of(error)
            if outage is None:
                # A right or a table that is missing: whoever runs on must be told, and tries again.
                log.error("feed_refused", error=type(error).__name__, sqlstate=error.sqlstate)
            raise StoreUnavailable(outage or Outage.LOST) from None
        except TimeoutError:
            if not timer.expired():
                raise
            raise StoreUnavailable(Outage.TIMEOUT) from None


@asynccontextmanager
async def feed_link(url: str) -> AsyncIterator[FeedLink]:
    """Connect, and close without a word to the server; raises `StoreUnavailable`."""
    conninfo = make_conninfo("", **{**NETWORK, **conninfo_to_dict(url)})
    try:
        async with asyncio.timeout(PATIENCE):
            connection = await Connection.connect(
                conninfo, autocommit=True, prepare_threshold=PREPARE_AFTER
            )
    except (psycopg.OperationalError, TimeoutError):
        raise StoreUnavailable(Outage.NO_CONNECTION) from None
    try:
        link = FeedLink(connection)
        async with link.use() as first:
            await first.execute(LIMIT, (f"{WITHIN * 1000:.0f}",))
        yield link
    finally:
        connection.pgconn.finish()
