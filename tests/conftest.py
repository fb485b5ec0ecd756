"""The servers every test of the session shares."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from siklus.activities.store import migrate
from siklus.activities.store.pool import Store
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.temporal import TIME_SKIPPING, LocalTemporal
from siklus.workflows import names
from tests.served import Served, served_stack

WHOLE_SYSTEM = ("faults", "e2e", "clients", "docs", "bench", "attacks")
"""Folders with the long files."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files, or one core would wait for the last of them on the other."""
    folder = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(folder).parts[0] not in WHOLE_SYSTEM)


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[LocalPostgres]:
    """A PostgreSQL with the three roles and the empty database `siklus`."""
    async with LocalPostgres(fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
async def database(postgres: LocalPostgres) -> LocalPostgres:
    """The same server with its tables."""
    await asyncio.to_thread(migrate.upgrade, postgres.owner_url)
    return postgres


@pytest.fixture(scope="session")
async def store(database: LocalPostgres) -> AsyncIterator[Store]:
    """The store as services see it: as `siklus_app`, behind row-level security."""
    async with Store(database.app_url) as store:
        yield store


@pytest.fixture(scope="session")
async def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalTemporal]:
    """A Temporal server in memory whose workflows `VirtualTime` can move."""
    log: Path = tmp_path_factory.mktemp("temporal") / "temporal.log"
    async with LocalTemporal(
        log=log, search_attributes=names.SEARCH_ATTRIBUTES, dynamic_config=TIME_SKIPPING
    ) as server:
        yield server


@pytest.fixture(scope="session")
async def served() -> AsyncIterator[Served]:
    """Everything, with a server and a worker that are processes of their own."""
    async with served_stack() as running:
        yield running
