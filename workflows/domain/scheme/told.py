"""Lines of a computed rating in words: what a pack calls predicates, levels and criteria.

A line is recorded in codes and never changes; words are given where somebody reads it.
"""

import re
from collections.abc import Callable, Mapping

from pydantic import Field

from siklus.workflows.domain.labels import NATIONAL_LABELS, Labels, Text
from siklus.workflows.domain.scheme.amounts import indonesian
from siklus.workflows.domain.scheme.explained import LABELS, Step, StepKind
from siklus.workflows.domain.values import Value


class RatingWords(Value):
    """What the codes in a line are called."""

    labels: Labels = NATIONAL_LABELS
    names: Mapping[str, Text] = Field(default_factory=dict)
    """Of indicators, criteria and conditions, by their codes."""

    def called(self, code: str) -> Text:
        """Return a predicate's, a level's or another code's words; without any, the code."""
        labels = (self.labels.predicates, self.labels.levels)
        found = (text for each in labels for known, text in each.items() if known == code)
        return next(found, None) or self.named(code)

    def named(self, code: str) -> Text:
        """Return the words of an indicator, a criterion or a condition; without any, the code."""
        return self.names.get(code) or Text(id=code or "–", en=code or "–")


NATIONAL_WORDS = RatingWords()
"""Of PermenPANRB 6/2022, where no pack is at hand."""

_COMES_TO = frozenset("=≈→")

Both = tuple[str, str]
"""In Indonesian and in English."""


def told(step: Step, words: RatingWords = NATIONAL_WORDS) -> Text:
    """Return a line for people: what it is about, what it computes, and how, in both languages."""
    label, about = LABELS[step.kind], _about(step, words)
    id, en = _FORMULAS.get(step.kind, _numbers)(_worked_out(step), words)
    return Text(
        id=f"{about.id} – {label.id}: {id}" if about else f"{label.id}: {id}",
        en=f"{about.en} – {label.en}: {en}" if about else f"{label.en}: {en}",
    )


def _worked_out(step: Step) -> str:
    """Return the formula with what it comes to.

    Recorded lines leave it out where the last number of the formula happens to be the same.
    """
    if step.kind in _FORMULAS or step.formula == step.value or not step.value:
        return step.formula
    sign = step.formula.removesuffix(f" {step.value}")[-1:]
    return step.formula if sign in _COMES_TO else f"{step.formula} = {step.value}"


def _about(step: Step, words: RatingWords) -> Text | None:
    """Return the name of the indicator or criterion that a line is about, where it has one."""
    _, _, place = step.path.partition(".")
    return words.names.get(place) or words.names.get(place.rpartition(".")[0])


def _numbers(formula: str, words: RatingWords) -> Both:
    return indonesian(formula), formula


def _predicate(formula: str, words: RatingWords) -> Both:
    compared, _, code = formula.rpartition(" → ")
    called = words.called(code)
    in_indonesian = indonesian(compared).replace(", innovation", ", ada inovasi")
    in_english = compared.replace(", innovation", ", with an innovation")
    return f"{in_indonesian} → {called.id}", f"{in_english} → {called.en}"


_CELL = re.compile(r"matrix\[results (\w+)\]\[behaviour (\w+)\] = (\w+)")


def _quadrant(formula: str, words: RatingWords) -> Both:
    cell = _CELL.fullmatch(formula)
    if cell is None:
        return _numbers(formula, words)
    results, behaviour, predicate = map(words.called, cell.groups())
    return (
        f"hasil kerja {results.id}, perilaku kerja {behaviour.id} → {predicate.id}",
        f"results {results.en}, behaviour {behaviour.en} → {predicate.en}",
    )


_AXIS = re.compile(r"(lowest|median|weighted_median)\((.*)\) = (\w+)", re.DOTALL)
_RULES: Mapping[str, Both] = {
    "lowest": ("yang terendah dari", "the lowest of"),
    "median": ("yang tengah dari", "the middle one of"),
    "weighted_median": (
        "yang dicapai lebih dari separuh bobot dari",
        "what over half of the weight reaches of",
    ),
}


def _axis(formula: str, words: RatingWords) -> Both:
    found = _AXIS.fullmatch(formula)
    if found is None:
        return _numbers(formula, words)
    rule, each, level = found.groups()
    both = [_in_axis(part, words) for part in each.split(", ")]
    result, (rule_id, rule_en) = words.called(level), _RULES[rule]
    return (
        f"{rule_id} {'; '.join(said for said, _ in both)} → {result.id}",
        f"{rule_en} {'; '.join(said for _, said in both)} → {result.en}",
    )


def _in_axis(part: str, words: RatingWords) -> Both:
    """Return one indicator's part: its name, its level, and its weight where that counts."""
    level_of, times, weight = part.partition(" × ")
    code, _, given = level_of.rpartition(" ")
    name, called = words.named(code), words.called(given)
    return (
        f"{name.id}: {called.id}{times}{indonesian(weight)}",
        f"{name.en}: {called.en}{times}{weight}",
    )


def _cap(formula: str, words: RatingWords) -> Both:
    condition, _, rest = formula.partition(": ")
    named = words.named(condition)
    return f"{named.id}: {indonesian(rest)}", f"{named.en}: {rest}"


_FORMULAS: Mapping[StepKind, Callable[[str, RatingWords], Both]] = {
    StepKind.PREDICATE: _predicate,
    StepKind.INNOVATION_MISSING: _predicate,
    StepKind.QUADRANT: _quadrant,
    StepKind.AXIS_LEVEL: _axis,
    StepKind.CAP: _cap,
}
