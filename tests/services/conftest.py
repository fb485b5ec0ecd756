"""A real server over the agency's services: real interceptors, PostgreSQL and Temporal."""

from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest
from temporalio.client import Client

from siklus.activities.store.pool import Store
from siklus.services.clock import Clock
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.local.temporal import LocalTemporal
from siklus.services.rpc.cycles import Cycles
from siklus.services.rpc.policies import Policies
from siklus.services.rpc.roster import Roster
from siklus.services.rpc.tasks import Tasks
from siklus.services.temporal import data_converter
from siklus.v1 import (
    cycle_service_pb2_grpc,
    policy_service_pb2_grpc,
    roster_service_pb2_grpc,
    task_service_pb2_grpc,
)
from tests.services.desk import Desk, verify


@pytest.fixture(scope="session")
async def temporal(temporal_server: LocalTemporal) -> Client:
    """A client with the shipped converter; no worker serves what it starts."""
    return await Client.connect(temporal_server.address, data_converter=data_converter())


@pytest.fixture(scope="session")
async def clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest.fixture(scope="session")
async def agency_channel(
    store: Store, temporal: Client, clock: Clock
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server with the services of agencies."""
    server = grpc.aio.server(interceptors=chain(verify), options=list(SERVER_OPTIONS))
    policy_service_pb2_grpc.add_PolicyServiceServicer_to_server(Policies(store, clock), server)
    roster_service_pb2_grpc.add_RosterServiceServicer_to_server(Roster(store, clock), server)
    cycle_service_pb2_grpc.add_CycleServiceServicer_to_server(
        Cycles(store, temporal, clock), server
    )
    task_service_pb2_grpc.add_TaskServiceServicer_to_server(Tasks(store, clock), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


@pytest.fixture
def desk(agency_channel: grpc.aio.Channel) -> Desk:
    """A new agency, which has nothing yet."""
    return Desk(agency_channel, f"a-{uuid4().hex[:12]}")
