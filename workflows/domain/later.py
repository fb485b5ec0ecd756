"""What a pack may already say under `later:`, although the engine does not do it yet.

`LATER` is the one list. Each key's shape is checked; set where it would be live, it is refused.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.policy import Lateness, Rungs, Span
from siklus.workflows.domain.values import Code, Predicate, Value

Percent = Annotated[Decimal, Field(ge=0, le=100)]
Score = Annotated[Decimal, Field(ge=0, le=1000)]
Few = Annotated[int, Field(ge=0, le=100)]


class Weights(Value):
    """Parts of a whole of 100."""

    results: Percent
    behaviour: Percent

    @model_validator(mode="after")
    def _sum_to_100(self) -> Self:
        if self.results + self.behaviour != 100:
            raise ValueError("weights sum to 100")
        return self


class Band(Value):
    """A predicate from a score on; `exclusive` leaves the bound itself to the band below."""

    predicate: Predicate
    from_score: Score
    exclusive: bool = False
    requires: Literal["innovation"] | None = None


class AchievementStep(Value):
    """Achievement in percent mapped to a score, linear between the two ends."""

    from_percent: Score
    to_percent: Score | None = None
    from_score: Score
    to_score: Score


class Cap(Value):
    """The most that results may score while a condition holds."""

    when: Literal["minimum_output_missed"]
    results_at_most: Score


class Weighted(Value):
    """Numbers instead of levels (PP 30/2019)."""

    weights: Weights
    with_colleagues: Weights | None = None
    maximum: Score = Decimal(120)
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    achievement: tuple[AchievementStep, ...] = ()
    caps: tuple[Cap, ...] = ()


class SecondRating(Value):
    """A second rater after the first."""

    by: Literal["superior", "named"] = "superior"
    min_months_supervision: Few = 0
    no_relatives: bool = True


class Panel(Value):
    """Several people who decide together."""

    members: Annotated[int, Field(ge=1, le=15)] = 3
    quorum: Annotated[int, Field(ge=1, le=15)] = 2


class Criterion(Value):
    """Something that is judged, on one axis, by somebody."""

    code: Code
    title: Text
    axis: Literal["results", "behaviour"]
    weight: Percent | None = None
    judged_by: Literal["supervisor", "citizens", "colleagues"] = "supervisor"


class Catalogue(Value):
    """A version of the criteria; running cycles stay on theirs."""

    version: Annotated[int, Field(ge=1)] = 1
    entries: Annotated[tuple[Criterion, ...], Field(min_length=1)]


class Indicators(Value):
    """How the indicators of a plan are scored."""

    kinds: tuple[Literal["quantitative", "qualitative"], ...] = ("quantitative", "qualitative")
    directions: tuple[Literal["higher", "lower", "range"], ...] = ("higher",)
    each_kind_required: bool = False
    more_than_the_range_is_better: bool = False


class CitizenFeedback(Value):
    """Citizens judge a service they received."""

    bound_to_contact: bool = True
    window: Span = Span(days=14)
    min_answers: Few = 5


class ColleagueFeedback(Value):
    """Peers and subordinates are heard."""

    peers: Few = 2
    subordinates: Few = 2
    anonymous: bool = True
    window: Span = Span(days=14)
    remind: Rungs = (-3, 0)


class Calibration(Value):
    """A panel looks at the distribution and may send a rating back with a reason."""

    levels: tuple[Literal["local", "overall"], ...] = ("local",)
    panel: Panel = Panel()
    due: Span
    late: Lateness = Lateness()


class Organisation(StrEnum):
    """What the organisation itself was rated."""

    ISTIMEWA = "ISTIMEWA"
    BAIK = "BAIK"
    BUTUH_PERBAIKAN = "BUTUH_PERBAIKAN"
    KURANG = "KURANG"
    SANGAT_KURANG = "SANGAT_KURANG"


class Share(Value):
    """A bound on how many of a group hold one of the predicates."""

    predicates: Annotated[tuple[Predicate, ...], Field(min_length=1)]
    at_most_percent: Percent | None = None
    at_least_percent: Percent | None = None
    at_least: Few | None = None


class Distribution(Value):
    """A guide, never a command, unless the mode is `block`; `off` is a real off."""

    mode: Literal["off", "warn", "block"]
    min_group_size: Few = 10
    guides: dict[Organisation, tuple[Share, ...]] = Field(default_factory=dict)


LATER: Mapping[str, TypeAdapter[object]] = {
    "rating.scheme": TypeAdapter(Literal["weighted"]),
    "rating.weighted": TypeAdapter(Weighted),
    "rating.second": TypeAdapter(SecondRating),
    "criteria": TypeAdapter(Catalogue),
    "indicators": TypeAdapter(Indicators),
    "feedback.citizens": TypeAdapter(CitizenFeedback),
    "feedback.colleagues": TypeAdapter(ColleagueFeedback),
    "calibration": TypeAdapter(Calibration),
    "distribution": TypeAdapter(Distribution),
    "delivery.within": TypeAdapter(Span),
    "appeal.decided_by": TypeAdapter(Literal["panel"]),
    "appeal.panel": TypeAdapter(Panel),
    "segments.combine": TypeAdapter(Literal["days_weighted"]),
    "leave_pauses_clocks": TypeAdapter(Literal[True]),
    "languages": TypeAdapter(
        Annotated[tuple[Literal["id", "en"], ...], Field(min_length=1, max_length=2)]
    ),
}
"""Path under `later:`, which is also the path it will have under `rules:`, and its shape."""
