"""Whom a cycle takes in and leaves out, how fast it starts them, and what cancelling leaves."""

import asyncio
from datetime import date
from time import monotonic

from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from siklus.activities.cohort import Cohorts
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cohort, cycles, roster
from siklus.activities.store.queries import members as joining
from siklus.activities.store.queries.cycles import CycleState, Said
from siklus.workflows.domain.commands import ExclusionGround
from siklus.workflows.domain.values import AgencyId, PersonId
from siklus.workflows.ports.cycle import CohortPage, CohortRef, LaunchNote, LaunchState, PageOutcome
from tests.store.town import AT, CYCLE, freeze, members, person, start_page, started
from tests.workflows.desk import eventually


async def says(store: Store, agency: AgencyId, *said: Said, **columns: object) -> None:
    """Have the cycle narrow its cohort."""
    async with store.agency(agency) as connection:
        await cycles.say(connection, agency, CYCLE, said)
        for column, value in columns.items():
            await connection.execute(f"UPDATE cycle SET {column} = %s".encode(), (value,))


async def test_a_cycle_of_some_positions_and_named_people(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    agency = launched.agency
    async with store.agency(agency) as connection:
        of_another = person("eka", "agus", unit="mks", position="Analis")
        await roster.put_people(connection, agency, [of_another])
    named = [Said(PersonId(who), named=True) for who in ("budi", "eka", "left")]
    await says(store, agency, *named, positions=["", "Pelaksana"], named=len(named))

    assert await freeze(cohorts, launched) == 1

    found = await members(store, agency)
    assert found["budi"] is None
    assert (found["eka"], found["siti"]) == ("OTHER_POSITION", "NOT_NAMED")
    assert found["left"] == "INACTIVE"


async def test_whoever_is_excluded_has_a_ground_and_study_assignment_joins_at_the_rating(
    store: Store, client: Client, cohorts: Cohorts, launched: CohortRef
) -> None:
    agency = launched.agency
    await says(
        store,
        agency,
        Said(PersonId("budi"), ground=ExclusionGround.UNPAID_LEAVE),
        Said(PersonId("eka"), ground=ExclusionGround.OTHER),
        Said(PersonId("left"), ground=ExclusionGround.PRE_RETIREMENT),
        Said(PersonId("rina"), ground=ExclusionGround.DISMISSED_FOR_A_TIME),
        Said(PersonId("siti"), from_rating=True),
    )

    assert await freeze(cohorts, launched) == 1
    await start_page(cohorts, launched)

    found = await members(store, agency)
    assert [found[who] for who in ("budi", "eka", "left", "rina", "siti")] == [
        "UNPAID_LEAVE", "EXCLUDED_BY_TEAM", "INACTIVE", "DISMISSED_FOR_A_TIME", None,
    ]  # fmt: skip
    siti = await started(client, agency, "siti")
    assert siti is not None
    assert siti.from_rating


async def test_a_slow_launch_starts_no_more_a_second_than_it_was_told(
    client: Client, cohorts: Cohorts, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    environment = ActivityEnvironment()
    page = CohortPage(agency=launched.agency, cycle=CYCLE, pace=10)

    began = monotonic()
    outcome: PageOutcome = await environment.run(cohorts.start_page, page)

    assert outcome.started == 4
    assert monotonic() - began >= 0.4


async def test_whoever_waited_when_a_launch_was_cancelled_is_in_again_with_the_next(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    agency = launched.agency
    await freeze(cohorts, launched)
    await start_page(cohorts, launched, size=2)

    assert await cohorts.cancel_launch(launched) == 2
    assert await cohorts.cancel_launch(launched) == 0

    async with store.agency(agency) as connection:
        progress = await cycles.progress(connection, agency, CYCLE)
        row = await cycles.get(connection, agency, CYCLE)
    assert (progress.started, progress.waiting, progress.cancelled) == (2, 0, 2)
    assert row is not None
    assert row.state == CycleState.CANCELLED
    assert await freeze(cohorts, launched) == 4
    assert (await start_page(cohorts, launched)).started == 2
    await cohorts.finish_launch(launched)
    async with store.agency(agency) as connection:
        progress = await cycles.progress(connection, agency, CYCLE)
        row = await cycles.get(connection, agency, CYCLE)
    assert (progress.started, progress.cancelled) == (4, 0)
    assert row is not None
    assert row.state == CycleState.LAUNCHED


async def test_a_preview_of_a_frozen_cohort_tells_whom_going_on_would_start(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    agency, ends_on = launched.agency, date(2026, 12, 31)
    await freeze(cohorts, launched)
    await start_page(cohorts, launched, size=1)
    await cohorts.cancel_launch(launched)
    async with store.agency(agency) as connection:
        changed = [
            person("new", "budi"),
            person("left", "budi"),
            person("siti", "budi", active=False),
        ]
        await roster.put_people(connection, agency, changed)

        foreseen = await cohort.preview(connection, agency, CYCLE, ends_on=ends_on, limit=50)
        totals = await cohort.preview_totals(connection, agency, CYCLE, ends_on=ends_on)

    assert {each.person: each.reason for each in foreseen} == {
        "agus": "NO_RATER", "budi": "ALREADY_STARTED", "dewi": "SUPERVISOR_INACTIVE", "eka": None,
        "later": "JOINED_LATER", "left": "INACTIVE", "new": "NOT_IN_COHORT", "rina": None,
        "siti": "INACTIVE", "wayan": "UNKNOWN_SUPERVISOR",
    }  # fmt: skip
    assert totals == (2, 8)
    await freeze(cohorts, launched)
    assert (await start_page(cohorts, launched)).started == 2


async def eventually_in_line(store: Store, agency: AgencyId) -> None:
    """Wait until somebody waits for what another one changes."""

    async def in_line() -> bool:
        async with store.agency(agency) as connection:
            found = await connection.execute("SELECT FROM pg_locks WHERE NOT granted LIMIT 1")
            return await found.fetchone() is not None

    await eventually(in_line)


async def test_a_launch_is_not_over_while_somebody_is_being_added(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    agency = launched.agency
    await freeze(cohorts, launched)
    await start_page(cohorts, launched)
    async with store.agency(agency) as connection:
        await roster.put_people(connection, agency, [person("new", "budi")])
        async with connection.transaction():
            await cohort.lock(connection, agency, CYCLE)
            finishing = asyncio.create_task(cohorts.finish_launch(launched))
            await eventually_in_line(store, agency)
            new = {PersonId("new"): 1}
            await joining.add(connection, agency, CYCLE, new, from_rating=False, at=AT)
        await finishing
        row = await cycles.get(connection, agency, CYCLE)

    assert row is not None
    assert row.state == CycleState.LAUNCHING


async def test_a_launch_that_comes_too_late_for_a_closed_cycle_starts_nobody(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    agency = launched.agency
    await freeze(cohorts, launched)
    await cohorts.cancel_launch(launched)
    async with store.agency(agency) as connection:
        await cycles.close(connection, agency, CYCLE, at=AT)

    assert await freeze(cohorts, launched) == 0
    assert (await start_page(cohorts, launched)).started == 0
    await cohorts.finish_launch(launched)

    async with store.agency(agency) as connection:
        row = await cycles.get(connection, agency, CYCLE)
        progress = await cycles.progress(connection, agency, CYCLE)
    assert row is not None
    assert row.state == CycleState.CLOSED
    assert (progress.started, progress.waiting, progress.cancelled) == (0, 0, 4)


async def test_a_note_of_a_pause_comes_too_late_for_a_finished_launch(
    store: Store, cohorts: Cohorts, launched: CohortRef
) -> None:
    await freeze(cohorts, launched)
    note = LaunchNote(cohort=launched, state=LaunchState.PAUSED, pace=3)
    states = []

    async def noted() -> None:
        await cohorts.note_launch(note)
        async with store.agency(launched.agency) as connection:
            row = await cycles.get(connection, launched.agency, CYCLE)
        assert row is not None
        states.append((row.state, row.pace))

    await noted()
    await start_page(cohorts, launched)
    await cohorts.finish_launch(launched)
    await noted()

    assert states == [("PAUSED", 3), ("LAUNCHED", 3)]
