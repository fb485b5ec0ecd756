"""The mean of two raters and of a year's segments: exact, and capped as its parts are."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siklus.workflows.domain.commands import (
    AppealOutcome,
    Edition,
    Rate,
    RecordSegmentResult,
)
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.model import Rating
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.scheme.segments import Mark, mean_by_days
from siklus.workflows.domain.scheme.weighted import predicate_of
from siklus.workflows.domain.values import Predicate
from tests.domain.story import RINA, Story, at_rating, refused
from tests.domain.test_rating_by_numbers import PP_30, decide, policy, rate

CAPS = [
    {"when": "critical_element_failed", "score_at_most": 60},
    {"when": "minimum_output_missed", "results_at_most": 99},
]
FAILED, MISSED = "critical_element_failed", "minimum_output_missed"


def capped(**more: Any) -> Policy:
    weighted = PP_30.model_dump(mode="json")["rating"]["weighted"]
    return policy(rating={"weighted": {**weighted, "caps": CAPS}, **more})


TWO_RATERS = capped(second={"by": "superior", "combine": "average"})
SEGMENTS = policy(base=capped(), segments={"combine": "days_weighted"})


def rated_by_two(first: Rate, second: Rate, rules: Policy = TWO_RATERS, **order: Any) -> Rating:
    told = at_rating(policy=rules).supervisor.gives(first)
    return standing(told.person(RINA).gives(second, **order))


def standing(told: Story) -> Rating:
    rating = told.state.rating
    assert rating is not None
    assert rating.numbers is not None
    assert told.folded() == told.state
    return rating


def formulas(rating: Rating) -> list[str]:
    return [line.formula for line in rating.explanation]


def after_a_segment(score: str, days: int, **more: Any) -> Story:
    told = at_rating(policy=SEGMENTS, segment=2, served_from_on=date(2026, 10, 20))
    earlier = RecordSegmentResult(segment=1, days=days, score=Decimal(score), **more)
    return told.system.gives(earlier)


def appealed_with(told: Story, given: Rate | None, **order: Any) -> Story:
    told.at("2027-01-06 09:00").employee.appeals().supervisor.responds()
    outcome = AppealOutcome.CHANGED if given else AppealOutcome.UPHELD
    return told.superior.gives(decide(outcome, given.numbers if given else None), **order)


def test_a_mean_of_two_that_misses_a_bound_by_a_hair_misses_it() -> None:
    rating = rated_by_two(rate("90.0075", "90"), rate("89.9818", "90"))

    assert rating.numbers is not None
    assert rating.numbers.score == Decimal("89.996255")
    assert rating.predicate is Predicate.BUTUH_PERBAIKAN
    assert formulas(rating)[-2:] == [
        "(90.00525 + 89.98726) / 2 = 89.996255",
        "89.996255 > 70 → BUTUH_PERBAIKAN",
    ]


def test_a_mean_above_a_bound_by_a_hair_is_above_it() -> None:
    rating = rated_by_two(rate("90.0075", "90"), rate("90", "90"))

    assert rating.predicate is Predicate.BAIK
    assert formulas(rating)[-1] == "90.002625 > 90 → BAIK"


def test_what_either_rater_says_of_a_cap_holds_for_both() -> None:
    of_the_first = rated_by_two(rate("100", "100", conditions=[FAILED]), rate("110", "110"))
    of_the_second = rated_by_two(rate("100", "100"), rate("110", "110", conditions=[FAILED]))

    for rating in (of_the_first, of_the_second):
        assert rating.numbers is not None
        assert rating.numbers.score == Decimal(60)
        assert rating.numbers.conditions == (FAILED,)
        assert rating.predicate is Predicate.KURANG
    assert formulas(of_the_first) == [
        "110 × 70 / 100 + 110 × 30 / 100 = 110",
        "critical_element_failed: min(110, 60) = 60",
        "(60 + 60) / 2 = 60",
        "60 > 50 → KURANG",
    ]


def test_a_cap_on_results_leaves_the_other_axis_alone() -> None:
    rating = rated_by_two(rate("110", "100", conditions=[MISSED]), rate("120", "110"))

    assert rating.numbers is not None
    assert (rating.numbers.results, rating.numbers.behaviour) == (Decimal(99), Decimal(105))
    assert rating.numbers.score == Decimal("100.8")


def test_where_the_second_rating_counts_alone_so_do_its_conditions() -> None:
    alone = capped(second={"by": "superior", "combine": "second"})

    rating = rated_by_two(rate("100", "100", conditions=[FAILED]), rate("110", "110"), alone)

    assert rating.numbers is not None
    assert (rating.numbers.score, rating.numbers.conditions) == (Decimal(110), ())


def test_a_mean_of_segments_that_misses_a_bound_by_a_hair_misses_it() -> None:
    told = after_a_segment("90.001", 292)

    rating = standing(told.supervisor.gives(rate("89.98", "89.98")))

    # 26280.292 + 6568.54 = 32848.832, and 90 for each of 365 days would be 32850.
    assert rating.combined is Predicate.BUTUH_PERBAIKAN
    assert rating.score == Decimal("89.9968")
    assert formulas(rating)[-2:] == [
        "(90.001 × 292 + 89.98 × 73) / 365 = 89.9968",
        "89.9968 > 70 → BUTUH_PERBAIKAN",
    ]


def test_a_mean_without_an_end_is_written_to_six_places_on_its_side_of_every_bound() -> None:
    told = after_a_segment("90", 292)

    rating = standing(told.supervisor.gives(rate("90.00001", "90")))

    # 90.0000014 by hand: above 90, and never written as 90.
    assert rating.combined is Predicate.BAIK
    assert formulas(rating)[-2:] == [
        "(90 × 292 + 90.000007 × 73) / 365 ≈ 90.000001",
        "90.000001 > 90 → BAIK",
    ]


SCORES = st.decimals(0, 120, places=6)
MARKS = st.lists(st.tuples(st.integers(1, 366), SCORES), min_size=2, max_size=4)
NEAR = st.tuples(
    st.sampled_from([band.from_score for band in PP_30.rating.weighted.bands])
    if PP_30.rating.weighted
    else st.nothing(),
    st.integers(2, 366),
    st.decimals("-0.00001", "0.00001", places=6),
).map(lambda near: [(near[1], near[0]), (1, max(near[0] + near[2], Decimal(0)))])


@given(MARKS | NEAR)
def test_a_mean_has_the_predicate_of_the_exact_fraction(marks: list[tuple[int, Decimal]]) -> None:
    rule = PP_30.rating.weighted
    assert rule is not None

    mean, _ = mean_by_days(rule, [Mark(days=days, score=score) for days, score in marks])

    exact = Fraction(sum(days * Fraction(s) for days, s in marks), sum(d for d, _ in marks))
    for band in rule.bands:
        bound = Fraction(band.from_score)
        assert (Fraction(mean) > bound, Fraction(mean) >= bound) == (exact > bound, exact >= bound)
    assert abs(Fraction(mean) - exact) < Fraction(1, 10**6)
    assert predicate_of(rule, mean, innovation=True)


def test_an_element_that_failed_in_any_segment_caps_the_year() -> None:
    told = after_a_segment("60", 73, conditions=(FAILED,))

    rating = standing(told.supervisor.gives(rate("110", "110")))

    assert (rating.predicate, rating.combined) == (Predicate.BAIK, Predicate.KURANG)
    assert rating.score == Decimal(60)
    assert formulas(rating)[-3:] == [
        "(60 × 73 + 110 × 73) / 146 = 85",
        "critical_element_failed: min(85, 60) = 60",
        "60 > 50 → KURANG",
    ]


def test_a_segment_brings_its_conditions_to_the_year() -> None:
    told = at_rating(policy=SEGMENTS, served_from_on=date(2026, 1, 1)).team.transfers("2026-12-20")

    told.supervisor.gives(rate("110", "110", conditions=[FAILED]))

    assert told.state.interim is not None
    assert told.state.interim.conditions == (FAILED,)


def test_a_segments_score_reaches_the_year_with_all_its_digits() -> None:
    told = after_a_segment("88.0925875", 292)

    assert told.state.segments[0].score == Decimal("88.0925875")


def test_an_order_of_an_earlier_edition_is_decided_again_as_it_was() -> None:
    """A replay gives every command again that an old history holds."""
    two = rated_by_two(
        rate("90.0075", "90", conditions=[FAILED]), rate("119.9818", "90"), edition=Edition.FIRST
    )
    told = after_a_segment("60", 73, conditions=(FAILED,))
    year = standing(told.supervisor.gives(rate("90.01", "90.01"), edition=Edition.FIRST))

    assert formulas(two)[-2] == "(60 + 110.98726) / 2 ≈ 85.49"
    assert year.score == Decimal("75.01")
    assert formulas(year)[-1] == "(60 × 73 + 90.01 × 73) / 146 ≈ 75.01"


INNOVATION = {"innovation": True}


def test_an_appeal_may_lower_neither_the_segment_nor_the_year() -> None:
    told = after_a_segment("119", 292).supervisor.gives(rate("100", "100", **INNOVATION))
    assert (standing(told).predicate, standing(told).combined) == (
        Predicate.BAIK,
        Predicate.SANGAT_BAIK,
    )

    with refused(Reason.RATING_LOWERED, standing="SANGAT_BAIK", decided="BAIK"):
        appealed_with(told.again(), rate("101", "101"))
    raised = appealed_with(told.again(), rate("101", "101", **INNOVATION))
    before = appealed_with(told.again(), rate("101", "101"), edition=Edition.FIRST)

    assert standing(raised).combined is Predicate.SANGAT_BAIK
    assert standing(before).combined is Predicate.BAIK


def test_an_upheld_rating_keeps_the_year_as_it_was_computed_then() -> None:
    told = after_a_segment("90.005", 292)
    told.supervisor.gives(rate("89.99", "89.99"), edition=Edition.FIRST)
    rounded = (Decimal("90.00"), Predicate.BUTUH_PERBAIKAN)
    assert (standing(told).score, standing(told).combined) == rounded

    upheld = appealed_with(told, None)

    assert (standing(upheld).score, standing(upheld).combined) == rounded


@pytest.mark.parametrize("conditions", [[], [FAILED]])
def test_a_rating_of_one_rater_alone_is_what_it_was(conditions: list[str]) -> None:
    told = at_rating(policy=capped()).supervisor.gives(rate("100", "90", conditions=conditions))

    assert standing(told).numbers is not None
    assert standing(told).score == (Decimal(60) if conditions else Decimal(97))
