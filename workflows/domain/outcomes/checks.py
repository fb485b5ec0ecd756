"""What must hold of the rules under `outcomes`, and of the words that a pack has for them."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.outcomes.rules import OutcomeKind, OutcomeRule, When
from siklus.workflows.domain.problems import Problem, ProblemCode
from siklus.workflows.domain.values import Code, Predicate, Value

_WITH_STEPS = {OutcomeKind.COACHING, OutcomeKind.IMPROVEMENT_PLAN}


class OutcomeWords(Value):
    """What an outcome and its steps are called."""

    title: Text
    steps: dict[Code, Text] = Field(default_factory=dict)


def check_outcomes(rules: Sequence[OutcomeRule], *, scored: bool) -> Iterator[Problem]:
    """Yield what is wrong with the rules; `scored` tells whether the scheme gives numbers."""
    seen = set[str]()
    for place, rule in enumerate(rules):
        path = f"rules.outcomes.{place}"
        if rule.code in seen:
            yield _problem(f"{path}.code", ProblemCode.REPEATED_VALUE, "this code is taken")
        seen.add(rule.code)
        yield from _when(f"{path}.when", rule.when, scored=scored)
        yield from _parameters(path, rule)


def _when(path: str, when: When, *, scored: bool) -> Iterator[Problem]:
    for name in ("predicates", "results", "behaviour"):
        values = getattr(when, name)
        if len(set(values)) < len(values):
            yield _problem(f"{path}.{name}", ProblemCode.REPEATED_VALUE, "written twice")
    if when.years_in_a_row > 1 and not when.predicates:
        message = "which predicates, in so many years? write `predicates`"
        yield _problem(f"{path}.years_in_a_row", ProblemCode.OUTCOME_INCOMPLETE, message)
    low, high = when.score_at_least, when.score_below
    if low is not None and high is not None and low >= high:
        message = "no score is as high as the one bound and below the other"
        yield _problem(f"{path}.score_below", ProblemCode.OUTCOME_NEVER, message)
    for name in ("score_at_least", "score_below"):
        if getattr(when, name) is not None and not scored:
            message = "the scheme of this policy gives levels and no score"
            yield _problem(f"{path}.{name}", ProblemCode.OUTCOME_NEVER, message)


def _parameters(path: str, rule: OutcomeRule) -> Iterator[Problem]:
    kind, incomplete = rule.kind, ProblemCode.OUTCOME_INCOMPLETE
    if (kind is OutcomeKind.DEVELOPMENT_PLAN) != bool(rule.skills):
        message = "a development plan names skills, and nothing else does"
        yield _problem(f"{path}.skills", incomplete, message)
    if kind is OutcomeKind.IMPROVEMENT_PLAN and not rule.steps:
        yield _problem(f"{path}.steps", incomplete, "an improvement plan has steps")
    if rule.steps and kind not in _WITH_STEPS:
        message = "only coaching and an improvement plan have steps"
        yield _problem(f"{path}.steps", incomplete, message)
    codes = [step.code for step in rule.steps]
    if len(set(codes)) < len(codes):
        yield _problem(f"{path}.steps", ProblemCode.REPEATED_VALUE, "a step is written twice")
    missing = [each for each in Predicate if each not in rule.percent]
    if kind is OutcomeKind.CREDIT_POINTS and missing:
        message = f"every predicate has a percentage; {', '.join(missing)} is missing"
        yield _problem(f"{path}.percent", incomplete, message)
    if kind is not OutcomeKind.CREDIT_POINTS and (rule.percent or rule.coefficient is not None):
        message = "a percentage and a coefficient belong to credit points alone"
        yield _problem(f"{path}.percent", incomplete, message)


def check_words(
    rules: Sequence[OutcomeRule], words: Mapping[Code, OutcomeWords]
) -> Iterator[Problem]:
    """Yield what the pack has no words for, and words for what it does not have."""
    message = "every outcome and every step has a name in both languages"
    known = {rule.code: {step.code for step in rule.steps} for rule in rules}
    for code, steps in known.items():
        if code not in words:
            yield _problem(f"outcomes.{code}", ProblemCode.LABEL_MISSING, message)
            continue
        for step in sorted(steps - set(words[code].steps)):
            yield _problem(f"outcomes.{code}.steps.{step}", ProblemCode.LABEL_MISSING, message)
    for code, said in words.items():
        unknown = set(said.steps) - known.get(code, set())
        paths = [f"outcomes.{code}.steps.{step}" for step in sorted(unknown)]
        for path in paths if code in known else [f"outcomes.{code}"]:
            text = "no rule of this pack has that code"
            yield _problem(path, ProblemCode.UNKNOWN_KEY, text)


def _problem(path: str, code: ProblemCode, message: str) -> Problem:
    return Problem(path=path, code=code, message=message)
