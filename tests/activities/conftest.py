"""An agency with a ledger on a real PostgreSQL, and a real mail server to write to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from siklus.activities.store import migrate
from siklus.activities.store.pool import Store
from siklus.services.local.mailbox import LocalMailbox
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId
from tests.activities.office import Office


@pytest.fixture(scope="session")
async def store(postgres: LocalPostgres) -> AsyncIterator[Store]:
    """The store as the services see it: as `siklus_app`, behind row-level security."""
    await asyncio.to_thread(migrate.upgrade, postgres.owner_url)
    async with Store(postgres.app_url) as store:
        yield store


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[LocalMailbox]:
    """A mail server that keeps what it is sent."""
    async with LocalMailbox(tmp_path / "mails") as mailbox:
        yield mailbox


@pytest.fixture
async def office(store: Store, mailbox: LocalMailbox) -> Office:
    """An agency of its own, with a unit in each zone and one person in it."""
    office = Office(store, mailbox, AgencyId(f"a-{uuid4().hex[:12]}"))
    await office.found()
    return office
