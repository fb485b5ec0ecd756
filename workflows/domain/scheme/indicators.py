"""Several indicators of a plan, each with its weight, as one score of the results axis.

An indicator is measured (`target` and `actual`), kept in a range (`low`, `high` and `actual`),
or judged (`score`: a qualitative one).
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Final

from siklus.workflows.domain.scheme.achievement import (
    Direction,
    Reached,
    reached_down,
    reached_range,
    reached_up,
    score_of,
)
from siklus.workflows.domain.scheme.amounts import EXACT, amount, half_up, plain
from siklus.workflows.domain.scheme.explained import Step, StepKind, step
from siklus.workflows.domain.scheme.keys import Weighted
from siklus.workflows.domain.scheme.refused import RatingFault, RatingInvalid
from siklus.workflows.domain.values import Value

MOST_INDICATORS: Final = 50
ZERO = Decimal(0)
HUNDRED = Decimal(100)

_COMMON = {"id", "weight"}
_MEASURED = _COMMON | {"target", "actual", "direction", "maximum"}
_RANGED = _COMMON | {"low", "high", "actual", "direction", "maximum"}
_JUDGED = _COMMON | {"score"}


class IndicatorsScored(Value):
    """The score of an axis, with the steps that led to it."""

    score: Decimal
    by_id: dict[str, Decimal]
    steps: tuple[Step, ...]


def score_indicators(rule: Weighted, given: object, path: str = "indicators") -> IndicatorsScored:
    """Return the weighted score of all indicators, or raise `RatingInvalid` with the place."""
    lines = tuple(_lines(given, path))
    weights = [
        amount(line.get("weight"), f"{where}.weight", least=ZERO, most=HUNDRED)
        for where, line in lines
    ]
    with localcontext(EXACT):
        total = sum(weights, ZERO)
    if total != HUNDRED:
        message = f"the weights sum to {plain(total)}, not to 100"
        raise RatingInvalid(RatingFault.WEIGHTS_NOT_100, path, message)
    steps = list[Step]()
    scores = dict[str, Decimal]()
    for where, line in lines:
        score, explained = _one(rule, line, where)
        scores[str(line["id"])] = score
        steps += explained
    with localcontext(EXACT):
        parts = zip(scores.values(), weights, strict=True)
        result = sum((score * weight / HUNDRED for score, weight in parts), ZERO)
    written = zip(scores.values(), weights, strict=True)
    steps.append(
        step(
            StepKind.RESULTS,
            "results",
            " + ".join(f"{plain(score)} × {plain(weight)} / 100" for score, weight in written),
            result,
            "indicators.weight",
        )
    )
    return IndicatorsScored(score=result, by_id=scores, steps=tuple(steps))


def _lines(given: object, path: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise RatingInvalid(RatingFault.MISSING, path, "is a list of indicators")
    if not given:
        raise RatingInvalid(RatingFault.MISSING, path, "holds no indicator")
    if len(given) > MOST_INDICATORS:
        message = f"are more than the {MOST_INDICATORS} that a plan may have"
        raise RatingInvalid(RatingFault.OUT_OF_RANGE, path, message)
    met = set[str]()
    for number, line in enumerate(given):
        where = f"{path}.{number}"
        if not isinstance(line, Mapping):
            raise RatingInvalid(RatingFault.MISSING, where, "is an indicator with its keys")
        name = line.get("id")
        if not isinstance(name, str) or not name:
            raise RatingInvalid(RatingFault.MISSING, f"{where}.id", "names the indicator")
        if len(name) > 63 or not name.isprintable():
            message = "is a short name of at most 63 characters"
            raise RatingInvalid(RatingFault.OUT_OF_RANGE, f"{where}.id", message)
        if name in met:
            message = f"{name!r} stands twice"
            raise RatingInvalid(RatingFault.REPEATED, f"{where}.id", message)
        met.add(name)
        yield f"{path}.{name}", line


def _one(rule: Weighted, line: Mapping[str, object], path: str) -> tuple[Decimal, list[Step]]:
    if "score" in line:
        _only(line, _JUDGED, path)
        score = amount(line["score"], f"{path}.score", least=ZERO, most=rule.maximum)
        return score, [step(StepKind.JUDGED, path, plain(score), score, "input")]
    reached = _reached(rule, line, path)
    maximum = line.get("maximum", False)
    if not isinstance(maximum, bool):
        message = "is true or false"
        raise RatingInvalid(RatingFault.NOT_A_CHOICE, f"{path}.maximum", message)
    scored = score_of(rule, reached.percent, maximum=maximum, path=path)
    kind = StepKind.INDICATOR_SCORE
    if scored.source.endswith("attainable_maximum_score"):
        kind = StepKind.ATTAINABLE_MAXIMUM
    return scored.score, [
        step(
            StepKind.ACHIEVEMENT,
            f"{path}.achievement",
            _rounded(reached, scored.percent),
            scored.percent,
            "input",
        ),
        step(kind, f"{path}.score", scored.formula, scored.score, scored.source),
    ]


def _rounded(reached: Reached, whole: Decimal) -> str:
    near = half_up(reached.percent, 2)
    if reached.percent == whole:
        return reached.formula
    sign = "=" if near == reached.percent else "≈"
    return f"{reached.formula} {sign} {plain(near)} → {plain(whole)}"


def _reached(rule: Weighted, line: Mapping[str, object], path: str) -> Reached:
    direction = _direction(line, path)
    if direction is Direction.RANGE:
        _only(line, _RANGED, path)
        low = amount(line.get("low"), f"{path}.low", least=ZERO)
        high = amount(line.get("high"), f"{path}.high", least=ZERO)
        actual = amount(line.get("actual"), f"{path}.actual", least=ZERO)
        if low > high:
            message = f"{plain(low)} is above the upper bound {plain(high)}"
            raise RatingInvalid(RatingFault.OUT_OF_RANGE, f"{path}.low", message)
        return reached_range(low, high, actual, over=rule.over_range)
    _only(line, _MEASURED, path)
    target = amount(line.get("target"), f"{path}.target", least=ZERO)
    actual = amount(line.get("actual"), f"{path}.actual", least=ZERO)
    if target == ZERO:
        message = "is 0, and nothing is a part of nothing; write a range of low 0 and high 0"
        raise RatingInvalid(RatingFault.OUT_OF_RANGE, f"{path}.target", message)
    reached = reached_up if direction is Direction.UP else reached_down
    return reached(target, actual)


def _direction(line: Mapping[str, object], path: str) -> Direction:
    written = line.get("direction")
    if written is None:
        message = "is missing; write up, down or range (or a score, where it is judged)"
        raise RatingInvalid(RatingFault.MISSING, f"{path}.direction", message)
    if not isinstance(written, str) or written not in set(Direction):
        message = f"is one of {', '.join(Direction)}"
        raise RatingInvalid(RatingFault.NOT_A_CHOICE, f"{path}.direction", message)
    return Direction(written)


def _only(line: Mapping[str, object], known: set[str], path: str) -> None:
    for key in line:
        if key not in known:
            message = f"is not known here; known are {', '.join(sorted(known))}"
            raise RatingInvalid(RatingFault.UNKNOWN_KEY, f"{path}.{key[:63]}", message)
