"""The policy key `outcomes`: under which conditions what follows from a final result."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from siklus.workflows.domain.values import Code, Level, Predicate, Value

Percent = Annotated[Decimal, Field(ge=0, le=300)]
Score = Annotated[Decimal, Field(ge=0, le=1000)]
MOST_RULES = 20
MOST_STEPS = 12


class OutcomeKind(StrEnum):
    """What may follow from a result; none of it is pay."""

    REWARD = "reward"
    """Nominated for a reward."""
    PLACEMENT = "placement"
    """A note for whoever decides on careers and posts."""
    DEVELOPMENT_PLAN = "development_plan"
    COACHING = "coaching"
    IMPROVEMENT_PLAN = "improvement_plan"
    CREDIT_POINTS = "credit_points"


class Skill(StrEnum):
    """What a development plan trains."""

    TECHNICAL = "technical"
    MANAGERIAL = "managerial"
    SOFT = "soft"


class StepCount(StrEnum):
    """Which days lead to a step."""

    CALENDAR = "calendar"
    WORKING = "working"


class _Sparse(Value):
    """Written without what it does not say: every evaluation carries its policy."""

    @model_serializer(mode="wrap")
    def _as_said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = dump(self)
        fields = type(self).model_fields
        return {
            name: value
            for name, value in written.items()
            if fields[name].is_required() or getattr(self, name) != fields[name].default
        }


class After(_Sparse):
    """Days after the evaluation was completed."""

    days: Annotated[int, Field(ge=1, le=300)]
    count: StepCount = StepCount.CALENDAR


class StepRule(_Sparse):
    """One step of a plan, at which the supervisor meets the employee and records how it went."""

    code: Code
    after: After


class When(_Sparse):
    """Conditions that all hold; one that says nothing always does."""

    predicates: tuple[Predicate, ...] = ()
    results: tuple[Level, ...] = ()
    behaviour: tuple[Level, ...] = ()
    score_at_least: Score | None = None
    score_below: Score | None = None
    years_in_a_row: Annotated[int, Field(ge=1, le=10)] = 1
    """So many years, this one included, ended with one of the predicates."""


class OutcomeRule(_Sparse):
    """When something follows, and what; its code names it in every year."""

    code: Code
    kind: OutcomeKind
    when: When = When()
    skills: tuple[Skill, ...] = ()
    steps: Annotated[tuple[StepRule, ...], Field(max_length=MOST_STEPS)] = ()
    percent: dict[Predicate, Percent] = {}
    """Of the post's yearly coefficient, for every predicate."""
    coefficient: Annotated[Decimal, Field(gt=0, le=1000)] | None = None
    """Of all posts that the policy is for; without one whoever knows the post multiplies."""

    @property
    def path(self) -> str:
        """Where the policy speaks of it."""
        return f"outcomes.{self.code}"
