"""An agency of its own for each test, so that nothing has to be cleaned up."""

from uuid import uuid4

import pytest
from temporalio.client import Client

from siklus.activities.cohort import Cohorts
from siklus.activities.commanding import OnTemporal
from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import policies, roster
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.local.temporal import LocalTemporal
from siklus.services.temporal import data_converter
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports.cycle import CohortRef
from tests.keys import KEYS
from tests.store.case import Case
from tests.store.town import AT, CYCLE, PEOPLE, POLICY, make_cycle


@pytest.fixture
def agency() -> AgencyId:
    return AgencyId(f"a-{uuid4().hex[:12]}")


@pytest.fixture
def vault() -> Vault:
    return Vault(Keyring.generate())


@pytest.fixture
def projector(store: Store, vault: Vault) -> Projector:
    return Projector(store, vault)


@pytest.fixture
def case(agency: AgencyId) -> Case:
    return Case(agency)


@pytest.fixture
async def client(temporal_server: LocalTemporal) -> Client:
    return await Client.connect(temporal_server.address, data_converter=data_converter(KEYS))


@pytest.fixture
async def cohorts(store: Store, client: Client, vault: Vault) -> Cohorts:
    running = OnTemporal(client, Engine(client, Archive(store, vault), Clock()))
    return Cohorts(store, client, running, lambda: AT)


@pytest.fixture(autouse=True)
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[AgencyId, list[str]]]:
    """For which zones schedules were asked; real ones would start runs for other tests to meet."""
    asked: list[tuple[AgencyId, list[str]]] = []

    async def ensure_schedules(client: Client, agency: AgencyId, zones: list[str]) -> None:
        asked.append((agency, zones))

    monkeypatch.setattr("siklus.activities.cohort.ensure_schedules", ensure_schedules)
    return asked


@pytest.fixture
async def launched(store: Store, agency: AgencyId) -> CohortRef:
    """A cycle of an agency of nine, its policy published; nothing is frozen yet."""
    async with store.agency(agency) as connection:
        for code, zone in (("jkt", "Asia/Jakarta"), ("mks", "Asia/Makassar")):
            await roster.put_units(connection, agency, [Unit(code=code, name=code, zone=zone)])
        await roster.put_people(connection, agency, PEOPLE)
        await policies.publish(connection, agency, "source", lambda _: POLICY, at=AT, by="admin")
        await make_cycle(store, agency)
    return CohortRef(agency=agency, cycle=CYCLE)
