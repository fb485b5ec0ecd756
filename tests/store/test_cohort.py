"""Launching a cohort: judged once with reasons, started once each, however often it is repeated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from siklus.activities.cohort import Cohorts
from siklus.activities.projection import Projector
from siklus.activities.seating import seats
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cohort, cycles, days, policies, roster
from siklus.activities.store.queries import members as queries
from siklus.activities.store.queries.cycles import CycleRow
from siklus.workflows import names
from siklus.workflows.domain.calendar import DayOff
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId
from siklus.workflows.ports.cycle import CohortRef, PageOutcome
from siklus.workflows.ports.evaluation import Lookup
from tests.store.case import Case
from tests.store.town import (
    AT,
    CYCLE,
    POLICY,
    freeze,
    make_cycle,
    members,
    person,
    start_page,
    started,
)


async def test_everybody_is_judged_once_with_a_reason(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    assert await freeze(cohorts, launched) == 4

    judged = {
        "agus": "NO_RATER", "budi": None, "dewi": "SUPERVISOR_INACTIVE", "eka": None,
        "later": "JOINED_LATER", "left": "INACTIVE", "rina": None, "siti": None,
        "wayan": "UNKNOWN_SUPERVISOR",
    }  # fmt: skip
    assert await members(store, launched.agency) == judged

    async with store.agency(launched.agency) as connection:
        await roster.put_people(connection, launched.agency, [person("new", "budi")])
    assert await freeze(cohorts, launched) == 4
    assert await members(store, launched.agency) == judged


async def test_an_agency_has_its_schedules_before_anybody_is_started(
    cohorts: Cohorts, launched: CohortRef, scheduled: list[tuple[AgencyId, list[str]]]
) -> None:
    await freeze(cohorts, launched)

    assert scheduled == [(launched.agency, ["Asia/Jakarta", "Asia/Makassar"])]


async def test_a_cycle_of_some_units_with_a_rater_at_the_top(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    child = Unit(code="seksi", name="Seksi", zone="Asia/Jakarta", parent="jkt")
    async with store.agency(launched.agency) as connection:
        await roster.put_units(connection, launched.agency, [child])
        moved = person("rina", "agus", unit="seksi")
        await roster.put_people(connection, launched.agency, [moved])
    await make_cycle(store, launched.agency, units=("jkt",), top_rater="eka")

    assert await freeze(cohorts, launched) == 4

    found = await members(store, launched.agency)
    assert [who for who, reason in found.items() if reason is None] == [
        "agus", "budi", "rina", "siti",
    ]  # fmt: skip
    assert found["eka"] == "OUTSIDE_UNITS"


async def test_a_start_holds_seats_calendar_and_rules(
    store: Store, client: Client, cohorts: Cohorts, launched: CohortRef
) -> None:
    agency = launched.agency
    async with store.agency(agency) as connection:
        await days.replace(
            connection, agency, "mks", 2026, [DayOff(on=date(2026, 6, 17), name="Galungan")]
        )
    await freeze(cohorts, launched)

    assert await start_page(cohorts, launched) == PageOutcome(started=4, already=0, cursor=None)

    siti = await started(client, agency, "siti")
    eka = await started(client, agency, "eka")
    assert siti is not None
    assert eka is not None
    assert siti.participants.model_dump() == {
        "employee": "siti", "supervisor": "budi", "superior": "rina", "approver": "agus",
    }  # fmt: skip
    assert siti.superiors == {"budi": "rina"}
    assert (siti.served_from_on, siti.unit) == (date(2026, 5, 1), "jkt")
    assert eka.served_from_on == date(2026, 1, 1)
    assert siti.terms.policy == POLICY
    calendar = eka.terms.calendar
    assert calendar.zone == "Asia/Makassar"
    assert [day.name for day in calendar.days_off if day.on == date(2026, 6, 17)] == ["Galungan"]
    assert await started(client, agency, "agus") is None
    async with store.agency(agency) as connection:
        assert await policies.calendar(connection, agency, digest_of(calendar)) == calendar


async def test_starting_twice_starts_once(
    store: Store, client: Client, cohorts: Cohorts, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    await start_page(cohorts, launched)

    assert await start_page(cohorts, launched) == PageOutcome(started=0, already=0, cursor=None)

    # Died before it could note them: the running ones are met again and counted as started.
    async with store.agency(launched.agency) as connection:
        await connection.execute("UPDATE member SET started_at = NULL")
    assert await start_page(cohorts, launched) == PageOutcome(started=4, already=0, cursor=None)
    async with store.agency(launched.agency) as connection:
        progress = await cycles.progress(connection, launched.agency, CYCLE)
    assert (progress.cohort, progress.started, progress.excluded) == (9, 4, 5)


async def test_whoever_was_started_and_is_not_on_record_is_counted_segment_by_segment(
    store: Store, cohorts: Cohorts, projector: Projector, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    await start_page(cohorts, launched)
    for person_on_record in ("rina", "siti"):
        await projector.project(Case(launched.agency, person_on_record).taken())

    async with store.agency(launched.agency) as connection:
        assert await queries.unrecorded(connection, launched.agency, CYCLE) == 2
        await connection.execute("UPDATE member SET segment = 2 WHERE person = 'siti'")
        assert await queries.unrecorded(connection, launched.agency, CYCLE) == 3


async def test_an_ended_evaluation_is_not_started_again(
    store: Store, client: Client, cohorts: Cohorts, projector: Projector, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    await start_page(cohorts, launched)
    key = EvaluationKey(agency=launched.agency, cycle=CYCLE, person=PersonId("siti"))
    await client.get_workflow_handle(names.evaluation_workflow_id(key)).terminate()
    async with store.agency(launched.agency) as connection:
        await connection.execute("UPDATE member SET started_at = NULL")
    # Of another one even Temporal has forgotten that it ran; its row is still there.
    await projector.project(Case(launched.agency, "rina").taken())

    outcome = await start_page(cohorts, launched)

    assert outcome == PageOutcome(started=3, already=1, cursor=None)
    handle = client.get_workflow_handle(names.evaluation_workflow_id(key))
    status = (await handle.describe()).status
    assert status is not None
    assert status.name == "TERMINATED"


async def test_pages_go_on_from_their_cursor_and_from_the_last_heartbeat(
    client: Client, cohorts: Cohorts, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    beats: list[object] = []

    first = await start_page(cohorts, launched, size=2, on_heartbeat=beats.append)
    assert first == PageOutcome(started=2, already=0, cursor=PersonId("eka"))
    assert beats[-1] == "eka"

    rest = await start_page(cohorts, launched, after="eka", size=2, reached="rina")
    assert (rest.started, rest.cursor) == (1, "siti")
    assert await started(client, launched.agency, "rina") is None

    end = await start_page(cohorts, launched, after="siti", size=2)
    assert end == PageOutcome(started=0, already=0, cursor=None)


@asynccontextmanager
async def row_in_use(store: Store, agency: AgencyId, table: str) -> AsyncIterator[None]:
    """Have somebody else keep the rows of a table locked."""
    async with store.agency(agency) as connection, connection.transaction():
        await connection.execute(f"SELECT FROM {table} FOR UPDATE".encode())
        yield


async def test_a_freeze_and_a_page_that_take_long_give_signs_of_life(
    store: Store, cohorts: Cohorts, launched: CohortRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.activities.heartbeat.EVERY_SECONDS", 0.02)
    beats: list[object] = []

    async def several_more() -> None:
        enough = len(beats) + 5
        for _ in range(1000):
            if len(beats) >= enough:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("no sign of life")

    async with row_in_use(store, launched.agency, "cycle"):
        freezing = asyncio.create_task(freeze(cohorts, launched, beats.append))
        await several_more()
        assert not freezing.done()
    assert await freezing == 4

    async with row_in_use(store, launched.agency, "member"):
        starting = asyncio.create_task(start_page(cohorts, launched, on_heartbeat=beats.append))
        await several_more()
        assert not starting.done()
    assert (await starting).started == 4
    assert (beats[0], beats[-1]) == ("", "siti")
    after = len(beats)
    await asyncio.sleep(0.1)
    assert len(beats) == after


async def test_whoever_lost_every_superior_since_the_freeze_is_left_out(
    store: Store, client: Client, cohorts: Cohorts, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    async with store.agency(launched.agency) as connection:
        await roster.put_people(connection, launched.agency, [person("agus", None, active=False)])

    assert (await start_page(cohorts, launched)).started == 2

    found = await members(store, launched.agency)
    assert (found["eka"], found["rina"]) == ("SUPERVISOR_INACTIVE", "SUPERVISOR_INACTIVE")
    assert await started(client, launched.agency, "eka") is None


async def test_whoever_left_since_the_freeze_is_left_out(
    store: Store, client: Client, cohorts: Cohorts, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    async with store.agency(launched.agency) as connection:
        gone = person("siti", "budi", active=False)
        await roster.put_people(connection, launched.agency, [gone])

    assert (await start_page(cohorts, launched)).started == 3

    assert (await members(store, launched.agency))["siti"] == "INACTIVE"
    assert await started(client, launched.agency, "siti") is None


async def test_a_preview_tells_the_same_and_starts_nothing(
    store: Store, cohorts: Cohorts, projector: Projector, launched: CohortRef
) -> None:
    agency, ends_on = launched.agency, date(2026, 12, 31)
    await projector.project(Case(agency, "siti").taken())
    async with store.agency(agency) as connection:
        first = await cohort.preview(connection, agency, CYCLE, ends_on=ends_on, limit=4)
        rest = await cohort.preview(
            connection, agency, CYCLE, ends_on=ends_on, after=first[-1].person, limit=50
        )
        totals = await cohort.preview_totals(connection, agency, CYCLE, ends_on=ends_on)
        seated = await seats(connection, agency, CYCLE, {row.person: row.unit for row in first})

    told = {row.person: row.reason for row in (*first, *rest)}
    assert await members(store, agency) == {}
    await freeze(cohorts, launched)
    assert told == {**await members(store, agency), "siti": "ALREADY_STARTED"}
    assert totals == (3, 6)
    assert seated[PersonId("budi")].participants.approver == "agus"
    assert PersonId("agus") not in seated


async def test_a_launch_is_marked_from_its_first_act_to_its_end(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    async def cycle() -> CycleRow:
        async with store.agency(launched.agency) as connection:
            found = await cycles.get(connection, launched.agency, CYCLE)
        assert found is not None
        return found

    assert ((await cycle()).state, (await cycle()).launched_at) == ("CREATED", None)
    await freeze(cohorts, launched)
    assert ((await cycle()).state, (await cycle()).launched_at) == ("LAUNCHING", AT)
    await cohorts.finish_launch(launched)
    assert (await cycle()).state == "LAUNCHING", "four people wait"
    await start_page(cohorts, launched)
    await cohorts.finish_launch(launched)
    assert (await cycle()).state == "LAUNCHED"


async def test_a_cycle_that_is_not_there_is_not_tried_again(
    cohorts: Cohorts, agency: AgencyId
) -> None:
    with pytest.raises(ApplicationError) as told:
        await freeze(cohorts, CohortRef(agency=agency, cycle=CYCLE))

    assert told.value.non_retryable


async def test_the_nearest_active_superior(cohorts: Cohorts, launched: CohortRef) -> None:
    for who, superior in (("siti", "budi"), ("dewi", "budi"), ("agus", None), ("wayan", None)):
        lookup = Lookup(agency=launched.agency, person=PersonId(who))
        assert (await cohorts.superior_of(lookup)).person == superior
