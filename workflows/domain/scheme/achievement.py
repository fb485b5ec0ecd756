"""What was reached of a target, in percent, and the score that it makes by the policy's table."""

from decimal import Decimal, localcontext
from enum import StrEnum

from siklus.workflows.domain.scheme.amounts import EXACT, half_up, plain
from siklus.workflows.domain.scheme.keys import AchievementStep, Weighted
from siklus.workflows.domain.scheme.refused import RatingFault, RatingInvalid
from siklus.workflows.domain.values import Value

HUNDRED = Decimal(100)


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"
    RANGE = "range"


class Reached(Value):
    """A percentage with the formula that it came from."""

    percent: Decimal
    formula: str


def reached_up(target: Decimal, actual: Decimal) -> Reached:
    """More is better: real / target."""
    with localcontext(EXACT):
        percent = HUNDRED * actual / target
    return Reached(percent=percent, formula=f"{plain(actual)} / {plain(target)} × 100")


def reached_down(target: Decimal, actual: Decimal) -> Reached:
    """Less is better: 1 + (1 − real / target), never below 0."""
    with localcontext(EXACT):
        percent = HUNDRED * (2 - actual / target)
    formula = f"(1 + (1 − {plain(actual)} / {plain(target)})) × 100"
    if percent < 0:
        return Reached(percent=Decimal(0), formula=f"{formula} < 0 → 0")
    return Reached(percent=percent, formula=formula)


def reached_range(low: Decimal, high: Decimal, actual: Decimal, *, over: str) -> Reached:
    """Inside is 100; below compares with the lower bound, above with the upper one.

    Above, `falls` gives upper / actual (our decision) and `stays` 100, where more is as good.
    """
    with localcontext(EXACT):
        if actual < low:
            formula = f"{plain(actual)} / {plain(low)} × 100"
            return Reached(percent=HUNDRED * actual / low, formula=formula)
        if actual > high and over == "falls":
            formula = f"{plain(high)} / {plain(actual)} × 100"
            return Reached(percent=HUNDRED * high / actual, formula=formula)
    if actual > high:
        return Reached(percent=HUNDRED, formula=f"{plain(actual)} > {plain(high)} → 100")
    return Reached(percent=HUNDRED, formula=f"{plain(low)} ≤ {plain(actual)} ≤ {plain(high)} → 100")


class Scored(Value):
    """A score with the formula that it came from, and the rule's place."""

    percent: Decimal
    """The achievement, rounded half up to a whole number: this is what the table reads."""
    score: Decimal
    formula: str
    source: str


def score_of(rule: Weighted, percent: Decimal, *, maximum: bool, path: str) -> Scored:
    """Return what the table gives to an achievement; `maximum`: the target cannot be exceeded."""
    whole = half_up(percent)
    source = "rating.weighted.achievement"
    if not rule.achievement:
        message = "the policy has no table from achievement to a score; give a score instead"
        raise RatingInvalid(RatingFault.NOT_IN_THIS_SCHEME, path, message)
    if maximum and rule.attainable_maximum_score is None:
        message = "the policy knows no attainable maximum"
        raise RatingInvalid(RatingFault.NOT_IN_THIS_SCHEME, f"{path}.maximum", message)
    if maximum and whole >= HUNDRED and rule.attainable_maximum_score is not None:
        score = rule.attainable_maximum_score
        source = "rating.weighted.attainable_maximum_score"
        return Scored(percent=whole, score=score, formula=plain(score), source=source)
    for number, each in enumerate(rule.achievement):
        if whole <= each.to_percent:
            return _in_step(rule, each, whole, f"{source}.{number}")
    last = rule.achievement[-1]
    formula = f"{plain(whole)} > {last.to_percent} → {plain(last.to_score)}"
    place = f"{source}.{len(rule.achievement) - 1}"
    return Scored(percent=whole, score=last.to_score, formula=formula, source=place)


def _in_step(rule: Weighted, each: AchievementStep, whole: Decimal, source: str) -> Scored:
    if each.from_score == each.to_score:
        formula = plain(each.from_score)
        return Scored(percent=whole, score=each.from_score, formula=formula, source=source)
    width = each.to_percent - each.from_percent
    with localcontext(EXACT):
        rise = (whole - each.from_percent) * (each.to_score - each.from_score) / width
        exact = each.from_score + rise
    score = half_up(exact, rule.indicator_decimals)
    formula = (
        f"{plain(each.from_score)} + ({plain(whole)} − {each.from_percent}) × "
        f"({plain(each.to_score)} − {plain(each.from_score)}) / {width}"
    )
    if score != exact:
        formula += f" ≈ {plain(score)}"
    return Scored(percent=whole, score=score, formula=formula, source=source)
