"""An agency of its own for each test, and a database where nobody else sequences."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import psycopg
import pytest

from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId


@pytest.fixture
def agency() -> AgencyId:
    return AgencyId(f"a-{uuid4().hex[:12]}")


@pytest.fixture
async def apart(postgres: LocalPostgres) -> AsyncIterator["partial[str]"]:
    """The URL of an empty database by role."""
    name = f"d_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(
        postgres.superuser_url, autocommit=True
    ) as superuser:
        await superuser.execute(f"CREATE DATABASE {name} OWNER siklus_owner".encode())
        yield partial(postgres.url, database=name)
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
