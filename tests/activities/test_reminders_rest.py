"""What everybody was told of rests until its next rung; whoever was passed over is still told."""

from datetime import date

from tests.activities.office import JAKARTA, JAYAPURA, MAKASSAR, Office
from tests.activities.test_hours import jakarta

TUESDAY, FRIDAY, MONDAY = date(2026, 1, 27), date(2026, 1, 30), date(2026, 2, 2)
LATE = date(2026, 2, 4)
LADDER = {-3: TUESDAY, 0: FRIDAY, 3: LATE}


async def morning(office: Office, on: date, zone: str = JAKARTA) -> int:
    """The run of a day that has come; returns how many notices are new."""
    office.now = jakarta(f"{on:%m-%d} 09:00")
    return (await office.remind(on, zone)).notices


async def rests_until(office: Office) -> date | None:
    """When the agency's one task is looked at again."""
    async with office.store.agency(office.agency) as connection:
        row = await (await connection.execute("SELECT next_remind_on FROM task")).fetchone()
    assert row is not None
    found: date | None = row[0]
    return found


async def test_a_task_rests_until_its_next_rung_and_for_good_after_its_last(
    office: Office,
) -> None:
    await office.person("sari")
    await office.task("sari", LADDER)

    for on, then in ((TUESDAY, FRIDAY), (FRIDAY, LATE), (LATE, None)):
        assert await morning(office, on) == 1
        assert await rests_until(office) == then
        assert await morning(office, on) == 0


async def test_a_run_for_a_day_ahead_takes_no_rung_from_the_days_before_it(
    office: Office,
) -> None:
    await office.person("sari")
    await office.task("sari", LADDER)
    office.now = jakarta("01-20 09:00")

    assert (await office.remind(LATE)).notices == 1
    assert [await morning(office, on) for on in (TUESDAY, FRIDAY)] == [1, 1]


async def test_whoever_was_on_leave_is_told_afterwards(office: Office) -> None:
    await office.person("sari")
    await office.person("head")
    await office.task("sari", LADDER, may_act=["sari", "head"])
    await office.leave("head", TUESDAY, date(2026, 1, 28))

    assert await morning(office, TUESDAY) == 1
    assert await rests_until(office) == TUESDAY
    assert await morning(office, date(2026, 1, 29)) == 1
    assert await rests_until(office) == FRIDAY
    assert [row["recipient"] for row in await office.ledger()] == ["head", "sari"]


async def test_whoever_has_a_day_off_or_works_there_later_is_told_then(office: Office) -> None:
    await office.unit("bgr", JAKARTA)
    await office.person("sari")
    await office.person("head", "bgr")
    await office.person("new", active=False)
    await office.task("sari", {0: FRIDAY, 3: LATE}, may_act=["sari", "head", "new"])
    await office.holiday(FRIDAY, "bgr")

    assert await morning(office, FRIDAY) == 1
    assert await morning(office, MONDAY) == 1
    assert await rests_until(office) == FRIDAY
    await office.run("UPDATE person SET active = true WHERE person = 'new'")
    assert await morning(office, date(2026, 2, 3)) == 1
    assert await rests_until(office) == LATE


async def test_a_task_of_readers_in_three_zones_rests_when_the_last_was_told(
    office: Office,
) -> None:
    for person, unit in (("wib", "jkt"), ("wita", "mks"), ("wit", "jyp")):
        await office.person(person, unit)
    await office.task("wib", LADDER, may_act=["wib", "wita", "wit"])

    until = []
    for zone in (JAYAPURA, MAKASSAR, JAKARTA):
        assert await morning(office, TUESDAY, zone) == 1
        until.append(await rests_until(office))
    assert until == [TUESDAY, TUESDAY, FRIDAY]


async def test_a_cycle_whose_calendar_has_a_day_off_keeps_its_rung_for_the_next_day(
    office: Office,
) -> None:
    holy = date(2026, 2, 17)
    await office.cycle("without", holidays="none")
    await office.person("sari")
    for cycle in ("2026", "without"):
        await office.task("sari", {0: holy, 3: date(2026, 2, 20)}, cycle=cycle)

    assert [await morning(office, date(2026, 2, day)) for day in (17, 18, 19)] == [1, 1, 0]
