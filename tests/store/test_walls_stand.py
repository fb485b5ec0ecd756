"""The application's role tries everything on another agency's rows, table by table.

The tables come from the catalogue. What the role may set is the agency it works for: that the
services set it from the caller's token, and from nothing else, is proved over the API.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Json, Jsonb

from siklus.activities.store.roles import APP, FEED
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId
from tests.store.test_walls import ACROSS_AGENCIES, fill, tables

DENIED: Final = psycopg.errors.InsufficientPrivilege
SETTINGS: Final = (None, "", "lain", "*", "%", "' OR '1'='1")
"""What the connection says that its agency is; None says nothing."""
NARROW: Final = {
    "position",
    "arrival",
    "agency",
    "cycle",
    "person",
    "segment",
    "number",
    "hash",
    "subscription",
    "due_at",
}
"""All that is told across agencies: ids, numbers, hashes and instants."""

MAKE_WAY: Final = "make_way(text,text,text,integer,json)"
"""What a lost attempt wrote is set aside by it, in the own agency."""

Rows = Mapping[str, Any]
"""Table → the one row of the agency that is attacked."""


@pytest.fixture(scope="module")
def attacked() -> AgencyId:
    return AgencyId(f"a-{uuid4().hex[:12]}")


@pytest.fixture(scope="module")
async def rows(database: LocalPostgres, attacked: AgencyId) -> Rows:
    """An agency with a row in every table that there is."""
    found = {}
    for table, *_ in await tables(database):
        await fill(database, table, attacked)
        found[table] = await the_row(database, table, attacked)
    return found


@pytest.fixture
async def superuser(database: LocalPostgres) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(
        database.superuser_url, autocommit=True
    ) as connection:
        yield connection


async def the_row(database: LocalPostgres, table: str, agency: str) -> Any:
    """Return the agency's one row of a table, as the superuser sees it."""
    query = f"SELECT to_jsonb(t) FROM {table} AS t WHERE agency = %s"
    async with await psycopg.AsyncConnection.connect(database.superuser_url) as connection:
        (row,) = await (await connection.execute(query.encode(), (agency,))).fetchall()
    return row[0]


async def connect(
    database: LocalPostgres, setting: str | None, url: str = ""
) -> psycopg.AsyncConnection:
    """Connect as the application, for that agency."""
    connection = await psycopg.AsyncConnection.connect(url or database.app_url, autocommit=True)
    if setting is not None:
        await connection.execute("SELECT set_config('siklus.agency', %s, false)", (setting,))
    return connection


async def touched(connection: psycopg.AsyncConnection, statement: str, *given: Any) -> int:
    """Return how many rows a statement saw or changed; 0 where the role may not give it at all."""
    try:
        return (await connection.execute(statement.encode(), given)).rowcount
    except DENIED:
        return 0


async def copied(connection: psycopg.AsyncConnection, table: str) -> int:
    """Return how many rows a bulk read gives."""
    lines = 0
    try:
        async with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
            async for _ in copy:
                lines += 1
    except DENIED:
        return 0
    return lines


@pytest.mark.parametrize("setting", SETTINGS, ids=repr)
async def test_no_statement_reaches_another_agencys_row(
    database: LocalPostgres, rows: Rows, setting: str | None
) -> None:
    async with await connect(database, setting) as connection:
        for table in rows:
            for statement in (
                f"SELECT * FROM {table}",
                f"SELECT * FROM {table} FOR UPDATE",
                f"UPDATE {table} SET agency = agency",
                f"DELETE FROM {table}",
                f"SELECT * FROM {table} TABLESAMPLE SYSTEM (100)",
                f"WITH seen AS MATERIALIZED (SELECT * FROM {table}) SELECT * FROM seen",
            ):
                assert await touched(connection, statement) == 0, statement
            assert await copied(connection, table) == 0, table
            with pytest.raises(psycopg.Error):
                await connection.execute(f"TRUNCATE {table}".encode())

    for table, row in rows.items():
        assert await the_row(database, table, row["agency"]) == row, table


@pytest.mark.parametrize("setting", SETTINGS, ids=repr)
async def test_nothing_is_added_to_another_agency_nor_learnt_by_trying(
    database: LocalPostgres, rows: Rows, setting: str | None
) -> None:
    """A row that is there already is refused just so: no error tells that it exists."""
    async with await connect(database, setting) as connection:
        for table, row in rows.items():
            for known in (row, {**row, "agency": f"{row['agency']}-tiada"}):
                for conflict in ("", "ON CONFLICT DO NOTHING"):
                    insert = (
                        f"INSERT INTO {table} SELECT * FROM"
                        f" jsonb_populate_record(NULL::{table}, %s) {conflict}"
                    )
                    with pytest.raises(DENIED):
                        await connection.execute(insert.encode(), (Jsonb(known),))
            with pytest.raises((DENIED, psycopg.errors.FeatureNotSupported)):
                async with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    await copy.write(b"\n")


async def test_the_rows_are_there_for_their_own_agency(
    database: LocalPostgres, attacked: AgencyId, rows: Rows
) -> None:
    """Else the tests above would prove nothing."""
    async with await connect(database, attacked) as connection:
        for table in rows:
            assert await touched(connection, f"SELECT * FROM {table}") == 1, table


@pytest.mark.parametrize(
    "attempt",
    [
        "SET ROLE siklus_owner",
        "SET ROLE {other}",
        "SET SESSION AUTHORIZATION siklus_owner",
        "SET session_replication_role = replica",
        "ALTER ROLE siklus_app BYPASSRLS",
        "ALTER TABLE event DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE event NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own_agency ON event",
        "CREATE POLICY mine ON event USING (true)",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "CREATE FUNCTION public.peek() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW public.peek AS SELECT 1",
        "COPY event TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM pg_authid",
    ],
)
@pytest.mark.parametrize(("role", "other"), [("app", "siklus_feed"), ("feed", "siklus_app")])
async def test_the_walls_cannot_be_taken_down_from_inside(
    database: LocalPostgres, attempt: str, role: str, other: str
) -> None:
    url = {"app": database.app_url, "feed": database.feed_url}[role]

    async with await connect(database, None, url) as connection:
        with pytest.raises(DENIED):
            await connection.execute(attempt.format(other=other).encode())


async def test_without_the_walls_the_application_is_told_nothing(
    database: LocalPostgres, rows: Rows
) -> None:
    async with await connect(database, "lain") as connection:
        await connection.execute("SET row_security = off")

        for table in rows:
            with pytest.raises(DENIED):
                await connection.execute(f"SELECT * FROM {table}".encode())


async def test_statistics_of_the_rows_are_not_told(
    database: LocalPostgres, superuser: psycopg.AsyncConnection, rows: Rows
) -> None:
    await superuser.execute("ANALYZE")
    query = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'"
    known = {name for (name,) in await (await superuser.execute(query)).fetchall()}
    assert known >= {"event", "person", "prose"}

    for url in (database.app_url, database.feed_url, database.owner_url):
        async with await connect(database, "lain", url) as connection:
            told = {name for (name,) in await (await connection.execute(query)).fetchall()}
            assert told & rows.keys() == set()


async def test_the_roles_are_nobody_besides(superuser: psycopg.AsyncConnection) -> None:
    rights = """
        SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication,
            (SELECT count(*) FROM pg_auth_members WHERE member = r.oid),
            (SELECT count(*) FROM pg_class WHERE relowner = r.oid)
        FROM pg_roles AS r WHERE rolname IN (%s, %s) ORDER BY rolname
    """
    found = await (await superuser.execute(rights, (APP, FEED))).fetchall()

    assert found == [(APP, False, 0, 0), (FEED, False, 0, 0)]


async def test_nothing_leads_round_the_tables(superuser: psycopg.AsyncConnection) -> None:
    """No views, nothing granted to everybody, and one function that acts as the owner."""
    elsewhere = """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')
    """
    mightier = """
        SELECT f.oid::regprocedure::text FROM pg_proc AS f, unnest(ARRAY[%s, %s]) AS role
        WHERE f.pronamespace = 'public'::regnamespace AND f.prosecdef
            AND has_function_privilege(role, f.oid, 'EXECUTE')
    """
    for_everybody = """
        SELECT relname, privilege_type FROM pg_class, aclexplode(relacl)
        WHERE relnamespace = 'public'::regnamespace AND grantee = 0
    """
    counters = """
        SELECT relname FROM pg_class, unnest(ARRAY[%s, %s]) AS role
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
            AND has_sequence_privilege(role, oid, 'SELECT, USAGE')
    """
    assert await (await superuser.execute(elsewhere)).fetchall() == []
    assert await (await superuser.execute(mightier, (APP, FEED))).fetchall() == [(MAKE_WAY,)]
    assert await (await superuser.execute(for_everybody)).fetchall() == []
    assert await (await superuser.execute(counters, (APP, FEED))).fetchall() == []


async def test_the_function_that_acts_as_the_owner_stays_behind_the_walls(
    database: LocalPostgres, attacked: AgencyId, rows: Rows
) -> None:
    event = rows["event"]
    later = {**event, "hash": "lain", "recorded_at": "2030-01-01T00:00:00Z"}
    call = "SELECT make_way(%(agency)s, %(cycle)s, %(person)s, %(segment)s, %(entries)s)"
    given = {**event, "entries": Json([later])}

    async with await connect(database, "lain") as connection:
        assert await (await connection.execute(call, given)).fetchone() == (0,)
    assert await the_row(database, "event", attacked) == event

    # The same call for the own agency reaches it; taken back, as others still look at the row.
    async with (
        await connect(database, attacked) as connection,
        connection.transaction(force_rollback=True),
    ):
        await connection.execute(call, given)
        assert await touched(connection, "SELECT * FROM event") == 0


async def test_what_is_told_across_agencies_is_narrow(superuser: psycopg.AsyncConnection) -> None:
    granted = """
        SELECT c.relname, a.attname FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relname <> 'schema_version'
            AND has_column_privilege(%s, c.oid, a.attnum, 'SELECT')
    """
    found = await (await superuser.execute(granted, (FEED,))).fetchall()

    assert {table for table, _ in found} == ACROSS_AGENCIES
    assert {column for _, column in found} <= NARROW


async def test_only_the_feeds_reader_is_let_through_every_wall(
    superuser: psycopg.AsyncConnection,
) -> None:
    """Every policy asks for the own agency, but for those of that one role and its tables."""
    query = """
        SELECT tablename, roles::text[], coalesce(qual, with_check) FROM pg_policies
        WHERE schemaname = 'public' AND coalesce(qual, with_check) NOT LIKE %s
    """
    found = await (await superuser.execute(query, ("%siklus.agency%",))).fetchall()

    open_to = {(table, tuple(roles)) for table, roles, _ in found}
    # The queue is filled by a trigger alone: nobody has the right to insert there.
    assert open_to <= {(table, (FEED,)) for table in ACROSS_AGENCIES} | {
        ("unsequenced", ("public",))
    }
    may_insert = "SELECT has_table_privilege(%s, 'unsequenced', 'INSERT')"
    for role in (APP, FEED):
        assert await (await superuser.execute(may_insert, (role,))).fetchone() == (False,)
