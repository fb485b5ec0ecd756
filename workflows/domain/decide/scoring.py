"""What a rating comes to by the policy's scheme: levels and their cell, or numbers and a band.

Every rule that rates goes through here, so that interim ratings, appeals and segments are
computed exactly as the rating itself is.
"""

from decimal import Decimal
from typing import NoReturn

from siklus.workflows.domain.commands import DecideAppeal, Rate
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation, Rating
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.rating import rate_quadrant
from siklus.workflows.domain.scheme.criteria import levels_of_axis, needed, weights_that_count
from siklus.workflows.domain.scheme.explained import Step
from siklus.workflows.domain.scheme.given import GivenNumbers, Numbers
from siklus.workflows.domain.scheme.indicators import score_indicators
from siklus.workflows.domain.scheme.keys import Weighted
from siklus.workflows.domain.scheme.levels import axis_level, axis_step, must_confirm
from siklus.workflows.domain.scheme.refused import RatingInvalid
from siklus.workflows.domain.scheme.weighted import Axes, rate_weighted
from siklus.workflows.domain.values import Level, Predicate, Value


class Judged(Value):
    """A rating as the scheme sees it: either both levels, or numbers."""

    results: Level | None = None
    behaviour: Level | None = None
    numbers: Numbers | None = None
    predicate: Predicate
    explanation: tuple[Step, ...] = ()


def by_numbers(policy: Policy) -> Weighted | None:
    """Return the numeric scheme of a policy, None where it rates by levels."""
    return policy.rating.weighted if policy.rating.scheme == "weighted" else None


def judged(state: Evaluation, command: Rate) -> Judged:
    """Return what a rater's levels or numbers make, or refuse what does not fit the scheme."""
    rule = by_numbers(state.policy)
    if rule is None:
        return _by_levels(state, command)
    given = _numbers(command)
    if command.indicators:
        raise invalid("indicators", "this policy rates indicators by numbers")
    results, explanation = given.results, tuple[Step, ...]()
    try:
        if given.measured:
            results, explanation = _measured(state, rule, given)
        return _rated(rule, given, results, given.colleagues_heard, explanation)
    except RatingInvalid as wrong:
        _refuse(wrong, given)


def decided(state: Evaluation, command: DecideAppeal, rating: Rating) -> Judged:
    """Return the other rating that an appeal's decision gives, computed by the same rules."""
    rule, standing = by_numbers(state.policy), rating.numbers
    if rule is None or standing is None:
        _no_numbers(command)
        if command.results is None or command.behaviour is None:
            missing = "results" if command.results is None else "behaviour"
            raise invalid(missing, "a changed rating states both levels")
        if (command.results, command.behaviour) == (rating.results, rating.behaviour):
            raise invalid("outcome", "these are the levels that stand; uphold them instead")
        return levels(state.policy, command.results, command.behaviour)
    given = _numbers(command)
    if given.measured:
        message = "an appeal's decision states the score of results itself"
        raise invalid("numbers.measured", message)
    try:
        found = _rated(rule, given, given.results, standing.colleagues_heard, ())
    except RatingInvalid as wrong:
        _refuse(wrong, given)
    if found.numbers == standing.model_copy(update={"combined": None}):
        raise invalid("outcome", "these are the numbers that stand; uphold them instead")
    return found


def upheld(command: DecideAppeal, rating: Rating) -> Judged:
    """Return the rating that stands, or refuse other levels or numbers beside `UPHELD`."""
    given = (command.results, command.behaviour)
    if any(given) and given != (rating.results, rating.behaviour):
        raise invalid("results", "an upheld rating keeps its levels")
    if command.numbers is not None:
        raise invalid("numbers", "an upheld rating keeps its numbers")
    return Judged(
        results=rating.results,
        behaviour=rating.behaviour,
        numbers=rating.numbers,
        predicate=rating.predicate,
        explanation=rating.explanation,
    )


def levels(policy: Policy, results: Level, behaviour: Level) -> Judged:
    """Return what two levels make, where the policy has a cell for them (never a default)."""
    if results not in policy.rating.matrix:
        raise Refusal(
            Reason.NOT_ALLOWED_BY_POLICY, "this policy rates by numbers and has no table of levels"
        )
    predicate = rate_quadrant(policy.rating.matrix, results, behaviour)
    return Judged(results=results, behaviour=behaviour, predicate=predicate)


def _by_levels(state: Evaluation, command: Rate) -> Judged:
    _no_numbers(command)
    if command.results is None or command.behaviour is None:
        missing = "results" if command.results is None else "behaviour"
        raise invalid(missing, "is required: this policy rates by levels")
    rule = state.policy.rating
    each = {line.id: line.level for line in command.indicators}
    _must_be_judgeable(state, command)
    found = levels(state.policy, command.results, command.behaviour)
    if rule.axis_level is None:
        return found
    lines = list[Step]()
    for axis, given in (("results", command.results), ("behaviour", command.behaviour)):
        speaking = levels_of_axis(rule.axis_level, axis, each, rule.criteria)
        if not speaking:
            continue
        weights = weights_that_count(rule.axis_level, rule.criteria)
        lines.append(axis_step(rule.axis_level, speaking, axis, weights))
        _must_follow(axis_level(rule.axis_level, speaking, weights), axis, given, command)
    return found.model_copy(update={"explanation": tuple(lines)})


def _must_be_judgeable(state: Evaluation, command: Rate) -> None:
    """Refuse a level for what neither plan nor catalogue has, and a needed one that is missing."""
    rule = state.policy.rating
    criteria = {criterion.code for criterion in rule.criteria}
    given = [line.id for line in command.indicators]
    planned = [name for name in given if name not in criteria]
    forms.must_be_indicators_of(state.plan.indicators, planned)
    if len(set(given)) < len(given):
        raise invalid("indicators", "a level is given twice")
    asked = needed(rule.axis_level, rule.criteria)
    if rule.per_indicator or rule.axis_level is not None:
        asked |= {indicator.id for indicator in state.plan.indicators}
    missing = asked - set(given)
    if missing:
        raise invalid("indicators", f"a level is missing for {', '.join(sorted(missing))}")


def _must_follow(proposed: Level, axis: str, given: Level, command: Rate) -> None:
    try:
        must_confirm(proposed, given, command.prose.get("note", ""), axis)
    except RatingInvalid as wrong:
        raise Refusal(
            Reason.FIELD_INVALID,
            str(wrong),
            details={"axis": axis, "proposed": proposed, "rule": "rating.axis_level"},
            fields={"note": f"is required: {axis} departs from what the indicators make"},
        ) from None


def _measured(
    state: Evaluation, rule: Weighted, given: GivenNumbers
) -> tuple[Decimal, tuple[Step, ...]]:
    if given.results is not None:
        message = "comes from the measured indicators; give one of the two"
        raise invalid("numbers.results", message)
    ids = [line.id for line in given.measured]
    forms.must_be_indicators_of(state.plan.indicators, ids, field="numbers.measured")
    missing = {i.id for i in state.plan.indicators} - set(ids)
    if missing:
        message = f"numbers are missing for {', '.join(sorted(missing))}"
        raise invalid("numbers.measured", message)
    scored = score_indicators(rule, [line.as_written() for line in given.measured], "measured")
    return scored.score, scored.steps


def _rated(
    rule: Weighted,
    given: GivenNumbers,
    results: Decimal | None,
    colleagues: bool,
    explanation: tuple[Step, ...],
) -> Judged:
    axes = Axes(
        results=results,
        behaviour=given.behaviour,
        innovation=given.innovation,
        colleagues=colleagues,
        conditions=given.conditions,
    )
    rated = rate_weighted(rule, axes)
    numbers = Numbers(
        results=rated.results,
        behaviour=rated.behaviour,
        score=rated.score,
        innovation=given.innovation,
        colleagues_heard=colleagues,
        conditions=tuple(sorted(set(given.conditions))),
    )
    steps = (*explanation, *rated.steps)
    return Judged(numbers=numbers, predicate=rated.predicate, explanation=steps)


def _numbers(command: Rate | DecideAppeal) -> GivenNumbers:
    for field in ("results", "behaviour"):
        if getattr(command, field) is not None:
            raise invalid(field, "this policy rates by numbers")
    if command.numbers is None:
        raise invalid("numbers", "is required: this policy rates by numbers")
    return command.numbers


def _no_numbers(command: Rate | DecideAppeal) -> None:
    if command.numbers is not None:
        raise invalid("numbers", "this policy rates by levels")


def _refuse(wrong: RatingInvalid, given: GivenNumbers) -> NoReturn:
    path = {"colleagues": "colleagues_heard"}.get(wrong.path, wrong.path)
    field = "numbers." + ("conditions" if path in given.conditions else path)
    raise Refusal(
        Reason.FIELD_INVALID,
        f"{field}: {wrong.message}",
        details={"fault": wrong.fault},
        fields={field: wrong.message},
    ) from None
