"""A preview of a day on which tens of thousands are due: a page of it stays a page."""

import json
from datetime import date
from typing import Any

import psycopg
import pytest

from siklus.activities.reminders import workday
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries.reminder_preview import PREVIEW, preview
from siklus.activities.store.queries.reminders import Workday
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId
from tests.bench import reminder_planning as seed

MANY = 20_000
PAGE = 51
BLOCKS = 900
"""More than a page touches, far fewer than all of these rows."""
NOBODY = 20_000
"""More than a block of people of whom nothing is due touches, each by their own inbox alone."""
ON = date(2026, 1, 28)


class Watched:
    """A connection that adds up how many blocks the previews touched."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.blocks = 0

    async def execute(self, query: Any, values: Any) -> Any:
        if query is PREVIEW:
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}".encode()
            row = await (await self._connection.execute(explain, values)).fetchone()
            assert row is not None
            plan = row[0][0]["Plan"] if isinstance(row[0], list) else json.loads(row[0])[0]["Plan"]
            self.blocks += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return await self._connection.execute(query, values)


@pytest.fixture
async def full(database: LocalPostgres, agency: AgencyId) -> AgencyId:
    """An agency in which everybody's plan is due."""
    await seed.fill(database, agency, MANY)
    return agency


async def test_a_page_reads_its_own_readers_and_no_others(
    store: Store, full: AgencyId, database: LocalPostgres
) -> None:
    async with store.agency(full, within=30) as connection:
        work = await workday(connection, full, None, ON)
        assert await everybody(connection, full, work) == MANY
        watched: Any = Watched(connection)
        after = ""
        for _ in range(2):
            watched.blocks = 0
            rows, last = await preview(watched, full, work, after=after, limit=PAGE, shown=20)
            assert (len(rows), last) == (PAGE, rows[-1].reader)
            assert rows[0].reader > after
            assert 0 < watched.blocks < BLOCKS
            after = rows[-1].reader

    # When nothing is due a page ends all the same, with the place to go on from.
    url = database.superuser_url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as superuser:
        await superuser.execute("UPDATE task SET next_remind_on = NULL WHERE agency = %s", (full,))
    async with store.agency(full, within=30) as connection:
        watched = Watched(connection)
        rows, last = await preview(watched, full, work, after="", limit=PAGE, shown=20)
        assert (rows, last is not None) == ([], True)
        assert 0 < watched.blocks < NOBODY


async def everybody(connection: Connection, agency: AgencyId, work: Workday) -> int:
    """How many people all pages together show; nobody twice."""
    found: list[str] = []
    last: str | None = ""
    while last is not None:
        rows, last = await preview(connection, agency, work, after=last, limit=3_000, shown=1)
        found += [each.reader for each in rows]
    assert found == sorted(set(found))
    return len(found)
