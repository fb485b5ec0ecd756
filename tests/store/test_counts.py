"""Counts by stage, unit and lateness, and the most urgent first: as the rows have it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import counts, roster
from siklus.activities.store.queries.counts import AtRiskRow
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.values import AgencyId, CycleId
from tests.store.case import OPENED_AT, Case

CYCLE = CycleId("2026")
PEOPLE = [f"p{number:02}" for number in range(12)]
LATER = OPENED_AT + timedelta(days=60)


@pytest.fixture
async def many(projector: Projector, store: Store, agency: AgencyId) -> list[Case]:
    """Twelve plans in three units, two of them one under the other; every third is submitted."""
    async with store.agency(agency) as connection:
        for code, parent in (("dinas", ""), ("seksi", "dinas"), ("lain", "")):
            new = Unit(code=code, name=code, zone="Asia/Jakarta", parent=parent or None)
            await roster.put_units(connection, agency, [new])
    cases = []
    for number, person in enumerate(PEOPLE):
        opened_at = OPENED_AT if number % 2 else LATER
        case = Case(agency, person, opened_at=opened_at)
        if number % 3 == 0:
            case.submits_plan()
        unit = ("dinas", "seksi", "lain")[number % 3]
        await projector.project(case.taken().model_copy(update={"unit": unit}))
        cases.append(case)
    return cases


async def all_at_risk(
    store: Store, agency: AgencyId, until: datetime, unit: str = ""
) -> list[AtRiskRow]:
    found: list[AtRiskRow] = []
    while True:
        after = (found[-1].next_due_at, found[-1].person, found[-1].segment) if found else None
        async with store.agency(agency) as connection:
            page = await counts.at_risk(
                connection, agency, CYCLE, unit=unit, until=until, after=after, limit=5
            )
        found += page
        if len(page) < 5:
            return found


async def test_counts_are_what_counting_one_by_one_gives(
    store: Store, agency: AgencyId, many: list[Case]
) -> None:
    due = {case.key.person: case.record.state.tasks[0].due for case in many}
    instants = sorted({each.due_at for each in due.values() if each})
    late, soon = instants[0], instants[1]

    async with store.agency(agency) as connection:
        by_unit = await counts.counts(
            connection, agency, CYCLE, unit="", by_unit=True, late=late, soon=soon, limit=100
        )
        below = await counts.counts(
            connection, agency, CYCLE, unit="dinas", by_unit=False, late=late, soon=None, limit=100
        )
        rows = await connection.execute("SELECT stage, unit, next_due_at FROM evaluation")
        expected = Counter[tuple[str, str, str]]()
        for stage, unit, at in await rows.fetchall():
            how = "late" if at <= late else "soon" if at <= soon else "in time"
            expected[stage, unit, how] += 1

    counted = Counter[tuple[str, str, str]]()
    for group in by_unit:
        assert group.all == group.dated
        counted[group.stage, group.unit, "late"] = group.late
        counted[group.stage, group.unit, "soon"] = group.late_or_soon - group.late
        counted[group.stage, group.unit, "in time"] = group.dated - group.late_or_soon
    assert +counted == expected
    assert len({how for _, _, how in expected}) == 3
    assert [(group.unit, group.all) for group in below] == [("", 4), ("", 4)]
    assert [group.late_or_soon for group in below] == [group.late for group in below]


async def test_the_most_urgent_come_first_page_by_page(
    store: Store, agency: AgencyId, many: list[Case]
) -> None:
    found = await all_at_risk(store, agency, datetime(2027, 1, 1, tzinfo=UTC))

    assert sorted(row.person for row in found) == PEOPLE
    order = [(row.next_due_at, row.person) for row in found]
    assert order == sorted(order)
    assert {row.task for row in found} == {"SUBMIT_PLAN", "REVIEW_PLAN"}
    assert {row.holder for row in found if row.task == "REVIEW_PLAN"} == {"budi"}
    early = await all_at_risk(store, agency, found[0].next_due_at)
    assert 0 < len(early) < len(PEOPLE)
    assert await all_at_risk(store, agency, found[0].next_due_at - timedelta(seconds=1)) == []
    below = await all_at_risk(store, agency, datetime(2027, 1, 1, tzinfo=UTC), "dinas")
    assert {row.unit for row in below} == {"dinas", "seksi"}
