"""What citizens said of a service, whoever served: which contacts count, and how few are too few.

The law measures services by such surveys (PermenPANRB 14/2017). Of fewer than three answers nothing
but their count is told, and months are whole, so that nobody asks day by day (our decision).
"""

from calendar import monthrange
from datetime import date
from typing import Final

from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.feedback.rules import FEWEST_ANONYMOUS, CitizenRule

MOST_MONTHS: Final = 36
DECEMBER: Final = 12


def answers_needed(rule: CitizenRule | None) -> int:
    """Return how many answers there must be: what a cycle's policy wants, and never under three."""
    return max(FEWEST_ANONYMOUS, rule.min_answers if rule else 0)


def months_counted(
    from_month: str, to_month: str, *, year: tuple[date, date] | None, today: date
) -> tuple[date, date]:
    """Return the first and the last day of the months asked for, else those of the cycle's year.

    Months are written `YYYY-MM`. `year` is None where no cycle is asked for: then it is twelve
    months, this one the last.
    """
    if not from_month and not to_month:
        return year or _twelve_months(today)
    for name, month in (("from_month", from_month), ("to_month", to_month)):
        if not month:
            raise invalid(name, "say both the first and the last month")
    first, last = _first_day("from_month", from_month), _first_day("to_month", to_month)
    many = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 1 <= many <= MOST_MONTHS:
        raise invalid("to_month", f"from one month to {MOST_MONTHS} of them, the first one first")
    return first, last.replace(day=monthrange(last.year, last.month)[1])


def _twelve_months(today: date) -> tuple[date, date]:
    last = today.replace(day=monthrange(today.year, today.month)[1])
    if today.month == DECEMBER:
        return today.replace(month=1, day=1), last
    return today.replace(year=today.year - 1, month=today.month + 1, day=1), last


def _first_day(name: str, month: str) -> date:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise invalid(name, "this is no month") from None
