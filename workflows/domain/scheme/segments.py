"""Segments of a year that combine by days served."""

from collections.abc import Sequence
from decimal import ROUND_05UP, Decimal, localcontext
from typing import Final

from siklus.workflows.domain.scheme.amounts import EXACT, half_up, plain
from siklus.workflows.domain.scheme.explained import Step, StepKind, step
from siklus.workflows.domain.scheme.keys import Weighted
from siklus.workflows.domain.values import Value

MILLIONTH: Final = Decimal("0.000001")


class Mark(Value):
    """A score with the days that it stands for."""

    days: int
    score: Decimal


def mean_by_days(
    rule: Weighted, marks: Sequence[Mark], *, rounded: bool = False
) -> tuple[Decimal, Step]:
    """Return the mean of scores by days, and its line.

    A mean that does not end within six places is written with six, never on a bound that it does
    not reach or that it passes: bounds have two places, so its band is the exact mean's.
    Segments that were never rated are left out by the caller: they do not count as zero.

    `rounded` half up to the policy's places is what orders of the first edition had.
    """
    days = sum(mark.days for mark in marks)
    with localcontext(EXACT):
        total = sum((mark.score * mark.days for mark in marks), Decimal(0))
        exact = total / days if days else marks[-1].score
        # Upwards where the last digit would be 0 or 5, else towards zero: what was cut off shows.
        mean = exact.quantize(MILLIONTH, rounding=ROUND_05UP)
    if rounded:
        mean = half_up(exact, rule.indicator_decimals)
    parts = " + ".join(f"{plain(mark.score)} × {mark.days}" for mark in marks)
    sign = "=" if mean == exact else "≈"
    formula = f"({parts}) / {days} {sign} {plain(mean)}"
    return mean, step(StepKind.MEAN_OF_SEGMENTS, "combined", formula, mean, "segments.combine")
