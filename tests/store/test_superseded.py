"""What a lost workflow task wrote steps aside for what was decided in its place."""

from datetime import timedelta

import psycopg
import pytest
from temporalio.exceptions import ApplicationError

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations, history
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import limits
from tests.store.case import EVALUATION_TABLES, Case, contents

LATER = timedelta(seconds=10)
RECORD = [table for table in EVALUATION_TABLES if table not in {"participant", "prose"}]


@pytest.fixture
async def attempts(agency: AgencyId, projector: Projector) -> tuple[Case, Case]:
    """Two attempts at one evaluation whose plan waits for its review; the second comes later."""
    lost, taken = Case(agency), Case(agency)
    for each in (lost, taken):
        await projector.project(each.submits_plan().taken())
    taken.now += LATER
    return lost, taken


async def recorded(store: Store, case: Case) -> list[Entry]:
    async with store.agency(case.key.agency) as connection:
        return [row.entry() for row in await history.page(connection, case.key, limit=100)]


async def aside(store: Store, case: Case) -> list[tuple[int, str]]:
    async with store.agency(case.key.agency) as connection:
        rows = await connection.execute("SELECT number, hash FROM superseded ORDER BY number")
        return await rows.fetchall()


async def test_the_same_decision_taken_again_stands_in_place_of_the_lost_one(
    store: Store, projector: Projector, attempts: tuple[Case, Case]
) -> None:
    lost, taken = attempts
    gone = lost.plan_returned().projection().entries
    await projector.project(lost.projection())

    stands = taken.plan_returned().projection()
    await projector.project(stands)

    assert (await recorded(store, taken))[2:] == list(stands.entries)
    assert await aside(store, taken) == [(entry.number, entry.hash) for entry in gone]
    async with store.agency(taken.key.agency) as connection:
        row = await evaluations.get(connection, taken.key)
    assert row is not None
    assert (row.revision, row.document) == (stands.revision, stands.document)


async def test_nothing_of_a_lost_decision_stays_in_the_record(
    store: Store, projector: Projector, agency: AgencyId, attempts: tuple[Case, Case]
) -> None:
    lost, taken = attempts
    await projector.project(lost.plan_returned().submits_plan().projection())

    await projector.project(taken.does("siti", c.WithdrawPlan()).projection())

    found = await contents(store, agency, RECORD)
    assert [row["kind"] for row in sorted(found["event"], key=lambda row: row["number"])] == [
        "evaluation_opened",
        "plan_submitted",
        "plan_withdrawn",
    ]
    assert [row["task"] for row in found["task"]] == ["SUBMIT_PLAN"]
    assert [row["actor"] for row in found["task_actor"]] == ["siti"]
    assert found["notice"] == []
    assert len(await aside(store, taken)) == 2


async def test_a_lost_decision_behind_one_that_counts_goes_alone(
    store: Store, projector: Projector, attempts: tuple[Case, Case]
) -> None:
    lost, taken = attempts
    taken.now -= LATER
    for each in (lost, taken):
        each.plan_returned()
    taken.now += LATER
    await projector.project(lost.submits_plan().projection())

    await projector.project(taken.submits_plan().projection())

    assert (await recorded(store, taken))[2:] == list(taken.projection().entries)
    assert [number for number, _ in await aside(store, taken)] == [4]


async def test_whoever_was_lost_and_writes_after_all_changes_nothing(
    store: Store, projector: Projector, agency: AgencyId, attempts: tuple[Case, Case]
) -> None:
    lost, taken = attempts
    await projector.project(taken.plan_returned().projection())
    before = await contents(store, agency)

    with pytest.raises(ApplicationError) as caught:
        await projector.project(lost.plan_returned().submits_plan().projection())

    assert caught.value.type == limits.DIVERGED
    assert await contents(store, agency) == before
    assert await aside(store, taken) == []


async def test_what_another_run_decided_never_makes_way(
    store: Store, projector: Projector, agency: AgencyId, attempts: tuple[Case, Case]
) -> None:
    stands, stale = attempts
    await projector.project(stands.plan_returned().projection())
    before = await contents(store, agency)

    stale.run = "run-2"
    with pytest.raises(ApplicationError) as caught:
        await projector.project(stale.does("siti", c.WithdrawPlan()).projection())

    assert caught.value.type == limits.DIVERGED
    assert await contents(store, agency) == before


async def test_an_opening_may_be_lost_too(
    store: Store, projector: Projector, agency: AgencyId
) -> None:
    lost = Case(agency)
    await projector.project(lost.projection())
    taken = Case(agency, opened_at=lost.now + LATER)

    await projector.project(taken.projection())

    assert await recorded(store, taken) == list(taken.projection().entries)
    (row,) = (await contents(store, agency, ("evaluation",)))["evaluation"]
    assert row["opened_at"].startswith("2026-01-05T02:00:10")


@pytest.mark.parametrize("role", ["app", "owner", "superuser"])
async def test_nobody_makes_way_by_hand(
    database: LocalPostgres, projector: Projector, case: Case, role: str
) -> None:
    await projector.project(case.projection())
    url = {"app": database.app_url, "owner": database.owner_url}.get(role, database.superuser_url)

    async with await psycopg.AsyncConnection.connect(url) as connection:
        for name, value in (("siklus.agency", case.key.agency), ("siklus.making_way", "yes")):
            await connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("DELETE FROM event")
