"""The catalogue of criteria: what must hold of it when a policy is loaded, and when one rates."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.problems import Problem, ProblemCode
from siklus.workflows.domain.scheme.amounts import EXACT, plain
from siklus.workflows.domain.scheme.keys import AxisRule, CriterionRule
from siklus.workflows.domain.values import Level


def check_criteria(criteria: Sequence[CriterionRule], path: str) -> Iterator[Problem]:
    """Yield what is wrong with a catalogue: a code twice, weights that are no whole of 100."""
    codes = [each.code for each in criteria]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            message = "a criterion stands twice"
            where = f"{path}.{number}.code"
            yield Problem(path=where, code=ProblemCode.REPEATED_VALUE, message=message)
    weights = [each.weight for each in criteria if each.weight is not None]
    if not weights:
        return
    if len(weights) < len(criteria):
        message = "weights are given for all criteria or for none"
        yield Problem(path=path, code=ProblemCode.WEIGHTS_NOT_100, message=message)
        return
    with localcontext(EXACT):
        total = sum(weights, Decimal(0))
    if total != 100:
        message = f"weights sum to 100, these sum to {plain(total)}"
        yield Problem(path=path, code=ProblemCode.WEIGHTS_NOT_100, message=message)


def check_criteria_words(
    criteria: Sequence[CriterionRule], words: Mapping[str, Text]
) -> Iterator[Problem]:
    """Yield every criterion without words, and words without a criterion."""
    codes = {each.code for each in criteria}
    for code in sorted(codes - set(words)):
        message = "this criterion needs words in both languages"
        yield Problem(path=f"criteria.{code}", code=ProblemCode.LABEL_MISSING, message=message)
    for code in sorted(set(words) - codes):
        message = "there is no such criterion in rules.rating.criteria"
        yield Problem(path=f"criteria.{code}", code=ProblemCode.UNKNOWN_KEY, message=message)


def levels_of_axis(
    rule: AxisRule, axis: str, given: Mapping[str, Level], criteria: Sequence[CriterionRule]
) -> dict[str, Level]:
    """Return the levels that speak for an axis: the plan's indicators speak for results.

    Where weights count, criteria alone speak: nothing else has one.
    """
    axes = {each.code: each.axis for each in criteria}
    others = None if rule is AxisRule.WEIGHTED_MEDIAN else "results"
    return {name: level for name, level in given.items() if axes.get(name, others) == axis}


def weights_that_count(
    rule: AxisRule, criteria: Sequence[CriterionRule]
) -> dict[str, Decimal] | None:
    """Return the weights of the criteria where they make the level of an axis."""
    if rule is not AxisRule.WEIGHTED_MEDIAN:
        return None
    return {each.code: each.weight for each in criteria if each.weight is not None}


def have_a_voice(criteria: Sequence[CriterionRule]) -> bool:
    """Tell whether weights can make the level of each axis that has criteria."""
    return bool(criteria) and {c.axis for c in criteria} == {c.axis for c in criteria if c.weight}


def needed(rule: AxisRule | None, criteria: Sequence[CriterionRule]) -> set[str]:
    """Return the criteria without which a rating is refused: where weights count, every one."""
    every = rule is AxisRule.WEIGHTED_MEDIAN
    return {each.code for each in criteria if every or each.required}
