"""Lists of whoever stands in: with thousands of tasks in another's inbox, a page stays a page."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import evaluations, tasks
from siklus.activities.store.queries.standing_in import Lent
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.standing_in import Chain
from siklus.workflows.domain.values import AgencyId, PersonId
from tests.domain.test_mandates import make_mandate

NOW = datetime(2026, 1, 7, 4, tzinfo=UTC)
TODAY = date(2026, 1, 7)
MANY = 12_000
PAGE = 51
BLOCKS = 1500
"""More than a page of either list touches, far fewer than all of its rows."""
SEEDS = (
    """
    INSERT INTO task (agency, cycle, person, segment, task, kind, number, unit, zone, holder,
        may_act, opened_at, due_at, flagged, rungs, remind_on)
    SELECT %(agency)s, '2026', 'p' || n, 1, 'REVIEW_PLAN', 'REVIEW_PLAN', 0, 'u', 'Asia/Jakarta',
        'budi', ARRAY['budi'], now(), now() + n * interval '1 minute', false, '{}', '{}'
    FROM generate_series(1, %(many)s) AS n
    """,
    """
    INSERT INTO task_actor (agency, actor, due_at, cycle, person, segment, task, kind)
    SELECT agency, holder, due_at, cycle, person, segment, task, kind FROM task
    WHERE agency = %(agency)s
    """,
    """
    INSERT INTO evaluation (agency, cycle, person, segment, unit, supervisor, participants, stage,
        revision, policy, policy_version, zone, ended, updated_at, document)
    SELECT agency, cycle, person, 1, unit, holder, '{}', 'PLAN_REVIEW', 1, 'palu', 1, zone, false,
        now(), '{}' FROM task WHERE agency = %(agency)s
    """,
    """
    INSERT INTO participant (agency, participant, cycle, person, segment)
    SELECT agency, holder, cycle, person, segment FROM task WHERE agency = %(agency)s
    """,
    """
    INSERT INTO policy (agency, name, version, source, compiled, digest, published_at, published_by)
    VALUES (%(agency)s, 'palu', 1, '', '{"mandates": {"max_chain": 2}}', '', now(), '')
    """,
)


def link(principal: str, delegate: str) -> Any:
    return make_mandate(PersonId(principal), PersonId(delegate))


ONE = Chain(links=(link("budi", "wayan"),))
TWO = Chain(links=(link("dewi", "wayan"), link("budi", "dewi")))
THREE = Chain(links=(link("eko", "wayan"), link("dewi", "eko"), link("budi", "dewi")))
LENT = {
    "whole day": Lent((ONE,), NOW, frozenset({TODAY})),
    "at midnight": Lent((ONE,), NOW, frozenset({TODAY, date(2026, 5, 1)})),
    "chain": Lent((TWO, ONE), NOW, frozenset({TODAY})),
}


class Watched:
    """A connection that tells of the last query how many blocks it touched."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.blocks = 0

    def cursor(self, **_: Any) -> "Watched":
        return self

    async def __aenter__(self) -> "Watched":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def execute(self, query: bytes, values: Any) -> "Watched":
        explain = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query
        row = await (await self._connection.execute(explain, values)).fetchone()
        assert row is not None
        plan = row[0][0]["Plan"] if isinstance(row[0], list) else json.loads(row[0])[0]["Plan"]
        self.blocks = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return self

    async def fetchall(self) -> list[Any]:
        return []


@pytest.fixture
async def full(database: LocalPostgres, agency: AgencyId) -> AgencyId:
    """An agency in which thousands of plans wait for Budi."""
    url = database.superuser_url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for seed in SEEDS:
            await connection.execute(seed, {"agency": agency, "many": MANY})
        await connection.execute("ANALYZE task, task_actor, evaluation, participant")
    return agency


async def test_a_lent_list_is_read_no_further_than_its_page(store: Store, full: AgencyId) -> None:
    async with store.agency(full, within=30) as connection:
        for name, lent in LENT.items():
            inbox = await tasks.inbox(
                connection, full, ["wayan"], tasks.Filter(), lent=lent, limit=PAGE
            )
            wanted = evaluations.Filter(participant="wayan", lent=lent)
            listed = await evaluations.page(connection, full, wanted, after=None, limit=PAGE)
            assert (len(inbox), len(listed)) == (PAGE, PAGE), name

            watched: Any = Watched(connection)
            for after in (tasks.FIRST, inbox[-1].place):
                filters = tasks.Filter()
                await tasks.inbox(
                    watched, full, ["wayan"], filters, lent=lent, after=after, limit=PAGE
                )
                assert 0 < watched.blocks < BLOCKS, name
            for place in (None, listed[-1].place):
                await evaluations.page(watched, full, wanted, after=place, limit=PAGE)
                assert 0 < watched.blocks < BLOCKS, name


async def test_a_chain_longer_than_the_policy_allows_opens_nothing(
    store: Store, full: AgencyId
) -> None:
    lent = Lent((THREE,), NOW, frozenset({TODAY}))
    async with store.agency(full, within=30) as connection:
        wanted = evaluations.Filter(participant="wayan", lent=lent)
        assert await evaluations.page(connection, full, wanted, after=None, limit=PAGE) == []


async def test_a_day_that_it_is_not_yet_opens_nothing(store: Store, full: AgencyId) -> None:
    # It is the last day in one zone of the agency, and the next in that of the evaluations.
    late = datetime(2026, 3, 31, 17, 30, tzinfo=UTC)
    days = frozenset({date(2026, 3, 31), date(2026, 4, 1)})
    for as_of, shown in ((late - timedelta(hours=1), 3), (late, 0)):
        lent = Lent((ONE,), as_of, days)
        async with store.agency(full, within=30) as connection:
            wanted = evaluations.Filter(participant="wayan", lent=lent)
            listed = await evaluations.page(connection, full, wanted, after=None, limit=3)
            inbox = await tasks.inbox(
                connection, full, ["wayan"], tasks.Filter(), lent=lent, limit=3
            )
        assert (len(listed), len(inbox)) == (shown, shown)
