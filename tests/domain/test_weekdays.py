"""Working days in all the ways in which sheets have them."""

import pytest

from siklus.workflows.domain.weekdays import UnreadableWeekdays, parse_weekdays


@pytest.mark.parametrize(
    "written",
    [
        *("1-5", "12345", "1,2,3,4,5", "5 4 3 2 1", "Mon-Fri", "mon – fri", "Sen-Jum"),
        *("Senin s/d Jumat", "senin sampai jum'at", "Monday to Friday", "Mon,Tue-Thu,5", "1-3;4/5"),
    ],
)
def test_monday_to_friday(written: str) -> None:
    assert parse_weekdays(written) == (1, 2, 3, 4, 5)


def test_other_weeks() -> None:
    assert parse_weekdays("Sat-Tue") == (1, 2, 6, 7)
    assert parse_weekdays("Sabtu, Minggu") == (6, 7)
    assert parse_weekdays("1,1") == (1,)
    assert parse_weekdays(" ") == ()


@pytest.mark.parametrize("written", ["8", "0", "1-9", "Mon-", "-", "x", "1-5-7", "Fun", "1" * 201])
def test_what_is_no_weekday_is_refused(written: str) -> None:
    with pytest.raises(UnreadableWeekdays):
        parse_weekdays(written)
