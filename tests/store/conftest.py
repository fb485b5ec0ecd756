"""An agency of its own for each test, so that nothing has to be cleaned up."""

from uuid import uuid4

import pytest

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.workflows.domain.values import AgencyId
from tests.store.case import Case


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
