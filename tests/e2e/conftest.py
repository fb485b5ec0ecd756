"""The whole of Siklus, started once for all end-to-end tests."""

from collections.abc import AsyncIterator

import pytest

from siklus.services.local.stack import LocalStack


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[LocalStack]:
    """Everything from PostgreSQL to gRPC, with workflows that `VirtualTime` can move."""
    async with LocalStack(time_skipping=True) as running:
        yield running
