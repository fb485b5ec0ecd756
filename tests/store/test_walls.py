"""Walls between agencies, and around what only grows; a new table meets them by itself."""

from uuid import uuid4

import psycopg
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Connection, Store
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId
from tests.store.case import EVALUATION_TABLES, Case

WITHOUT_AGENCY = {"schema_version"}
ACROSS_AGENCIES = {"feed", "unsequenced", "subscription_turn", "data_key"}
"""Ids, numbers and hashes alone, of data keys only whose they are; no event and no text."""
TABLES = """
    SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
        (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'agency')
    FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""


async def tables(database: LocalPostgres) -> list[tuple[str, bool, bool, int]]:
    async with await psycopg.AsyncConnection.connect(database.owner_url) as connection:
        rows = await (await connection.execute(TABLES)).fetchall()
    return [row for row in rows if row[0] not in WITHOUT_AGENCY]


async def count(connection: Connection | psycopg.AsyncConnection, table: str) -> int:
    row = await (await connection.execute(f"SELECT count(*) FROM {table}".encode())).fetchone()
    assert row is not None
    return int(row[0])


async def fill(database: LocalPostgres, table: str, agency: str) -> None:
    """One row with something of the right type everywhere, past every wall, as the superuser."""
    columns = """
        SELECT attname, CASE atttypid::regtype::text
            WHEN 'jsonb' THEN '{}' WHEN 'boolean' THEN 'true' WHEN 'date' THEN '2026-01-01'
            WHEN 'timestamp with time zone' THEN '2026-01-01' WHEN 'uuid' THEN
            '00000000-0000-0000-0000-000000000000' WHEN 'text[]' THEN '{}'
            WHEN 'integer[]' THEN '{}' WHEN 'date[]' THEN '{}' WHEN 'integer' THEN '1'
            WHEN 'bigint' THEN '1' WHEN 'time without time zone' THEN '18:00' ELSE 'x' END
        FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    """
    async with await psycopg.AsyncConnection.connect(database.superuser_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        rows = await (await connection.execute(columns, (table,))).fetchall()
        values = {name: value for name, value in rows} | {"agency": agency}
        if "position" in values and table == "feed":
            values["position"] = str(uuid4().int % 2**60)
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        await connection.execute(insert.encode(), tuple(values.values()))


async def test_every_table_has_an_agency_and_a_forced_wall(database: LocalPostgres) -> None:
    found = await tables(database)

    assert {name for name, *_ in found} >= {*EVALUATION_TABLES, "person", "feed", "request"}
    assert [name for name, enabled, forced, has in found if not (enabled and forced and has)] == []


async def test_every_key_begins_with_the_agency(database: LocalPostgres) -> None:
    query = """
        SELECT i.indexrelid::regclass::text FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
            AND (SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid
                AND attnum = i.indkey[0]) <> 'agency'
    """
    async with await psycopg.AsyncConnection.connect(database.owner_url) as connection:
        rows = await (await connection.execute(query)).fetchall()

    # The feed is one order for everybody.
    assert {name for (name,) in rows} - {"schema_version_pkc"} == {"feed_pkey"}


async def test_nobody_sees_another_agencys_rows(
    database: LocalPostgres, store: Store, agency: AgencyId
) -> None:
    other = AgencyId(f"{agency}-other")
    for table, *_ in await tables(database):
        await fill(database, table, agency)

        async with store.agency(agency) as connection:
            assert await count(connection, table) == 1, table
        async with store.agency(other) as connection:
            assert await count(connection, table) == 0, table
        async with await psycopg.AsyncConnection.connect(database.app_url) as unset:
            assert await count(unset, table) == 0, table
        async with await psycopg.AsyncConnection.connect(database.owner_url) as owner:
            assert await count(owner, table) == 0, table


async def test_nobody_writes_for_another_agency(store: Store, agency: AgencyId) -> None:
    insert = (
        "INSERT INTO unit (agency, code, name, zone, weekdays) VALUES (%s, 'u', 'U', 'z', '{}')"
    )
    async with store.agency(agency) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            await connection.execute(insert, (f"{agency}-other",))
        await connection.execute(insert, (agency,))

        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            await connection.execute("UPDATE unit SET agency = 'other'")


async def test_one_connection_serves_agencies_in_turn_and_mixes_none(
    database: LocalPostgres, agency: AgencyId
) -> None:
    other = AgencyId(f"{agency}-other")
    insert = "INSERT INTO unit (agency, code, name, zone, weekdays) VALUES (%s, 'u', %s, 'z', '{}')"
    async with Store(database.app_url, size=1) as store:
        for mine in (agency, other):
            async with store.agency(mine) as connection:
                await connection.execute(insert, (mine, mine))
        for mine in (agency, other, agency):
            async with store.agency(mine) as connection:
                rows = await (await connection.execute("SELECT name FROM unit")).fetchall()
                assert rows == [(mine,)]


@pytest.mark.parametrize("role", ["app", "owner", "superuser"])
@pytest.mark.parametrize(
    "change", ["UPDATE event SET body = ''", "DELETE FROM event", "TRUNCATE event", "TRUNCATE feed"]
)
async def test_events_only_ever_grow_whoever_asks(
    database: LocalPostgres, store: Store, projector: Projector, case: Case, role: str, change: str
) -> None:
    await projector.project(case.projection())
    url = {"app": database.app_url, "owner": database.owner_url}.get(role, database.superuser_url)

    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(
            "SELECT set_config('siklus.agency', %s, false)", (case.key.agency,)
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(change.encode())

    async with store.agency(case.key.agency) as connection:
        assert await count(connection, "event") == 1


async def test_the_feeds_reader_sees_the_order_of_all_agencies_and_nothing_else(
    database: LocalPostgres, agency: AgencyId
) -> None:
    await fill(database, "feed", agency)
    await fill(database, "feed", f"{agency}-other")

    async with await psycopg.AsyncConnection.connect(
        database.feed_url, autocommit=True
    ) as connection:
        seen = f"feed WHERE agency LIKE '{agency}%'"
        assert await count(connection, seen) == 2
        for table, *_ in await tables(database):
            if table not in ACROSS_AGENCIES:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await count(connection, table)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("DELETE FROM feed")
        for column in ("person", "wrapped"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(f"SELECT {column} FROM data_key".encode())


@pytest.mark.parametrize("role", ["app", "owner", "superuser"])
@pytest.mark.parametrize("table", ["policy", "calendar"])
@pytest.mark.parametrize("change", ["UPDATE {} SET digest = ''", "DELETE FROM {}", "TRUNCATE {}"])
async def test_what_evaluations_are_pinned_to_only_ever_grows(
    database: LocalPostgres, store: Store, agency: AgencyId, role: str, table: str, change: str
) -> None:
    await fill(database, table, agency)
    url = {"app": database.app_url, "owner": database.owner_url}.get(role, database.superuser_url)

    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT set_config('siklus.agency', %s, false)", (agency,))
        with pytest.raises(
            (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)
        ):
            await connection.execute(change.format(table).encode())

    async with store.agency(agency) as connection:
        assert await count(connection, table) == 1
