"""The schema's history: up, down, twice at once, and equal to the table definitions."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from siklus.activities.store import migrate, roles
from siklus.activities.store.roles import RoleNotReady
from siklus.services.local.postgres import LocalPostgres


@pytest.fixture
async def empty(postgres: LocalPostgres) -> AsyncIterator[str]:
    """The owner's URL of a database without tables."""
    name = f"d_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(
        postgres.superuser_url, autocommit=True
    ) as superuser:
        create = sql.SQL("CREATE DATABASE {} OWNER siklus_owner").format(sql.Identifier(name))
        await superuser.execute(create)
        yield postgres.url("siklus_owner", name)
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        await superuser.execute(drop)


async def relations(url: str) -> set[str]:
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return {name for (name,) in await (await connection.execute(query)).fetchall()}


async def test_the_newest_version_is_what_the_tables_say(empty: str) -> None:
    await asyncio.to_thread(migrate.upgrade, empty)

    assert await asyncio.to_thread(migrate.current, empty) == migrate.newest()
    assert await asyncio.to_thread(migrate.differences, empty) == []


async def test_a_forgotten_migration_would_be_seen(empty: str) -> None:
    await asyncio.to_thread(migrate.upgrade, empty)
    async with await psycopg.AsyncConnection.connect(empty) as connection:
        await connection.execute("ALTER TABLE unit DROP COLUMN approver")
        await connection.execute("DROP INDEX person_agency_unit_person_idx")

    differences = await asyncio.to_thread(migrate.differences, empty)

    assert sorted(str(difference)[:13] for difference in differences) == [
        "('add_column'",
        "('add_index',",
    ]


async def test_down_to_nothing_and_up_again(empty: str) -> None:
    await asyncio.to_thread(migrate.upgrade, empty)
    first = await relations(empty)

    await asyncio.to_thread(migrate.downgrade, empty, "base")

    assert await relations(empty) == {"schema_version", "schema_version_pkc"}
    await asyncio.to_thread(migrate.upgrade, empty)
    assert await relations(empty) == first


async def test_two_at_once_migrate_once(empty: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, empty) for _ in range(3)))

    assert await asyncio.to_thread(migrate.differences, empty) == []


async def test_a_missing_role_is_said_and_leaves_nothing_behind(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "FEED", "siklus_nobody")

    with pytest.raises(RoleNotReady, match="the role siklus_nobody does not exist"):
        await asyncio.to_thread(migrate.upgrade, empty)

    assert await relations(empty) == set()


async def test_a_role_that_passes_the_walls_is_refused(postgres: LocalPostgres) -> None:
    with (
        superuser(postgres, "CREATE ROLE siklus_exempt BYPASSRLS", "DROP ROLE siklus_exempt"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(roles, "APP", "siklus_exempt")
        engine = create_engine(
            postgres.owner_url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool
        )
        with engine.connect() as connection, pytest.raises(RoleNotReady, match="passes row-level"):
            roles.require_roles(connection)


def test_an_owner_who_passes_the_walls_is_refused(postgres: LocalPostgres) -> None:
    url = postgres.superuser_url.replace("postgresql:", "postgresql+psycopg:")
    with (
        create_engine(url, poolclass=NullPool).connect() as connection,
        pytest.raises(RoleNotReady, match="the role postgres passes row-level"),
    ):
        roles.require_roles(connection)


@contextmanager
def superuser(postgres: LocalPostgres, before: str, after: str) -> Iterator[None]:
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(before.encode())
        try:
            yield
        finally:
            connection.execute(after.encode())
