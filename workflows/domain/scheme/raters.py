"""Two raters in order: what their numbers make together."""

from decimal import Decimal, localcontext

from siklus.workflows.domain.scheme.amounts import EXACT, half_up, plain
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.scheme.keys import Weighted


def mean_of_raters(rule: Weighted, first: Numbers, second: Numbers) -> tuple[Numbers, str]:
    """Return the mean of two ratings and its formula; facts are as the second rater found them.

    Rounded half up as an indicator's score is.
    """
    score, exact = _mean(rule, first.score, second.score)
    sign = "=" if exact else "≈"
    formula = f"({plain(first.score)} + {plain(second.score)}) / 2 {sign} {plain(score)}"
    return second.model_copy(
        update={
            "results": _axis(rule, first.results, second.results),
            "behaviour": _axis(rule, first.behaviour, second.behaviour),
            "score": score,
        }
    ), formula


def _axis(rule: Weighted, first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else _mean(rule, first, second)[0]


def _mean(rule: Weighted, first: Decimal, second: Decimal) -> tuple[Decimal, bool]:
    with localcontext(EXACT):
        exact = (first + second) / 2
    rounded = half_up(exact, rule.indicator_decimals)
    return rounded, rounded == exact
