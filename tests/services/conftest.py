"""A real server over the agency's services: real interceptors, PostgreSQL and Temporal."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import uuid4

import grpc
import pytest
from temporalio.client import Client

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.clock import Clock
from siklus.services.local.temporal import LocalTemporal
from siklus.services.temporal import data_converter
from siklus.workflows.domain.values import AgencyId
from tests.keys import KEYS
from tests.services.desk import Desk
from tests.services.lending import LINE
from tests.services.serving import serving


@pytest.fixture(scope="session")
async def temporal(temporal_server: LocalTemporal) -> Client:
    """A client with the shipped converter; no worker serves what it starts."""
    return await Client.connect(temporal_server.address, data_converter=data_converter(KEYS))


@pytest.fixture(autouse=True)
def kept_up(monkeypatch: pytest.MonkeyPatch) -> list[AgencyId]:
    """Whose upkeep was asked for; real schedules would start runs for other tests to meet."""
    asked: list[AgencyId] = []

    async def ensure_upkeep(client: Client, agency: AgencyId) -> None:
        asked.append(agency)

    monkeypatch.setattr("siklus.services.rpc.tickets.ensure_upkeep", ensure_upkeep)
    return asked


@pytest.fixture(scope="session")
async def clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest.fixture(scope="session")
async def agency_channel(
    store: Store, temporal: Client, clock: Clock
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server with the services of agencies."""
    async with serving(store, temporal, clock) as channel:
        yield channel


@pytest.fixture
def desk(agency_channel: grpc.aio.Channel) -> Desk:
    """A new agency, which has nothing yet."""
    return Desk(agency_channel, f"a-{uuid4().hex[:12]}")


@pytest.fixture
async def office(desk: Desk) -> Desk:
    """An agency with a line of seven people, the head first."""
    await desk.staffed(LINE)
    return desk


@pytest.fixture
def projector(store: Store) -> Projector:
    """What brings evaluations into the record."""
    return Projector(store, Vault(Keyring.generate()))


@pytest.fixture
def today(clock: Clock) -> date:
    """The day in the zone of desks' units."""
    return (clock.now() + timedelta(hours=8)).date()
