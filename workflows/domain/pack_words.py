"""What a published pack calls itself, its stages, the codes of a rating and what follows from it.

It was checked when it was published: whatever has been forbidden since, it stays readable.
"""

from pydantic import Field

from siklus.workflows.domain.labels import (
    NATIONAL_LABELS,
    STAGE_TITLES,
    Labels,
    StageName,
    Text,
)
from siklus.workflows.domain.pack_source import read_tree
from siklus.workflows.domain.problems import PolicyInvalid
from siklus.workflows.domain.scheme.told import RatingWords
from siklus.workflows.domain.values import Level, Predicate, Value

_LONGEST = 4000


class PackWords(Value):
    """The texts of a pack that are shown beside its rules."""

    title: Text
    stages: dict[StageName, Text] = Field(default_factory=dict)
    outcomes: dict[str, Text] = Field(default_factory=dict)
    """By the outcome's code; a step's by the outcome's, a point and its own."""
    labels: Labels = NATIONAL_LABELS
    names: dict[str, Text] = Field(default_factory=dict)
    """Of criteria, and of the conditions for a cap."""

    @property
    def rating(self) -> RatingWords:
        """Return the words in which a computed rating is told."""
        return RatingWords(labels=self.labels, names=self.names)

    def stage_title(self, stage: StageName) -> Text:
        """Return the pack's name of a stage, else the national one."""
        return self.stages.get(stage, STAGE_TITLES[stage])

    def outcome_title(self, outcome: str, step: str = "") -> Text:
        """Return what the pack calls an outcome, or a step of it; without words its code."""
        code = step or outcome
        found = self.outcomes.get(f"{outcome}.{step}" if step else outcome)
        return found or Text(id=code, en=code)


def words_of(name: str, source: str) -> PackWords:
    """Return the texts of a published pack; where one cannot be read, the pack's name stands."""
    try:
        tree = read_tree(source)
    except PolicyInvalid:
        tree = {}
    stages = tree.get("stages")
    named = stages if isinstance(stages, dict) else {}
    found = {stage: _text(named.get(stage)) for stage in StageName}
    return PackWords(
        title=_text(tree.get("title")) or Text(id=name, en=name),
        stages={stage: text for stage, text in found.items() if text},
        outcomes=_outcomes(tree.get("outcomes")),
        labels=_labels(tree.get("labels")),
        names=_names(tree.get("criteria")) | _names(tree.get("conditions")),
    )


def _labels(written: object) -> Labels:
    """Return the labels, the national one in place of each that cannot be read."""
    given = written if isinstance(written, dict) else {}
    kinds = (given.get("predicates"), given.get("levels"))
    predicates, levels = ({} if not isinstance(kind, dict) else kind for kind in kinds)
    national = NATIONAL_LABELS
    return Labels(
        predicates={
            code: _text(predicates.get(code)) or national.predicates[code] for code in Predicate
        },
        levels={code: _text(levels.get(code)) or national.levels[code] for code in Level},
    )


def _names(written: object) -> dict[str, Text]:
    given = written if isinstance(written, dict) else {}
    found = {code: _text(said) for code, said in given.items()}
    return {code: text for code, text in found.items() if text}


def _outcomes(written: object) -> dict[str, Text]:
    found = dict[str, Text | None]()
    for code, said in (written if isinstance(written, dict) else {}).items():
        words = said if isinstance(said, dict) else {}
        found[code] = _text(words.get("title"))
        steps = words.get("steps")
        for step, text in (steps if isinstance(steps, dict) else {}).items():
            found[f"{code}.{step}"] = _text(text)
    return {code: text for code, text in found.items() if text}


def _text(written: object) -> Text | None:
    """Return a text, one language in place of the other that is missing; None for none."""
    given = written if isinstance(written, dict) else {}
    first, second = (str(given.get(language) or "")[:_LONGEST] for language in ("id", "en"))
    return Text(id=first or second, en=second or first) if first or second else None
