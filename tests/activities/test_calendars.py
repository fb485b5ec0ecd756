"""The calendar against the joint decree of three ministers on the days off of 2026."""

from datetime import date

import pytest

from siklus.activities.calendars import national_days, snapshot
from siklus.workflows.domain.calendar import DayOff
from siklus.workflows.domain.policy import CalendarRule

PUBLIC = """
01-01 01-16 02-17 03-19 03-21 03-22 04-03 04-05 05-01 05-14 05-27 05-31 06-01 06-16 08-17 08-25
12-25
"""
COLLECTIVE = "02-16 03-18 03-20 03-23 03-24 05-15 05-28 12-24"
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
MONDAY_TO_FRIDAY = (1, 2, 3, 4, 5)


def test_2026_is_the_joint_decree() -> None:
    public = [day.on for day in national_days(CalendarRule(categories=("public",)), [2026])]
    leave = [day.on for day in national_days(CalendarRule(categories=("government",)), [2026])]

    assert public == [date.fromisoformat(f"2026-{day}") for day in PUBLIC.split()]
    assert leave == [date.fromisoformat(f"2026-{day}") for day in COLLECTIVE.split()]
    assert (len(public), len(leave)) == (17, 8)


def test_a_snapshot_covers_the_year_and_the_next() -> None:
    calendar = snapshot(CalendarRule(), "Asia/Jakarta", EVERY_DAY, (), 2026)

    assert sum(day.on.year == 2026 for day in calendar.days_off) == 25
    assert {day.on.year for day in calendar.days_off} == {2026, 2027}
    assert not any(day.estimated for day in calendar.days_off if day.on.year == 2026)


def test_expected_dates_are_marked_and_their_names_are_clean() -> None:
    calendar = snapshot(CalendarRule(), "Asia/Jakarta", EVERY_DAY, (), 2027)

    eid = calendar.day_off(date(2027, 3, 10))
    assert eid == DayOff(on=date(2027, 3, 10), name="Hari Raya Idul Fitri", estimated=True)
    assert not any("(" in day.name for day in calendar.days_off)


def test_regional_days_are_added_and_named() -> None:
    founding = DayOff(on=date(2026, 9, 28), name="Hari jadi Kota Palu")
    both = DayOff(on=date(2026, 8, 17), name="Pawai kota")

    calendar = snapshot(CalendarRule(), "Asia/Makassar", MONDAY_TO_FRIDAY, (founding, both), 2026)

    assert calendar.day_off(founding.on) == founding
    merged = calendar.day_off(both.on)
    assert merged is not None
    assert merged.name == "Hari Kemerdekaan Republik Indonesia; Pawai kota"
    assert [day.on for day in calendar.days_off] == sorted({day.on for day in calendar.days_off})


def test_a_date_is_certain_as_soon_as_one_reason_for_it_is() -> None:
    decreed = DayOff(on=date(2027, 3, 10), name="Ditetapkan")

    calendar = snapshot(CalendarRule(), "Asia/Jakarta", MONDAY_TO_FRIDAY, (decreed,), 2027)

    day = calendar.day_off(decreed.on)
    assert day is not None
    assert not day.estimated


@pytest.mark.parametrize("weekdays", [MONDAY_TO_FRIDAY, (1, 2, 3, 4, 5, 6)])
def test_a_snapshot_is_small_and_holds_only_days_the_unit_would_work(
    weekdays: tuple[int, ...],
) -> None:
    calendar = snapshot(CalendarRule(), "Asia/Jakarta", weekdays, (), 2026)

    assert len(calendar.model_dump_json().encode()) < 3500
    assert all(day.on.isoweekday() in weekdays for day in calendar.days_off)


def test_the_version_follows_the_content() -> None:
    def version(*regional: DayOff, weekdays: tuple[int, ...] = MONDAY_TO_FRIDAY) -> str:
        return snapshot(CalendarRule(), "Asia/Jakarta", weekdays, regional, 2026).version

    assert version() == version()
    assert version() != version(DayOff(on=date(2026, 9, 28), name="Hari jadi"))
    assert version() != version(weekdays=(1, 2, 3, 4, 5, 6))


def test_the_policy_may_fix_zone_and_week_or_know_no_holidays() -> None:
    rule = CalendarRule(holidays="none", zone="Asia/Jayapura", weekdays=(1, 2, 3, 4))

    calendar = snapshot(rule, "Asia/Jakarta", MONDAY_TO_FRIDAY, (), 2026)

    assert (calendar.zone, calendar.weekdays, calendar.days_off) == (
        "Asia/Jayapura",
        (1, 2, 3, 4),
        (),
    )


@pytest.mark.parametrize("country", ["US", "GB", "PH", "MY"])
def test_other_countries_have_their_own_days(country: str) -> None:
    rule = CalendarRule.model_validate({"holidays": country})

    calendar = snapshot(rule, "UTC", MONDAY_TO_FRIDAY, (), 2026)

    assert any(day.on.month == 12 for day in calendar.days_off)
