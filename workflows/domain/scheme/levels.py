"""Levels against expectation: of single indicators, of an axis, and of the quadrant."""

from collections.abc import Mapping
from decimal import Decimal, localcontext

from siklus.workflows.domain.rating import Matrix, rate_quadrant
from siklus.workflows.domain.scheme.amounts import EXACT, plain
from siklus.workflows.domain.scheme.explained import Step, StepKind, step
from siklus.workflows.domain.scheme.keys import AxisRule
from siklus.workflows.domain.scheme.refused import RatingFault, RatingInvalid
from siklus.workflows.domain.values import Level, Predicate

_UPWARDS = (Level.BELOW, Level.AT, Level.ABOVE)


def axis_level(
    rule: AxisRule, levels: Mapping[str, Level], weights: Mapping[str, Decimal] | None = None
) -> Level:
    """Return the level that the indicators of an axis make together.

    `lowest` is the worst of all; `median` the middle one, the lower of two middles;
    `weighted_median` the best that more than half of the weight reaches (our decisions): levels
    are ordered and have no mean.
    """
    if not levels:
        raise RatingInvalid(
            RatingFault.MISSING, "indicators", "an axis needs a level to begin with"
        )
    if rule is AxisRule.WEIGHTED_MEDIAN:
        return _weighted_median(levels, weights or {})
    ordered = sorted(levels.values(), key=_UPWARDS.index)
    return ordered[0] if rule is AxisRule.LOWEST else ordered[(len(ordered) - 1) // 2]


def _weighted_median(levels: Mapping[str, Level], weights: Mapping[str, Decimal]) -> Level:
    with localcontext(EXACT):
        whole = sum((weights[name] for name in levels), Decimal(0))
        reached = Decimal(0)
        for level in _UPWARDS[:-1]:
            reached += sum((weights[n] for n, each in levels.items() if each is level), Decimal(0))
            if reached * 2 >= whole:
                return level
    return _UPWARDS[-1]


def axis_step(
    rule: AxisRule,
    levels: Mapping[str, Level],
    axis: str = "results",
    weights: Mapping[str, Decimal] | None = None,
) -> Step:
    """Return the line that explains how indicators made the level of their axis."""
    level = axis_level(rule, levels, weights)
    weighs = {name: f" × {plain(weight)}" for name, weight in (weights or {}).items()}
    given = ", ".join(f"{name} {each}{weighs.get(name, '')}" for name, each in levels.items())
    formula = f"{rule}({given})"
    return step(StepKind.AXIS_LEVEL, axis, formula, level.value, "rating.axis_level")


def must_confirm(proposed: Level, given: Level, reason: str, axis: str = "results") -> None:
    """Refuse a level that departs from what the indicators make, unless a reason is given."""
    if given is proposed or reason.strip():
        return
    message = f"the indicators make {proposed}, {given} was given: a departure needs a reason"
    raise RatingInvalid(RatingFault.REASON_REQUIRED, axis, message)


def rate_levels(
    matrix: Matrix, results: Level, behaviour: Level
) -> tuple[Predicate, tuple[Step, ...]]:
    """Return the predicate of the cell, explained (PermenPANRB 6/2022)."""
    predicate = rate_quadrant(matrix, results, behaviour)
    formula = f"matrix[results {results}][behaviour {behaviour}]"
    source = f"rating.matrix.{results}.{behaviour}"
    explained = step(StepKind.QUADRANT, "predicate", formula, predicate.value, source)
    return predicate, (explained,)
