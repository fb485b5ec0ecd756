"""Sums by service: which months count, and how few answers are too few."""

from datetime import date

import pytest

from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.feedback.rules import CitizenRule
from siklus.workflows.domain.feedback.services import answers_needed, months_counted
from tests.domain.story import refused

TODAY = date(2026, 9, 30)
YEAR = date(2025, 10, 1), date(2026, 9, 30)


@pytest.mark.parametrize(
    ("first", "last", "counted"),
    [
        ("2026-01", "2026-02", (date(2026, 1, 1), date(2026, 2, 28))),
        ("2028-02", "2028-02", (date(2028, 2, 1), date(2028, 2, 29))),
        ("2024-01", "2026-12", (date(2024, 1, 1), date(2026, 12, 31))),
        ("", "", YEAR),
    ],
)
def test_whole_months_count_or_the_cycles_year(
    first: str, last: str, counted: tuple[date, date]
) -> None:
    assert months_counted(first, last, year=YEAR, today=TODAY) == counted


@pytest.mark.parametrize(
    ("today", "counted"),
    [
        (date(2026, 11, 29), (date(2025, 12, 1), date(2026, 11, 30))),
        (date(2026, 12, 31), (date(2026, 1, 1), date(2026, 12, 31))),
        (date(2028, 2, 29), (date(2027, 3, 1), date(2028, 2, 29))),
    ],
)
def test_else_twelve_months_up_to_this_one(today: date, counted: tuple[date, date]) -> None:
    assert months_counted("", "", year=None, today=today) == counted


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("", "2026-02", "from_month"),
        ("2026-02", "", "to_month"),
        ("2026-02", "2026-01", "to_month"),
        ("2024-01", "2027-01", "to_month"),
        ("0000-01", "2026-01", "from_month"),
    ],
)
def test_other_months_are_refused(first: str, last: str, field: str) -> None:
    with refused(Reason.FIELD_INVALID) as told:
        months_counted(first, last, year=None, today=TODAY)
    assert list(told.value.fields) == [field]


@pytest.mark.parametrize(("wanted", "needed"), [(None, 3), (0, 3), (2, 3), (10, 10)])
def test_fewer_than_three_are_never_told(wanted: int | None, needed: int) -> None:
    rule = None if wanted is None else CitizenRule(min_answers=wanted)
    assert answers_needed(rule) == needed
