"""Two axes as numbers, weighted, capped and read off the bands (PP 30/2019).

Missing is an error and never zero; above the scale is an error and never cut.
"""

from collections.abc import Collection
from decimal import Decimal, localcontext

from siklus.workflows.domain.scheme.amounts import EXACT, plain
from siklus.workflows.domain.scheme.explained import Step, StepKind, step
from siklus.workflows.domain.scheme.keys import Band, Cap, Weighted
from siklus.workflows.domain.scheme.refused import RatingFault, RatingInvalid
from siklus.workflows.domain.values import Predicate, Value

ZERO = Decimal(0)
HUNDRED = Decimal(100)
KEY = "rating.weighted"


class Axes(Value):
    """What a numeric rating is made of; an axis that the policy gives no weight stays None."""

    results: Decimal | None = None
    behaviour: Decimal | None = None
    innovation: bool = False
    """Whether an innovation was recorded."""
    colleagues: bool = False
    """Whether peers and subordinates were heard."""
    conditions: tuple[str, ...] = ()
    """Which of the policy's conditions for a cap hold."""


class Rated(Value):
    """A score and its predicate, explained step by step."""

    score: Decimal
    results: Decimal | None
    """After the caps."""
    behaviour: Decimal | None
    predicate: Predicate
    steps: tuple[Step, ...]


def rate_weighted(rule: Weighted, axes: Axes) -> Rated:
    """Return the score and the predicate of two axes, or raise `RatingInvalid`."""
    weights = rule.weights
    key = f"{KEY}.weights"
    if axes.colleagues:
        if rule.with_colleagues is None:
            message = "the policy has no weights for colleagues who were heard"
            raise RatingInvalid(RatingFault.NOT_IN_THIS_SCHEME, "colleagues", message)
        weights, key = rule.with_colleagues, f"{KEY}.with_colleagues"
    _must_be_conditions(rule, axes.conditions)
    results = _axis("results", axes.results, weights.results, rule.maximum)
    behaviour = _axis("behaviour", axes.behaviour, weights.behaviour, rule.maximum)
    steps = list[Step]()
    results = _capped_results(rule, results, axes.conditions, steps)
    parts = [
        (score, weight)
        for score, weight in ((results, weights.results), (behaviour, weights.behaviour))
        if score is not None
    ]
    with localcontext(EXACT):
        score = sum((each * weight / HUNDRED for each, weight in parts), ZERO)
    formula = " + ".join(f"{plain(each)} × {plain(weight)} / 100" for each, weight in parts)
    kind = StepKind.SCORE_WITH_COLLEAGUES if axes.colleagues else StepKind.SCORE
    steps.append(step(kind, "score", formula, score, key))
    score = _capped_score("score", rule, score, axes.conditions, steps)
    predicate = _predicate(rule, score, axes.innovation, steps)
    return Rated(
        score=score, results=results, behaviour=behaviour, predicate=predicate, steps=tuple(steps)
    )


def cap_year(
    rule: Weighted, score: Decimal, conditions: Collection[str]
) -> tuple[Decimal, tuple[Step, ...]]:
    """Return the most that a year's score comes to where these conditions hold, and why."""
    steps = list[Step]()
    return _capped_score("combined", rule, score, conditions, steps), tuple(steps)


def explain_predicate(
    rule: Weighted, score: Decimal, *, innovation: bool
) -> tuple[Predicate, tuple[Step, ...]]:
    """Return the predicate of a score with the lines that tell why."""
    steps = list[Step]()
    return _predicate(rule, score, innovation, steps), tuple(steps)


def predicate_of(rule: Weighted, score: Decimal, *, innovation: bool) -> Predicate:
    """Return the predicate of a score; the bands are total over the scale."""
    return _predicate(rule, score, innovation, [])


def _axis(name: str, score: Decimal | None, weight: Decimal, most: Decimal) -> Decimal | None:
    if weight == ZERO:
        if score is not None:
            message = "has no weight in this policy, so it is not rated"
            raise RatingInvalid(RatingFault.NOT_IN_THIS_SCHEME, name, message)
        return None
    if score is None:
        raise RatingInvalid(RatingFault.MISSING, name, "is missing; nothing is taken for granted")
    if not score.is_finite():
        raise RatingInvalid(RatingFault.NOT_A_NUMBER, name, "is no number")
    if not ZERO <= score <= most:
        message = f"{plain(score)} lies outside of the scale from 0 to {plain(most)}"
        raise RatingInvalid(RatingFault.OUT_OF_RANGE, name, message)
    return score


def _must_be_conditions(rule: Weighted, conditions: Collection[str]) -> None:
    known = {cap.when for cap in rule.caps}
    for each in conditions:
        if each not in known:
            named = ", ".join(sorted(known)) or "none"
            message = f"is no condition of this policy; known are {named}"
            raise RatingInvalid(RatingFault.UNKNOWN_KEY, each, message)


def _capped_results(
    rule: Weighted, results: Decimal | None, conditions: Collection[str], steps: list[Step]
) -> Decimal | None:
    for number, cap in enumerate(rule.caps):
        if cap.results_at_most is None or cap.when not in conditions or results is None:
            continue
        results = _capped("results", results, cap, cap.results_at_most, number, steps)
    return results


def _capped_score(
    path: str, rule: Weighted, score: Decimal, conditions: Collection[str], steps: list[Step]
) -> Decimal:
    for number, cap in enumerate(rule.caps):
        if cap.score_at_most is not None and cap.when in conditions:
            score = _capped(path, score, cap, cap.score_at_most, number, steps)
    return score


def _capped(
    path: str, score: Decimal, cap: Cap, most: Decimal, number: int, steps: list[Step]
) -> Decimal:
    left = min(score, most)
    formula = f"{cap.when}: min({plain(score)}, {plain(most)})"
    steps.append(step(StepKind.CAP, path, formula, left, f"{KEY}.caps.{number}"))
    return left


def _predicate(rule: Weighted, score: Decimal, innovation: bool, steps: list[Step]) -> Predicate:
    for number, band in enumerate(rule.bands):
        if not _holds(band, score):
            continue
        missed = band.requires == "innovation" and not innovation
        sign = ">" if band.exclusive else "≥"
        formula = f"{plain(score)} {sign} {plain(band.from_score)}"
        if missed:
            kind, source = StepKind.INNOVATION_MISSING, f"{KEY}.bands.{number}.requires"
            steps.append(step(kind, "innovation", f"{formula} → {band.predicate}", "", source))
            continue
        if band.requires:
            formula += f", {band.requires}"
        told = f"{formula} → {band.predicate}"
        source = f"{KEY}.bands.{number}"
        value = band.predicate.value
        steps.append(step(StepKind.PREDICATE, "predicate", told, value, source))
        return band.predicate
    raise RatingInvalid(
        RatingFault.OUT_OF_RANGE, "score", f"no band of the policy holds {plain(score)}"
    )


def _holds(band: Band, score: Decimal) -> bool:
    return score > band.from_score if band.exclusive else score >= band.from_score
