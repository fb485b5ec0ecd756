"""Deadlines by example, and what holds for all of them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from siklus.activities.calendars import snapshot
from siklus.workflows.domain.calendar import Calendar, DayOff
from siklus.workflows.domain.deadlines import (
    WEEKEND,
    Due,
    Rung,
    after,
    for_clock,
    later,
    on_day,
    opens_at,
    remind_on,
)
from siklus.workflows.domain.policy import CalendarRule, Clock, Count, Roll, Span, YearDay

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
EXAMPLES = yaml.safe_load(Path(__file__).with_name("deadline_examples.yaml").read_text())


def national(
    zone: str = "Asia/Jakarta", *, year: int = 2026, weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
) -> Calendar:
    return snapshot(CalendarRule(), zone, weekdays, (), year)


def wib(written: str) -> datetime:
    return datetime.fromisoformat(f"{written}+07:00")


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["name"] for example in EXAMPLES])
def test_example(example: dict[str, Any]) -> None:
    calendar = national(example["zone"], weekdays=tuple(example.get("weekdays", (1, 2, 3, 4, 5))))
    span = Span(days=example.get("days", 14), count=Count(example.get("count", "calendar")))
    roll = Roll(example.get("roll", "keep"))

    due = after(calendar, example["received"], span, rule="appeal.window", default_roll=roll)

    assert due.due_at == example["due"]
    assert due.on == example["local"]
    assert due.rolled_from == example.get("rolled_from")
    assert [day.on for day in due.skipped] == example.get("skipped", [])
    assert due.zone == example["zone"]
    assert due.rule == "appeal.window"


def test_a_deadline_names_the_days_it_skipped() -> None:
    span = Span(days=14, count=Count.WORKING)

    due = after(national(), wib("2026-01-30 09:00"), span, rule="r", default_roll=Roll.KEEP)

    names = {day.on: day.name for day in due.skipped}
    assert names[date(2026, 2, 17)] == "Tahun Baru Imlek"
    assert names[date(2026, 2, 16)] == "Cuti Bersama Tahun Baru Imlek"
    assert names[date(2026, 2, 14)] == WEEKEND
    assert (due.basis_on, due.days, due.count) == (date(2026, 1, 30), 14, Count.WORKING)
    assert due.calendar_version == national().version


@pytest.mark.parametrize("zone", ZONES)
def test_the_last_second_is_in_time_to_the_microsecond_and_the_next_is_not(zone: str) -> None:
    due = on_day(national(zone), date(2026, 2, 13), roll=Roll.KEEP, rule="r")

    local = due.due_at.astimezone(national(zone).tz)
    assert (local.date(), local.time().isoformat()) == (date(2026, 2, 13), "23:59:59")
    assert due.due_at.tzinfo is UTC
    assert due.due_at + timedelta(microseconds=999_999) < due.expires_at
    assert due.expires_at == opens_at(national(zone), date(2026, 2, 14))


def test_the_spans_own_rolling_wins_over_the_policys() -> None:
    span = Span(days=1, roll=Roll.NEXT)

    due = after(national(), wib("2026-01-30 09:00"), span, rule="r", default_roll=Roll.KEEP)

    assert (due.on, due.roll) == (date(2026, 2, 2), Roll.NEXT)


def test_a_deadline_that_rests_on_an_expected_holiday_says_so() -> None:
    due = on_day(national(year=2027), date(2027, 3, 10), roll=Roll.NEXT, rule="r")

    assert due.on == date(2027, 3, 16)
    assert due.estimated


def test_an_expected_holiday_on_a_free_day_changes_nothing() -> None:
    sunday = DayOff(on=date(2026, 2, 1), name="Perkiraan", estimated=True)
    calendar = Calendar(zone="Asia/Jakarta", days_off=(sunday,))

    assert not on_day(calendar, sunday.on, roll=Roll.NEXT, rule="r").estimated


def test_a_fixed_date_gives_a_late_starter_the_least_days() -> None:
    clock = Clock(on=YearDay(month=1, day=14))

    def due(entered: str) -> Due | None:
        return for_clock(
            national(), clock, 2026, wib(entered), rule="plan.due", default_roll=Roll.KEEP
        )

    early, late = due("2026-01-02 08:00"), due("2026-01-13 08:00")
    assert early is not None
    assert late is not None
    assert (early.on, early.rule) == (date(2026, 1, 14), "plan.due.on")
    assert (late.on, late.rule) == (date(2026, 1, 21), "plan.due.min_days")
    assert date(2026, 1, 16) in {day.on for day in late.skipped}


def test_a_clock_without_a_date_counts_from_the_entry_and_one_without_both_is_never_due() -> None:
    entered = wib("2026-04-01 08:00")

    def due(clock: Clock) -> Due | None:
        return for_clock(national(), clock, 2026, entered, rule="s", default_roll=Roll.KEEP)

    counted = due(Clock(after=Span(days=30)))
    assert counted is not None
    assert (counted.on, counted.rule) == (date(2026, 5, 1), "s.after")
    assert due(Clock()) is None


def test_a_day_of_the_next_year_and_a_months_end() -> None:
    clock = Clock(on=YearDay(month=2, day=0, offset=1))

    entered = wib("2028-01-05 08:00")
    due = for_clock(national(), clock, 2027, entered, rule="s", default_roll=Roll.KEEP)

    assert due is not None
    assert due.on == date(2028, 2, 29)


def test_the_later_of_two_deadlines() -> None:
    one = on_day(national(), date(2026, 2, 2), roll=Roll.KEEP, rule="one")
    two = on_day(national(), date(2026, 2, 3), roll=Roll.KEEP, rule="two")

    assert later(one, two) is two
    assert later(two, one) is two
    assert later(None, one) is one
    assert later(one, None) is one
    assert later(None, None) is None


def test_reminders_fall_on_working_days_around_the_due_date() -> None:
    due = on_day(national(), date(2026, 2, 18), roll=Roll.KEEP, rule="r")

    assert remind_on(national(), due, (3, -3, 0, 0)) == (
        Rung(rung=-3, on=date(2026, 2, 11)),
        Rung(rung=0, on=date(2026, 2, 18)),
        Rung(rung=3, on=date(2026, 2, 23)),
    )


def test_on_a_free_due_date_the_reminder_comes_the_working_day_before_and_once() -> None:
    due = on_day(national(), date(2026, 2, 15), roll=Roll.KEEP, rule="r")

    assert remind_on(national(), due, (-1, 0, 1)) == (
        Rung(rung=0, on=date(2026, 2, 13)),
        Rung(rung=1, on=date(2026, 2, 18)),
    )


def test_a_week_without_working_days_is_refused() -> None:
    calendar = Calendar(zone="Asia/Jakarta", weekdays=())

    with pytest.raises(ValueError, match="without working days"):
        on_day(calendar, date(2026, 2, 15), roll=Roll.NEXT, rule="r")


DATES = st.dates(date(2026, 1, 1), date(2027, 12, 31))
CALENDARS = st.builds(
    Calendar,
    zone=st.sampled_from(ZONES),
    weekdays=st.sampled_from([(1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 7)]),
    days_off=st.lists(
        st.builds(DayOff, on=DATES, name=st.just("Libur"), estimated=st.booleans()), max_size=30
    ).map(tuple),
)
EVENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 30), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.builds(Span, days=st.integers(0, 60), count=st.sampled_from(Count))


@given(CALENDARS, EVENTS, SPANS, st.sampled_from(Roll))
def test_an_event_is_never_later_than_its_deadline_ends(
    calendar: Calendar, event_at: datetime, span: Span, roll: Roll
) -> None:
    due = after(calendar, event_at, span, rule="r", default_roll=roll)

    assert event_at < due.expires_at
    assert due.due_at.astimezone(calendar.tz).date() == due.on
    assert not any(calendar.is_working_day(day.on) for day in due.skipped)


@given(CALENDARS, EVENTS, st.integers(1, 60))
def test_n_working_days_are_n_working_days(calendar: Calendar, event_at: datetime, n: int) -> None:
    span = Span(days=n, count=Count.WORKING)

    due = after(calendar, event_at, span, rule="r", default_roll=Roll.KEEP)

    assert due.basis_on is not None
    counted = [due.basis_on + timedelta(days=i + 1) for i in range((due.on - due.basis_on).days)]
    assert sum(calendar.is_working_day(day) for day in counted) == n
    assert calendar.is_working_day(due.on)
    assert len(due.skipped) == len(counted) - n


@given(CALENDARS, DATES, st.sampled_from([Roll.NEXT, Roll.PREVIOUS]))
def test_rolling_ends_on_the_nearest_working_day_in_its_direction(
    calendar: Calendar, on: date, roll: Roll
) -> None:
    due = on_day(calendar, on, roll=roll, rule="r")

    assert calendar.is_working_day(due.on)
    assert (due.on >= on) if roll is Roll.NEXT else (due.on <= on)
    assert abs((due.on - on).days) == len(due.skipped)
    assert (due.rolled_from is None) == (due.on == on)


@given(CALENDARS, EVENTS, EVENTS, SPANS, st.sampled_from([Roll.KEEP, Roll.NEXT]))
def test_a_later_event_never_ends_earlier(
    calendar: Calendar, one: datetime, two: datetime, span: Span, roll: Roll
) -> None:
    early, late = sorted((one, two))

    assert (
        after(calendar, early, span, rule="r", default_roll=roll).due_at
        <= after(calendar, late, span, rule="r", default_roll=roll).due_at
    )


@given(CALENDARS, DATES, st.sets(st.integers(-10, 10), max_size=6))
def test_every_reminder_is_on_a_working_day_and_no_day_has_two(
    calendar: Calendar, on: date, rungs: set[int]
) -> None:
    due = on_day(calendar, on, roll=Roll.KEEP, rule="r")

    reminders = remind_on(calendar, due, tuple(rungs))

    days = [reminder.on for reminder in reminders]
    assert days == sorted(set(days))
    assert all(calendar.is_working_day(day) for day in days)
    assert {reminder.rung for reminder in reminders} <= rungs
