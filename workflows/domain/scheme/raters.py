"""Two raters in order: what their numbers make together."""

from decimal import Decimal, localcontext

from siklus.workflows.domain.scheme.amounts import EXACT, half_up, plain
from siklus.workflows.domain.scheme.explained import OF_A_PREDICATE, Step, StepKind, step
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.scheme.keys import Weighted
from siklus.workflows.domain.scheme.weighted import Axes, rate_weighted

SOURCE = "rating.second.combine"


def mean_of_raters(
    rule: Weighted, first: Numbers, second: Numbers
) -> tuple[Numbers, tuple[Step, ...]]:
    """Return the exact mean of two ratings, with its lines.

    Both judge the same work, so a condition for a cap that either of them records holds for both
    ratings (our decision); an innovation is as the second rater found it.
    """
    conditions = tuple(sorted({*first.conditions, *second.conditions}))
    one, lines_of_one = _under(rule, first, conditions, "first")
    two, lines_of_two = _under(rule, second, conditions, "second")
    score = _mean(one.score, two.score)
    formula = f"({plain(one.score)} + {plain(two.score)}) / 2 = {plain(score)}"
    line = step(StepKind.MEAN_OF_RATERS, "score", formula, score, SOURCE)
    axes = {
        "results": _mean_of_axis(one.results, two.results),
        "behaviour": _mean_of_axis(one.behaviour, two.behaviour),
    }
    return two.model_copy(update={**axes, "score": score}), (*lines_of_one, *lines_of_two, line)


def _under(
    rule: Weighted, given: Numbers, conditions: tuple[str, ...], whose: str
) -> tuple[Numbers, tuple[Step, ...]]:
    """Return what a rating comes to where more of the policy's conditions hold, and why."""
    if given.conditions == conditions:
        return given, ()
    axes = Axes(
        results=given.results,
        behaviour=given.behaviour,
        innovation=given.innovation,
        colleagues=given.colleagues_heard,
        conditions=conditions,
    )
    rated = rate_weighted(rule, axes)
    changed = rated.results != given.results
    lines = tuple(
        line.model_copy(update={"path": f"{whose}.{line.path}"})
        for line in rated.steps
        if line.kind is StepKind.CAP or (changed and line.kind not in OF_A_PREDICATE)
    )
    update = {"results": rated.results, "score": rated.score, "conditions": conditions}
    return given.model_copy(update=update), lines


def _mean_of_axis(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else _mean(first, second)


def _mean(first: Decimal, second: Decimal) -> Decimal:
    with localcontext(EXACT):
        return (first + second) / 2


def rounded_mean_of_raters(
    rule: Weighted, first: Numbers, second: Numbers
) -> tuple[Numbers, tuple[Step, ...]]:
    """Return the mean as orders of the first edition had it: rounded, without shared caps."""

    def rounded(one: Decimal | None, two: Decimal | None) -> Decimal | None:
        mean = _mean_of_axis(one, two)
        return None if mean is None else half_up(mean, rule.indicator_decimals)

    exact = _mean(first.score, second.score)
    score = half_up(exact, rule.indicator_decimals)
    sign = "=" if score == exact else "≈"
    formula = f"({plain(first.score)} + {plain(second.score)}) / 2 {sign} {plain(score)}"
    axes = {
        "results": rounded(first.results, second.results),
        "behaviour": rounded(first.behaviour, second.behaviour),
    }
    line = step(StepKind.MEAN_OF_RATERS, "score", formula, score, SOURCE)
    return second.model_copy(update={**axes, "score": score}), (line,)
