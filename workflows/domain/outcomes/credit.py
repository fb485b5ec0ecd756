"""Credit points (angka kredit): a percentage of a post's yearly coefficient, for the months served.

Sangat Baik 150, Baik 100, Butuh Perbaikan 75, Kurang 50, Sangat Kurang 25 % (policy defaults).
"""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

STEP: Final = Decimal("0.001")
"""Points are kept to the thousandth, rounded half up (our decision)."""
MONTHS: Final = 12


def credit_points(coefficient: Decimal, percent: Decimal, months: int) -> Decimal:
    """Return percent of the coefficient for that many months of twelve, in full precision to the
    last step: 12.5 at 150 % for 12 months is 18.75."""
    points = coefficient * percent * months / (100 * MONTHS)
    return _short(points.quantize(STEP, rounding=ROUND_HALF_UP))


def formula(coefficient: Decimal, percent: Decimal, months: int) -> str:
    """Return the reckoning as one can check it by hand."""
    points = credit_points(coefficient, percent, months)
    return f"{_short(percent)} % × {_short(coefficient)} × {months}/{MONTHS} = {points}"


def months_served(first: date, last: date) -> int:
    """Return the whole months from the first to the last day, at most twelve (our decision)."""
    end = last + timedelta(days=1)
    whole = (end.year - first.year) * MONTHS + end.month - first.month - (end.day < first.day)
    return max(0, min(MONTHS, whole))


def _short(number: Decimal) -> Decimal:
    """Return a number without zeros behind the point, never in powers of ten."""
    return Decimal(f"{number:f}".rstrip("0").rstrip(".")) if "." in f"{number:f}" else number
