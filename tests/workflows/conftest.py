"""A worker with the real workflow and activities of memory: the store is tested elsewhere."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from siklus.services.local.temporal import LocalTemporal
from siklus.services.temporal import data_converter, workflow_runner
from siklus.workflows import names, ports
from siklus.workflows.evaluation import EvaluationWorkflow


@dataclass
class Memory:
    """Activities that keep what they are given; told to be away, they fail."""

    line: dict[str, str | None] = field(default_factory=dict)
    projections: dict[str, list[ports.Projection]] = field(default_factory=dict)
    away: bool = False

    @activity.defn(name="project")
    async def project(self, projection: ports.Projection) -> None:
        """Keep the projection."""
        if self.away:
            raise ApplicationError("the store is away")
        self.projections.setdefault(str(projection.key), []).append(projection)

    @activity.defn(name="superior_of")
    async def superior_of(self, lookup: ports.Lookup) -> ports.Superior:
        """Answer from the line."""
        return ports.Superior(person=self.line.get(lookup.person))

    def numbers(self, key: object) -> list[int]:
        """Return the numbers of all entries projected for an evaluation, in order."""
        pages = self.projections.get(str(key), [])
        return [entry.number for page in pages for entry in page.entries]


@pytest.fixture
def memory() -> Memory:
    """Return activities of memory."""
    return Memory()


@pytest.fixture
async def client(temporal_server: LocalTemporal) -> Client:
    """Return a client with the shipped converter."""
    return await Client.connect(temporal_server.address, data_converter=data_converter())


@pytest.fixture
async def worker(client: Client, memory: Memory) -> AsyncIterator[Worker]:
    """Run a worker that replays at every task, as after an eviction."""
    worker = Worker(
        client,
        task_queue=names.EVALUATION_QUEUE,
        workflows=[EvaluationWorkflow],
        activities=[memory.project, memory.superior_of],
        workflow_runner=workflow_runner(),
        max_cached_workflows=0,
    )
    async with worker:
        yield worker
