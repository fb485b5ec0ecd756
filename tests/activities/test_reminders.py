"""Which reminders a day's run plans: by rung, by calendar, by reader; never one twice."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import AgencyId
from tests.activities.office import JAKARTA, JAYAPURA, MAKASSAR, Office

FRIDAY = date(2026, 1, 30)
LADDER = {-3: date(2026, 1, 27), 0: FRIDAY, 3: date(2026, 2, 4)}


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


async def planned_on(office: Office, first: date, last: date, zone: str = JAKARTA) -> list[date]:
    """The days on which daily runs plan anything, one entry a notice."""
    found = []
    for on in days(first, last):
        found += [on] * (await office.remind(on, zone)).notices
    return found


async def test_reminds_before_at_and_after_the_due_date_once_each(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", LADDER)

    assert await planned_on(office, date(2026, 1, 20), date(2026, 2, 10)) == list(LADDER.values())
    assert [row["rung"] for row in await office.ledger()] == [-3, 0, 3]


async def test_the_same_run_again_plans_nothing(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", LADDER)

    first, again = await office.remind(FRIDAY), await office.remind(FRIDAY)

    assert (first.notices, again.notices) == (1, 0)
    assert again.working_day


async def test_nothing_happens_when_nobody_works(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", LADDER)

    for on in (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 16), date(2026, 2, 17)):
        assert await office.remind(on) == await office.remind(on, MAKASSAR)
        assert not (await office.remind(on)).working_day
    assert await office.ledger() == []


async def test_a_regional_day_off_is_a_day_off_of_that_region(office: Office) -> None:
    await office.unit("bgr", JAKARTA)
    await office.person("sari", "jkt")
    await office.person("budi", "bgr")
    for person in ("sari", "budi"):
        await office.task(person, {0: FRIDAY})
    await office.holiday(FRIDAY, "bgr")

    planned = await office.remind(FRIDAY)
    assert (planned.working_day, planned.notices) == (True, 1)
    assert await planned_on(office, date(2026, 1, 31), date(2026, 2, 3)) == [date(2026, 2, 2)]

    await office.holiday(date(2026, 2, 5))
    assert not (await office.remind(date(2026, 2, 5))).working_day


async def test_a_unit_of_six_days_is_reminded_on_a_saturday(office: Office) -> None:
    saturday = date(2026, 1, 31)
    await office.unit("rsud", JAKARTA, (1, 2, 3, 4, 5, 6))
    await office.person("sari", "rsud")
    await office.person("budi", "jkt")
    await office.task("sari", {0: saturday}, may_act=["sari", "budi"])

    assert await planned_on(office, saturday, date(2026, 2, 3)) == [saturday, date(2026, 2, 2)]


async def test_a_run_that_did_not_happen_is_made_good_once(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", {-3: date(2026, 1, 27), -2: date(2026, 1, 28)})

    assert await planned_on(office, date(2026, 1, 29), date(2026, 2, 10)) == [date(2026, 1, 29)]
    (row,) = await office.ledger()
    assert row["rung"] == -2


async def test_everybody_who_may_act_is_reminded_and_nobody_who_left(office: Office) -> None:
    for person in ("sari", "budi", "ani"):
        await office.person(person)
    await office.person("gone", active=False)
    await office.task(
        "sari", {0: FRIDAY}, kind=TaskKind.RATE, may_act=["budi", "ani", "gone", "unknown"]
    )
    await office.task("sari", {0: FRIDAY}, kind=TaskKind.RESOLVE_REFERRAL, may_act=[])

    assert (await office.remind(FRIDAY)).notices == 2
    assert [row["recipient"] for row in await office.ledger()] == ["ani", "budi"]


async def test_one_run_a_day_reminds_a_superior_of_people_in_every_zone(office: Office) -> None:
    await office.person("head", "jkt")
    for person, zone in (("wib", JAKARTA), ("wita", MAKASSAR), ("wit", JAYAPURA)):
        await office.person(person, {JAKARTA: "jkt", MAKASSAR: "mks", JAYAPURA: "jyp"}[zone])
        await office.task(person, {0: FRIDAY}, may_act=[person, "head"], zone=zone)

    told = {zone: (await office.remind(FRIDAY, zone)).notices for zone in (JAYAPURA, MAKASSAR)}

    assert told == {JAYAPURA: 1, MAKASSAR: 1}
    assert "head" not in {row["recipient"] for row in await office.ledger()}
    assert (await office.remind(FRIDAY, JAKARTA)).notices == 4


async def test_a_task_is_not_reminded_of_before_it_was_there(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", LADDER, opened_on=date(2026, 1, 28))

    assert await planned_on(office, date(2026, 1, 28), date(2026, 1, 30)) == [FRIDAY]


async def test_a_task_opened_again_is_another_task(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", {0: FRIDAY})
    await office.remind(FRIDAY)
    await office.close_tasks("sari")
    await office.task("sari", {0: date(2026, 2, 6)}, opened_on=date(2026, 2, 2))

    assert await planned_on(office, date(2026, 2, 2), date(2026, 2, 9)) == [date(2026, 2, 6)]


async def test_today_is_the_day_of_the_zone(office: Office) -> None:
    await office.person("wib", "jkt")
    await office.person("wit", "jyp")
    for person, zone in (("wib", JAKARTA), ("wit", JAYAPURA)):
        await office.task(person, {0: FRIDAY}, zone=zone)
    office.now = datetime(2026, 1, 29, 16, tzinfo=UTC)

    assert (await office.remind(None, JAKARTA)).notices == 0
    assert (await office.remind(None, JAYAPURA)).notices == 1


async def test_another_agency_is_not_reminded(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", {0: FRIDAY})
    other = Office(office.store, office.mailbox, AgencyId(f"b-{uuid4().hex[:12]}"))
    await other.found()

    assert (await other.remind(FRIDAY)).notices == 0
    assert (await office.remind(FRIDAY)).notices == 1


async def test_a_zone_that_came_since_the_launch_is_scheduled_by_the_next_morning(
    office: Office,
) -> None:
    await office.remind(None, JAKARTA)
    assert office.scheduled == {JAKARTA, MAKASSAR, JAYAPURA}

    await office.unit("lon", "Europe/London")
    await office.remind(FRIDAY, JAKARTA)
    assert "Europe/London" not in office.scheduled
    await office.remind(None, JAKARTA)
    assert "Europe/London" in office.scheduled


async def test_reminders_do_not_wait_for_a_schedule_that_cannot_be_made(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", {0: FRIDAY})
    office.engine_away = True

    assert (await office.remind(None)).notices == 1


async def test_each_cycle_reminds_by_the_calendar_of_its_own_policy(office: Office) -> None:
    christmas, boxing_day, holy = date(2026, 12, 25), date(2026, 12, 26), date(2026, 2, 17)
    await office.person("sari")
    await office.cycle("philippine", holidays="PH")
    await office.cycle("none", holidays="none")
    await office.cycle("weekend", holidays="none", weekdays=[6, 7])
    cycles = ("2026", "philippine", "none", "weekend")

    async def reminded(on: date) -> set[str]:
        for cycle in cycles:
            await office.task("sari", {0: on}, cycle=cycle)
        told = await office.remind(on)
        found = {row["cycle"] for row in await office.ledger()}
        await office.close_tasks("sari")
        await office.run("DELETE FROM notice")
        assert (told.working_day, told.notices) == (bool(found), len(found))
        return found

    assert await reminded(FRIDAY) == {"2026", "philippine", "none"}
    assert await reminded(holy) == {"none"}
    assert await reminded(christmas) == {"none"}
    assert await reminded(boxing_day) == {"weekend"}


async def test_without_a_launched_cycle_nobody_is_reminded(office: Office) -> None:
    await office.person("sari")
    await office.cycle("to come", launched=False)
    await office.task("sari", {0: FRIDAY}, cycle="to come")
    await office.run("DELETE FROM cycle WHERE cycle = '2026'")

    assert not (await office.remind(FRIDAY)).working_day
