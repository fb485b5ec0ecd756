"""A client and a worker with the real workflow, for each test anew."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from siklus.services.local.temporal import LocalTemporal
from siklus.services.temporal import data_converter
from siklus.workflows.record import Record
from tests.keys import KEYS
from tests.workflows.memory import Memory, worker_of


@pytest.fixture
def memory() -> Memory:
    """Return activities of memory."""
    return Memory()


@pytest.fixture
def phase_ends_with_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run end where the plan is approved: the rating, where it does, is a year away."""
    monkeypatch.setattr(Record, "rating_open", Record.plan_in_force)


@pytest.fixture
async def client(temporal_server: LocalTemporal) -> Client:
    """Return a client with the shipped converter."""
    return await Client.connect(temporal_server.address, data_converter=data_converter(KEYS))


@pytest.fixture
async def worker(client: Client, memory: Memory) -> AsyncIterator[Worker]:
    """Run a worker like the shipped one."""
    async with worker_of(client, memory) as worker:
        yield worker
