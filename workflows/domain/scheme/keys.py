"""What a policy says of its ratings: the keys under `rating`, and their types."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from siklus.workflows.domain.values import Code, Predicate, Value

Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]
Score = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=2)]
WholePercent = Annotated[int, Field(ge=0, le=1000)]

ConditionName = Annotated[Code, Field(max_length=40)]


MOST_CRITERIA: Final = 10


class Lean(Value):
    """A value that leaves out of its written form what it does not say.

    Every evaluation carries its policy through its whole history.
    """

    @model_serializer(mode="wrap")
    def _said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = dump(self)
        return {
            name: value
            for name, value in written.items()
            if getattr(self, name) != type(self).model_fields[name].get_default()
        }


class Scheme(StrEnum):
    """How the two axes make a predicate."""

    QUADRANT = "quadrant"
    WEIGHTED = "weighted"


class AxisRule(StrEnum):
    """How the levels of single indicators make the level of their axis."""

    LOWEST = "lowest"
    MEDIAN = "median"
    WEIGHTED_MEDIAN = "weighted_median"
    """Of the criteria alone, by their weights; what a plan's indicators say is judged in them."""


class Weights(Value):
    """Parts of a whole of 100; an axis with 0 is not rated."""

    results: Percent
    behaviour: Percent

    @model_validator(mode="after")
    def _sum_to_100(self) -> Self:
        if self.results + self.behaviour != 100:
            raise ValueError(f"weights sum to 100, these sum to {self.results + self.behaviour}")
        return self


class Band(Lean):
    """A predicate from a score on; `exclusive` leaves the bound itself to the band below."""

    predicate: Predicate
    from_score: Score
    exclusive: bool = False
    requires: Literal["innovation"] | None = None


class AchievementStep(Lean):
    """Achievement in whole percent mapped to a score, linear between the two ends."""

    from_percent: WholePercent
    to_percent: WholePercent
    from_score: Score
    to_score: Score


class Cap(Lean):
    """The most that results, or the whole, may score while a condition holds."""

    when: ConditionName
    results_at_most: Score | None = None
    score_at_most: Score | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.results_at_most is None) == (self.score_at_most is None):
            raise ValueError("a cap has either results_at_most or score_at_most")
        return self


class Weighted(Lean):
    """Numbers instead of levels (PP 30/2019)."""

    weights: Weights
    with_colleagues: Weights | None = None
    """The weights where peers and subordinates were heard."""
    maximum: Annotated[Score, Field(gt=0)] = Decimal(120)
    """The end of the scale of an axis, of an indicator and of the whole; it begins at 0."""
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=5)]
    """Highest first; the last begins at 0."""
    achievement: Annotated[tuple[AchievementStep, ...], Field(max_length=12)] = ()
    """Lowest first, from 0 %, without a gap; above the last one its `to_score` stays."""
    attainable_maximum_score: Score | None = None
    """What 100 % scores where the target is the attainable maximum."""
    over_range: Literal["falls", "stays"] = "falls"
    """Above a range target's upper bound: `falls` is upper bound / actual, `stays` is 100 %."""
    indicator_decimals: Annotated[int, Field(ge=0, le=6)] = 2
    """Decimals of an indicator's score, rounded half up: what is shown is what counts."""
    caps: Annotated[tuple[Cap, ...], Field(max_length=5)] = ()


class IndicatorRule(Lean):
    """What kinds of indicators a plan has; one that says nothing takes any."""

    kinds: Annotated[
        tuple[Literal["quantitative", "qualitative"], ...], Field(min_length=1, max_length=2)
    ] = ("quantitative", "qualitative")
    each_kind_required: bool = False
    """Whether a plan needs at least one of each of these kinds."""


class CriterionRule(Lean):
    """Something beside the plan that the rater judges by a level; the pack has its words.

    A catalogue is as old as its policy's version: running cycles stay on theirs.
    """

    code: Code
    axis: Literal["results", "behaviour"]
    weight: Percent | None = None
    """Its part of the whole of 100: its voice in a weighted median, else for readers alone."""
    required: bool = False
    """Whether a rating without it is refused."""


class SecondRating(Lean):
    """A second rater after the first (the first one's superior)."""

    by: Literal["superior"] = "superior"
    combine: Literal["average", "second"] = "average"
    """Numbers: the mean of both, or the second rater's alone; levels: always the second's."""
