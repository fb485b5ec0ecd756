"""Watching evaluations: what is recorded comes at once, to whom it concerns, and only once."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.local.postgres import LocalPostgres
from siklus.v1 import evaluation_pb2
from siklus.workflows.domain.values import AgencyId
from tests.keys import KEYS
from tests.services.watchers import WatchedServer, watched_server, watching
from tests.store.case import Case


@pytest.fixture
def agency() -> AgencyId:
    return AgencyId(f"a-{uuid4().hex[:12]}")


@pytest.fixture
def projector(store: Store) -> Projector:
    return Projector(store, Vault(KEYS))


@pytest.fixture(scope="session")
async def server(store: Store, database: LocalPostgres) -> AsyncIterator[WatchedServer]:
    async with watched_server(store, database.feed_url) as running:
        yield running


async def test_what_is_recorded_is_sent_as_it_happens(
    server: WatchedServer, projector: Projector, agency: AgencyId
) -> None:
    case = Case(agency)
    watch = await watching(server, agency)

    await projector.project(case.taken())
    opened = await watch.change()
    await projector.project(case.submits_plan().taken())
    submitted = await watch.change()

    assert (opened.seq, opened.kind) == (1, "evaluation_opened")
    assert submitted.name == f"agencies/{agency}/cycles/2026/evaluations/siti.1"
    assert (submitted.seq, submitted.kind, submitted.actor) == (2, "plan_submitted", "siti")
    assert submitted.hash == case.record.state.head
    assert (submitted.unit, submitted.supervisor) == (case.projection().unit, "budi")
    assert submitted.stage == evaluation_pb2.STAGE_PLAN_REVIEW
    assert submitted.occurred_at.ToDatetime(tzinfo=case.now.tzinfo) == case.now
