"""When a mail that can wait may go: in working hours, and of news one a day."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from siklus.workflows.domain.quiet import Quiet, not_before

JAKARTA, JAYAPURA = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")
USUAL = Quiet()
NO_QUIET = Quiet(begins=time(0), ends=time(0))


def weekdays(on: date) -> bool:
    return on.isoweekday() <= 5


def at(written: str, zone: ZoneInfo = JAKARTA) -> datetime:
    return datetime.fromisoformat(f"2026-01-{written}").replace(tzinfo=zone)


def waits_until(
    written: str,
    *,
    quiet: Quiet = USUAL,
    zone: ZoneInfo = JAKARTA,
    reminds: bool = False,
    told_at: datetime | None = None,
) -> str | None:
    """Local time until which a mail waits, None if it may go; the 30th is a Friday."""
    found = not_before(at(written), zone, quiet, weekdays, reminds=reminds, told_at=told_at)
    return f"{found.astimezone(zone):%d %H:%M}" if found else None


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("29 08:14", "29 08:15"),
        ("29 08:15", None),
        ("29 17:59", None),
        ("29 18:00", "30 08:15"),
        ("29 23:59", "30 08:15"),
        ("30 02:00", "30 08:15"),
        ("24 12:00", "26 08:15"),
        ("23 19:00", "26 08:15"),
    ],
)
def test_news_goes_in_working_hours_or_waits_for_the_next_working_morning(
    now: str, until: str | None
) -> None:
    assert waits_until(now) == until


def test_reminders_leave_as_soon_as_the_quiet_ends() -> None:
    assert waits_until("29 06:59", reminds=True) == "29 08:15"
    assert waits_until("29 07:00", reminds=True) is None
    assert waits_until("29 20:00", reminds=True) == "30 08:15"


def test_a_second_piece_of_news_waits_for_the_next_working_day() -> None:
    this_morning = at("30 08:16")

    assert waits_until("30 10:00", told_at=this_morning) == "02 08:15"
    assert waits_until("29 10:00", told_at=at("28 10:00")) is None


def test_the_days_reminders_are_not_put_off_for_news_of_the_day() -> None:
    assert waits_until("30 10:00", reminds=True, told_at=at("30 09:00")) is None


def test_the_hours_are_those_of_the_readers_zone() -> None:
    # 16:30 in Jakarta is 18:30 in Jayapura.
    assert waits_until("29 16:30", zone=JAKARTA) is None
    assert waits_until("29 16:30", zone=JAYAPURA) == "30 08:15"


def test_who_rests_until_nine_is_told_at_nine() -> None:
    late = Quiet(begins=time(17), ends=time(9))

    assert waits_until("29 08:30", quiet=late, reminds=True) == "29 09:00"
    assert waits_until("29 17:00", quiet=late) == "30 09:00"


def test_quiet_hours_may_lie_within_a_day() -> None:
    noon = Quiet(begins=time(12), ends=time(13))

    assert waits_until("29 12:30", quiet=noon) == "30 08:15"
    assert waits_until("29 13:00", quiet=noon) is None
    assert waits_until("29 22:00", quiet=noon) is None


def test_who_wants_no_quiet_is_told_at_any_hour_of_any_day_and_still_once_a_day() -> None:
    assert waits_until("24 03:00", quiet=NO_QUIET) is None
    assert waits_until("24 03:00", quiet=NO_QUIET, told_at=at("24 01:00")) == "25 08:15"


def test_where_nobody_ever_works_it_goes_on_the_next_day() -> None:
    found = not_before(at("29 20:00"), JAKARTA, USUAL, lambda on: False, reminds=True, told_at=None)

    assert found == at("30 08:15")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # The clocks go back at two: half past one comes twice, and the quiet ends with the second.
        ("2026-11-01T06:15:00+00:00", "2026-11-01T06:30:00+00:00"),
        ("2026-11-01T05:15:00+00:00", "2026-11-01T06:30:00+00:00"),
        # They go forward at two.
        ("2026-03-08T06:15:00+00:00", "2026-03-08T06:30:00+00:00"),
    ],
)
def test_what_waits_never_waits_for_an_hour_that_has_passed(now: str, until: str) -> None:
    quiet, new_york = Quiet(begins=time(8), ends=time(1, 30)), ZoneInfo("America/New_York")
    instant = datetime.fromisoformat(now)

    found = not_before(instant, new_york, quiet, lambda _: True, reminds=True, told_at=None)

    assert found == datetime.fromisoformat(until)
