"""Which evaluations an operation takes, and what is kept of each."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import operations, selection
from siklus.activities.store.queries.operations import Became, OperationRow, Outcome, State
from siklus.activities.store.queries.selection import FIRST, Place, Selection
from siklus.workflows.domain.commands import Cancel
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId, Role
from tests.store.case import Case

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)


@pytest.fixture
async def connection(
    store: Store, projector: Projector, agency: AgencyId
) -> AsyncIterator[Connection]:
    """Three evaluations: one plan waits, one is under review, one was called off."""
    waiting = Case(agency, person="siti")
    review = Case(agency, person="wayan", supervisor="dewi").submits_plan()
    ended = Case(agency, person="yos").does(
        "tim", Cancel(prose={"reason": "Keliru"}), Role.AGENCY_ADMIN
    )
    other = Case(agency, person="siti", cycle="2025")
    for case in (waiting, review, ended, other):
        await projector.project(case.projection())
    async with store.agency(agency) as opened:
        yield opened


async def matching(connection: Connection, agency: AgencyId, wanted: Selection) -> list[str]:
    rows = await selection.page(connection, agency, wanted, after=FIRST, limit=50)
    assert await selection.count(connection, agency, wanted) == len(rows)
    return [f"{row.cycle}/{row.person}" for row in rows]


async def test_each_filter_takes_what_it_says_and_several_must_all_hold(
    connection: Connection, agency: AgencyId
) -> None:
    everything = {"2025/siti", "2026/siti", "2026/wayan"}

    async def taken(**filters: object) -> set[str]:
        return set(await matching(connection, agency, Selection.model_validate(filters)))

    assert await taken() == everything
    assert await taken(ended=True) == {"2026/yos"}
    assert await taken(cycle="2026") == {"2026/siti", "2026/wayan"}
    assert await taken(people=("siti",)) == {"2025/siti", "2026/siti"}
    assert await taken(stages=("PLAN_REVIEW",)) == {"2026/wayan"}
    assert await taken(tasks=("SUBMIT_PLAN",)) == {"2025/siti", "2026/siti"}
    assert await taken(holder="dewi") == {"2026/wayan"}
    assert await taken(supervisor="budi") == {"2025/siti", "2026/siti"}
    assert await taken(involved="dewi") == {"2026/wayan"}
    assert await taken(involved="nobody") == set()
    assert await taken(late_at=NOW + timedelta(days=400)) == everything
    assert await taken(late_at=NOW - timedelta(days=90)) == set()
    assert await taken(cycle="2026", people=("siti", "wayan"), supervisor="dewi") == {"2026/wayan"}
    assert await taken(units=("nowhere",)) == set()


async def test_a_list_is_drawn_up_once_and_each_outcome_kept_once(
    connection: Connection, agency: AgencyId
) -> None:
    row = await entered(connection, agency)
    await operations.freeze(connection, agency, row)
    await operations.freeze(connection, agency, row)
    frozen = await operations.get(connection, agency, "op-1")
    assert frozen is not None
    assert (frozen.state, frozen.total) == (State.APPLYING, 2)

    first, second = await operations.waiting(connection, agency, "op-1", limit=5)
    assert first == EvaluationKey(agency=agency, cycle=CycleId("2026"), person=PersonId("siti"))
    done = Became(first, Outcome.APPLIED, revision=2)
    await operations.note(connection, agency, "op-1", [done], at=NOW)
    again = Became(first, Outcome.REFUSED, reason="WRONG_STAGE", message="no")
    await operations.note(connection, agency, "op-1", [again], at=NOW + timedelta(hours=1))
    assert await operations.waiting(connection, agency, "op-1", limit=5) == [second]

    await operations.steered(connection, agency, "op-1", State.PAUSED)
    await operations.finish(connection, agency, "op-1", State.CANCELLED, at=NOW)
    await operations.steered(connection, agency, "op-1", State.APPLYING)
    over = await operations.get(connection, agency, "op-1")
    assert over is not None
    assert (over.state, over.finished_at) == (State.CANCELLED, NOW)
    counts = dict(await operations.counts(connection, agency, "op-1"))
    assert counts == {Outcome.APPLIED: 1, Outcome.CANCELLED: 1}
    (kept,) = await operations.results(connection, agency, "op-1", Outcome.APPLIED, limit=5)
    assert (kept.person, kept.revision, kept.done_at) == ("siti", 2, NOW)
    after = Place("2026", "siti", 1)
    (rest,) = await operations.results(connection, agency, "op-1", None, after=after, limit=5)
    assert (rest.person, rest.outcome) == ("wayan", Outcome.CANCELLED)
    assert [each.operation for each in await newest(connection, agency)] == ["op-1"]


async def newest(connection: Connection, agency: AgencyId) -> list[OperationRow]:
    return await operations.page(connection, agency, before=("infinity", ""), limit=5)


async def test_one_that_is_paused_before_its_list_is_drawn_up_gets_its_list_all_the_same(
    connection: Connection, agency: AgencyId
) -> None:
    row = await entered(connection, agency)
    await operations.steered(connection, agency, "op-1", State.PAUSED)

    await operations.freeze(connection, agency, row)

    frozen = await operations.get(connection, agency, "op-1")
    assert frozen is not None
    assert (frozen.state, frozen.total) == (State.PAUSED, 2)
    await operations.steered(connection, agency, "op-1", State.APPLYING)
    assert len(await operations.waiting(connection, agency, "op-1", limit=5)) == 2


async def entered(connection: Connection, agency: AgencyId) -> OperationRow:
    row = OperationRow(
        operation="op-1",
        cycle=CycleId("2026"),
        command="cancel",
        body="{}",
        selection=Selection(cycle=CycleId("2026")).model_dump_json(),
        asked=b"",
        reason="Keliru",
        state=State.PREPARING,
        pace=0,
        total=0,
        created_by=PersonId("tim"),
        created_at=NOW,
    )
    await operations.add(connection, agency, row)
    return row
