"""An outcome as it was drawn: what, from which result, by which rule of which policy, and why."""

from collections.abc import Mapping
from decimal import Decimal

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.outcomes.judging import EarlierYear, Judged
from siklus.workflows.domain.outcomes.rules import OutcomeKind, Skill
from siklus.workflows.domain.pack_words import PackWords
from siklus.workflows.domain.values import Code, Digest, Predicate, Value


class Source(Value):
    """The result and the rules that outcomes were drawn from."""

    policy: str
    policy_version: int
    policy_digest: Digest
    predicate: Predicate
    months: int
    head: Digest
    """The last link of the evaluation's chain: it proves the result."""


class DrawnOutcome(Value):
    """One outcome, in words that stay although the pack's may change."""

    schema_version: int = 1
    source: Source
    code: Code
    kind: OutcomeKind
    rule: str
    title: Text
    steps: dict[Code, Text] = {}
    because: Text
    skills: tuple[Skill, ...] = ()
    percent: Decimal | None = None
    coefficient: Decimal | None = None
    points: Decimal | None = None
    years: tuple[EarlierYear, ...] = ()
    """The final results of earlier years that the rule asked for, as they stood then."""

    def changed_years(self, standing: Mapping[int, Predicate]) -> tuple[int, ...]:
        """Return the earlier years that ended otherwise by what stands now, or have no result."""
        return tuple(had.year for had in self.years if standing.get(had.year) is not had.predicate)


def as_drawn(judged: Judged, source: Source, words: PackWords) -> DrawnOutcome:
    """Return a rule that holds as what it gives."""
    rule = judged.rule
    return DrawnOutcome(
        source=source,
        code=rule.code,
        kind=rule.kind,
        rule=rule.path,
        title=words.outcome_title(rule.code),
        steps={step.code: words.outcome_title(rule.code, step.code) for step in rule.steps},
        because=judged.because,
        skills=rule.skills,
        percent=judged.percent,
        coefficient=rule.coefficient,
        points=judged.points,
        years=judged.years,
    )
