"""A rating as somebody writes it down: read strictly, computed by any scheme, explained.

A numeric policy reads `results` or `indicators`, `behaviour`, `innovation`, `colleagues` and the
policy's conditions; a policy of levels reads `results`, `behaviour`, `indicators` and `reason`.
"""

from collections.abc import Mapping
from decimal import Decimal

from siklus.workflows.domain.policy import RatingRule
from siklus.workflows.domain.rating import UnknownLabel, parse_level
from siklus.workflows.domain.scheme.amounts import amount, plain
from siklus.workflows.domain.scheme.criteria import levels_of_axis, needed, weights_that_count
from siklus.workflows.domain.scheme.explained import Step
from siklus.workflows.domain.scheme.indicators import score_indicators
from siklus.workflows.domain.scheme.keys import Scheme, Weighted
from siklus.workflows.domain.scheme.levels import axis_level, axis_step, must_confirm, rate_levels
from siklus.workflows.domain.scheme.refused import RatingFault, RatingInvalid
from siklus.workflows.domain.scheme.weighted import Axes, rate_weighted
from siklus.workflows.domain.values import Level, Predicate, Value

Written = Mapping[str, object]


class Outcome(Value):
    """What a written rating comes to; a rating by levels has no score."""

    scheme: Scheme
    score: Decimal | None = None
    predicate: Predicate
    results: str
    """A number or a level; empty where the policy does not rate that axis."""
    behaviour: str
    steps: tuple[Step, ...]


def rate_written(rule: RatingRule, written: Written) -> Outcome:
    """Return the rating that an input makes by the policy, or raise `RatingInvalid`."""
    if rule.scheme is Scheme.WEIGHTED and rule.weighted is not None:
        return _numbers(rule.weighted, written)
    return _levels(rule, written)


def _numbers(rule: Weighted, written: Written) -> Outcome:
    conditions = {cap.when for cap in rule.caps}
    known = {"results", "indicators", "behaviour", "innovation", "colleagues", *conditions}
    _only(written, known)
    steps = tuple[Step, ...]()
    results = behaviour = None
    if "indicators" in written:
        if "results" in written:
            message = "comes from the indicators; give one of the two"
            raise RatingInvalid(RatingFault.REPEATED, "results", message)
        scored = score_indicators(rule, written["indicators"])
        results, steps = scored.score, scored.steps
    elif rule.weights.results or "results" in written:
        results = _axis(written, "results", rule)
    if rule.weights.behaviour or "behaviour" in written:
        behaviour = _axis(written, "behaviour", rule)
    axes = Axes(
        results=results,
        behaviour=behaviour,
        innovation=_flag(written, "innovation"),
        colleagues=_flag(written, "colleagues"),
        conditions=tuple(name for name in sorted(conditions) if _flag(written, name)),
    )
    rated = rate_weighted(rule, axes)
    return Outcome(
        scheme=Scheme.WEIGHTED,
        score=rated.score,
        predicate=rated.predicate,
        results=_shown(rated.results),
        behaviour=_shown(rated.behaviour),
        steps=(*steps, *rated.steps),
    )


def _shown(score: Decimal | None) -> str:
    return "" if score is None else plain(score)


def _axis(written: Written, name: str, rule: Weighted) -> Decimal:
    return amount(written.get(name), name, least=Decimal(0), most=rule.maximum)


def _levels(rule: RatingRule, written: Written) -> Outcome:
    _only(written, {"results", "behaviour", "indicators", "reason"})
    steps = list[Step]()
    each = _indicator_levels(written["indicators"]) if "indicators" in written else {}
    for code in sorted(needed(rule.axis_level, rule.criteria) - set(each)) if each else ():
        message = "is missing; nothing is taken for granted"
        raise RatingInvalid(RatingFault.MISSING, f"indicators.{code}", message)
    results = _axis_level(rule, written, "results", each, steps)
    behaviour = _axis_level(rule, written, "behaviour", each, steps)
    predicate, explained = rate_levels(rule.matrix, results, behaviour)
    return Outcome(
        scheme=Scheme.QUADRANT,
        predicate=predicate,
        results=results.value,
        behaviour=behaviour.value,
        steps=(*steps, *explained),
    )


def _axis_level(
    rule: RatingRule, written: Written, axis: str, each: Mapping[str, Level], steps: list[Step]
) -> Level:
    """Return the level of an axis: as given, or as its indicators and criteria make it."""
    if rule.axis_level is None:
        return _level(written.get(axis), axis)
    speaking = levels_of_axis(rule.axis_level, axis, each, rule.criteria)
    if not speaking:
        return _level(written.get(axis), axis)
    weights = weights_that_count(rule.axis_level, rule.criteria)
    proposed = axis_level(rule.axis_level, speaking, weights)
    steps.append(axis_step(rule.axis_level, speaking, axis, weights))
    if axis not in written:
        return proposed
    given, reason = _level(written[axis], axis), written.get("reason", "")
    must_confirm(proposed, given, reason if isinstance(reason, str) else "", axis)
    return given


def _indicator_levels(given: object) -> dict[str, Level]:
    if not isinstance(given, list) or not given:
        raise RatingInvalid(RatingFault.MISSING, "indicators", "is a list of indicators")
    levels = dict[str, Level]()
    for number, line in enumerate(given):
        where = f"indicators.{number}"
        name = line.get("id") if isinstance(line, Mapping) else None
        if not isinstance(line, Mapping) or not isinstance(name, str) or not name:
            raise RatingInvalid(RatingFault.MISSING, f"{where}.id", "names the indicator")
        if name in levels:
            raise RatingInvalid(RatingFault.REPEATED, f"{where}.id", f"{name!r} stands twice")
        if set(line) - {"id", "level"}:
            message = "this policy rates an indicator by its level alone"
            raise RatingInvalid(RatingFault.NOT_IN_THIS_SCHEME, f"indicators.{name}", message)
        levels[name] = _level(line.get("level"), f"indicators.{name}.level")
    return levels


def _level(written: object, path: str) -> Level:
    if written is None:
        raise RatingInvalid(RatingFault.MISSING, path, "is missing; nothing is taken for granted")
    if not isinstance(written, str):
        message = "is a level (ABOVE, AT or BELOW): this policy rates by levels"
        raise RatingInvalid(RatingFault.NOT_A_LEVEL, path, message)
    try:
        return parse_level(written)
    except UnknownLabel as unknown:
        raise RatingInvalid(RatingFault.NOT_A_LEVEL, path, str(unknown)) from None


def _flag(written: Written, name: str) -> bool:
    value = written.get(name, False)
    if not isinstance(value, bool):
        raise RatingInvalid(RatingFault.NOT_A_CHOICE, name, "is true or false")
    return value


def _only(written: Written, known: set[str]) -> None:
    for key in written:
        if key not in known:
            message = f"is not known here; known are {', '.join(sorted(known))}"
            raise RatingInvalid(RatingFault.UNKNOWN_KEY, key[:63], message)
