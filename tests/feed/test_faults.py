"""What nobody foresaw befalls who follows the feed: watchers go on once it is over."""

import asyncio

import psycopg
from structlog.testing import capture_logs

from siklus.activities.store import migrate
from siklus.activities.store.pool import Store
from siklus.services.local.postgres_roles import APP, FEED, OWNER
from siklus.workflows.domain.values import AgencyId
from tests.feed.office import eventually
from tests.feed.test_sequence import Url
from tests.feed.writer import writer
from tests.services.watchers import watched_server, watching


async def test_watchers_are_told_what_came_while_the_feed_could_not_be_read(
    apart: Url, agency: AgencyId
) -> None:
    await asyncio.to_thread(migrate.upgrade, apart(OWNER))
    async with (
        Store(apart(APP)) as store,
        watched_server(store, apart(FEED)) as server,
        writer(apart(APP), agency) as hand,
        await psycopg.AsyncConnection.connect(apart(OWNER), autocommit=True) as owner,
    ):
        await hand.opens("siti")
        watch = await watching(server, agency)
        await hand.writes("siti", 1)
        await watch.seen(1)
        with capture_logs() as told:
            await owner.execute("REVOKE SELECT ON superseded FROM siklus_app")
            await hand.writes("siti", 2)
            await eventually(lambda: any(each["event"] == "feed_fault" for each in told))
            await owner.execute("GRANT SELECT ON superseded TO siklus_app")
        await hand.writes("siti", 3)

        assert [number for _, number, _ in await watch.seen(2)] == [2, 3]
