"""After a lively year nothing is left over: every evaluation ended, and nobody who left holds any.

`SIKLUS_PROVE=1` plays 300 people instead of 40; `SIKLUS_SEED` another year.
"""

import os
from collections.abc import AsyncIterator
from typing import Final
from uuid import uuid4

import pytest

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import checks, evaluations
from siklus.services.local.postgres import LocalPostgres
from siklus.services.rpc.checking import left_behind
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId
from tests.agency_year.year import CYCLE, AgencyYear

PROVE: Final = os.environ.get("SIKLUS_PROVE") == "1"
SIZE: Final = 300 if PROVE else 40
SEED: Final = int(os.environ.get("SIKLUS_SEED", "2026"))
OVER: Final = {Stage.COMPLETED, Stage.EXCLUDED, Stage.SEGMENT_CLOSED}
TO_THE_WRONG: Final = """
    SELECT count(*) FROM notice AS n
    JOIN person AS p ON p.agency = n.agency AND p.person = n.recipient
    WHERE n.agency = %(agency)s AND n.kind = 'REMINDER' AND n.planned_on = %(on)s
        AND (NOT p.active OR EXISTS (
            SELECT FROM person_leave AS away WHERE away.agency = n.agency
                AND away.person = n.recipient AND n.planned_on BETWEEN away.from_on AND away.to_on
        ))
"""
TWICE: Final = """
    SELECT count(*) FROM (
        SELECT FROM notice WHERE agency = %(agency)s AND kind = 'REMINDER'
        GROUP BY recipient, cycle, person, segment, task, task_opened_at, rung, due_on
        HAVING count(*) > 1
    ) AS twice
"""


async def count(store: Store, agency: AgencyId, question: str, **values: object) -> int:
    async with store.agency(agency) as connection:
        given = {"agency": agency, **values}
        row = await (await connection.execute(question.encode(), given)).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
async def patient(database: LocalPostgres) -> AsyncIterator[Store]:
    """A store that waits: nothing repeats for us what a busy machine kept from answering."""
    async with Store(database.app_url, patience=30, within=30) as store:
        yield store


@pytest.mark.timeout(1800 if PROVE else 300)
async def test_a_year_of_moves_and_departures_ends_with_nothing_left_over(
    patient: Store,
) -> None:
    store = patient
    agency = AgencyId(f"tahun-{uuid4().hex[:8]}")
    year = AgencyYear(store, agency, SIZE, SEED)
    await year.found()
    looked = 0

    async def nobody_who_left_holds_anything() -> None:
        nonlocal looked
        # Where Temporal is away: what the day brings is handed over by the next upkeep.
        async with store.agency(agency) as connection:
            assert await left_behind(connection, agency) == []
        assert await count(store, agency, TO_THE_WRONG, on=year.today) == 0
        looked += 1

    await year.play(nobody_who_left_holds_anything)

    records = year.running.records
    print(f"\n{len(records)} evaluations, {looked} days: {dict(year.happened)}")
    assert [(s.key.person, s.stage, s.tasks) for s in year.running.states()] == []
    assert {record.state.stage for record in records.values()} <= OVER
    assert all(
        record.state.ground is not None
        for record in records.values()
        if record.state.stage is Stage.EXCLUDED
    )
    for kind in ("moves", "new supervisors", "leaves", "mandates", "departures", "reminders"):
        assert year.happened[kind] > 0, kind
    assert await count(store, agency, TWICE) == 0
    assert await count(store, agency, "SELECT count(*) FROM task WHERE agency = %(agency)s") == 0
    async with store.agency(agency) as connection:
        found = [
            *await checks.of_evaluations(connection, agency, year.clock.now()),
            *await checks.of_changes(connection, agency, year.clock.now()),
        ]
    assert [each for each in found if not each.notice] == []
    for key, record in records.items():
        folded = await year.archive.load(key)
        assert folded is not None
        assert folded.evaluation == record.state, key
        async with store.agency(agency) as connection:
            row = await evaluations.get(connection, key)
        assert row is not None
        assert row.revision == record.state.revision
        assert row.cycle == CYCLE
