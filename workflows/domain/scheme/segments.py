"""Segments of a year that combine by days served, and the marks of two raters."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

from siklus.workflows.domain.scheme.amounts import EXACT, half_up, plain
from siklus.workflows.domain.scheme.explained import Step, StepKind, step
from siklus.workflows.domain.scheme.keys import Weighted
from siklus.workflows.domain.values import Value


class Mark(Value):
    """A score with the days that it stands for."""

    days: int
    score: Decimal


def mean_by_days(rule: Weighted, marks: Sequence[Mark]) -> tuple[Decimal, Step]:
    """Return the mean of scores by days, rounded half up as an indicator's is, and its line.

    Segments that were never rated are left out by the caller: they do not count as zero.
    """
    days = sum(mark.days for mark in marks)
    with localcontext(EXACT):
        total = sum((mark.score * mark.days for mark in marks), Decimal(0))
        exact = total / days if days else marks[-1].score
    mean = half_up(exact, rule.indicator_decimals)
    parts = " + ".join(f"{plain(mark.score)} × {mark.days}" for mark in marks)
    sign = "=" if mean == exact else "≈"
    formula = f"({parts}) / {days} {sign} {plain(mean)}"
    return mean, step(StepKind.MEAN_OF_SEGMENTS, "combined", formula, mean, "segments.combine")
