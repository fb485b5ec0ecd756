"""Reading a policy pack: texts for people and rules for the engine.

Nothing is guessed: whatever is unknown, missing or contradictory is a `Problem` with its path.
"""

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import Field, ValidationError

from siklus.workflows.domain.labels import (
    NATIONAL_LABELS,
    STAGE_TITLES,
    Labels,
    StageName,
    Text,
)
from siklus.workflows.domain.outcomes.checks import OutcomeWords, check_words
from siklus.workflows.domain.pack_checks import check_labels, check_policy
from siklus.workflows.domain.pack_source import read_tree
from siklus.workflows.domain.policy import CalibrationRule, Late, Lateness, Policy
from siklus.workflows.domain.problems import PolicyInvalid, Problem, ProblemCode, from_pydantic
from siklus.workflows.domain.scheme.criteria import check_criteria_words
from siklus.workflows.domain.scheme.distribution import Distribution, Mode
from siklus.workflows.domain.scheme.key_checks import check_condition_words
from siklus.workflows.domain.scheme.told import RatingWords
from siklus.workflows.domain.values import Code, Value

Shape = TypeVar("Shape", bound=Value)

_RESTS_ON_THE_SCHEME = frozenset({ProblemCode.SCHEME_MISMATCH, ProblemCode.OUTCOME_NEVER})

MAX_COMPILED_BYTES = 8192
"""Every evaluation carries the compiled policy through its whole history, deflated to a quarter."""


class PolicyPack(Value):
    """One agency's policy as written: texts in two languages, and rules."""

    name: Code
    title: Text
    source: Text
    description: Text
    labels: Labels = NATIONAL_LABELS
    stages: dict[StageName, Text] = Field(default_factory=dict)
    outcomes: dict[Code, OutcomeWords] = Field(default_factory=dict)
    """What the outcomes under `rules.outcomes` are called."""
    criteria: dict[Code, Text] = Field(default_factory=dict)
    """What the criteria of `rules.rating.criteria` are called."""
    conditions: dict[Code, Text] = Field(default_factory=dict)
    """What the conditions of `rules.rating.weighted.caps` are called; else their codes stand."""
    rules: Policy
    distribution: Distribution | None = None
    """How ratings spread over a group is looked at; evaluations themselves know nothing of it."""

    @property
    def rating_words(self) -> RatingWords:
        """Return the words in which a computed rating is told."""
        return RatingWords(labels=self.labels, names={**self.criteria, **self.conditions})

    def stage_title(self, stage: StageName) -> Text:
        """Return the pack's name of a stage, else the national one."""
        return self.stages.get(stage, STAGE_TITLES[stage])


def load(source: str | bytes) -> PolicyPack:
    """Read and check a pack, or raise `PolicyInvalid` with every problem at once."""
    tree = read_tree(source)
    problems = _kept_for_later(tree)
    rules = tree.get("rules")
    if isinstance(rules, dict):
        rules = dict(rules)
        problems += _named_by_the_pack(rules)
        tree["rules"] = {**rules, "name": tree.get("name")}
    pack, faults = _validated(tree)
    problems += faults
    if isinstance(rules, dict):
        problems += _contradictions(rules, problems)
    if pack is not None:
        problems += [*check_labels(pack.labels), *_too_large(pack.rules)]
        problems += check_words(pack.rules.outcomes, pack.outcomes)
        problems += check_criteria_words(pack.rules.rating.criteria, pack.criteria)
        problems += check_condition_words(pack.rules.rating.weighted, pack.conditions)
    if problems or pack is None:
        raise PolicyInvalid(problems)
    return _with_late_calibration(pack)


def _with_late_calibration(pack: PolicyPack) -> PolicyPack:
    """Return a pack whose late calibration passes no rating by a guide that blocks.

    The evaluation knows no guide, so its rules say it; a pack that names the act has its way.
    """
    rule = pack.rules.calibration
    blocks = pack.distribution is not None and pack.distribution.mode is Mode.BLOCK
    if rule is None or not blocks or "late" in rule.model_fields_set:
        return pack
    held = rule.model_copy(update={"late": Lateness(act=Late.TEAM_ACTS)})
    rules = pack.rules.model_copy(update={"calibration": held})
    return pack.model_copy(update={"rules": rules})


class UnitRules(Value):
    """What a pack says of the ratings of a unit taken together."""

    distribution: Distribution | None = None
    calibration: CalibrationRule | None = None


def unit_rules(source: str) -> UnitRules:
    """Read them in a pack as it was published: what is not understood is not there.

    A pack of an earlier release goes on ruling its cycles, whatever else has changed in packs.
    """
    try:
        tree = read_tree(source)
    except PolicyInvalid:
        return UnitRules()
    rules = tree.get("rules")
    return UnitRules(
        distribution=_read(Distribution, tree.get("distribution")),
        calibration=_read(CalibrationRule, rules.get("calibration"))
        if isinstance(rules, dict)
        else None,
    )


def _read(shape: type[Shape], written: object) -> Shape | None:
    try:
        return shape.model_validate_json(_json(written), strict=True)
    except ValidationError:
        return None


def compile(pack: PolicyPack, version: int = 1) -> Policy:
    """Return the rules alone, as an evaluation carries them (at most `MAX_COMPILED_BYTES`)."""
    return pack.rules.model_copy(update={"version": version})


def _kept_for_later(tree: dict[str, object]) -> list[Problem]:
    """Packs of earlier releases kept there what the engine did not do; it does all of it now."""
    if "later" not in tree:
        return []
    del tree["later"]
    message = "nothing waits for later any more: write each of its keys under `rules`"
    return [Problem(path="later", code=ProblemCode.UNKNOWN_KEY, message=message)]


def _named_by_the_pack(rules: dict[str, object]) -> list[Problem]:
    """Name and version come from the pack and its publication."""
    message = "this key is not known here; the pack's own name counts"
    return [
        Problem(path=f"rules.{key}", code=ProblemCode.UNKNOWN_KEY, message=message)
        for key in ("name", "version")
        if rules.pop(key, None) is not None
    ]


def _validated(tree: Mapping[str, object]) -> tuple[PolicyPack | None, list[Problem]]:
    try:
        return PolicyPack.model_validate_json(_json(tree), strict=True), []
    except ValidationError as error:
        found = from_pydantic(error.errors())
        # The pack's name is also the policy's: one fault is told once.
        return None, [problem for problem in found if problem.path != "rules.name"]


def _contradictions(rules: Mapping[str, object], found: list[Problem]) -> list[Problem]:
    """Check what the sections say together, leaving out sections that cannot be read."""
    unread = {problem.path.split(".")[1] for problem in found if problem.path.startswith("rules.")}
    # An unknown key may hold a dot, by which its path cannot be told from another's.
    known = Policy.model_fields.keys() - unread
    readable = {key: value for key, value in rules.items() if key in known}
    policy = Policy.model_validate_json(_json({**readable, "name": "unnamed"}), strict=True)
    # Nothing is said of the scheme while nobody knows which one it is.
    untold = _RESTS_ON_THE_SCHEME if "rating" in unread else frozenset[ProblemCode]()
    return [
        problem
        for problem in check_policy(policy)
        if problem.path.split(".")[1] not in unread and problem.code not in untold
    ]


def _too_large(policy: Policy) -> list[Problem]:
    size = len(policy.model_dump_json().encode())
    if size <= MAX_COMPILED_BYTES:
        return []
    message = f"the compiled rules have {size} bytes, at most {MAX_COMPILED_BYTES} are carried"
    return [Problem(path="rules", code=ProblemCode.TOO_LARGE, message=message)]


def _json(tree: object) -> str:
    # Decimals travel as texts; the models read them back without passing through a float.
    return json.dumps(tree, default=str)
