"""Ratings by numbers in a running evaluation: given, appealed, and combined over segments."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from siklus.workflows.domain import events as e
from siklus.workflows.domain import packs
from siklus.workflows.domain.commands import (
    AppealOutcome,
    DecideAppeal,
    IndicatorLevel,
    Rate,
    RecordSegmentResult,
)
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.domain.scheme.keys import AxisRule
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level, Predicate
from siklus.workflows.packs import shipped_pack
from tests.domain.story import Story, at_rating, refused

PP_30 = packs.compile(shipped_pack("pp-30-2019"))


def policy(*, base: Policy = PP_30, rating: dict[str, Any] | None = None, **more: Any) -> Policy:
    written = base.model_dump(mode="json")
    written["rating"] |= rating or {}
    for section, changes in more.items():
        written[section] |= changes
    return Policy.model_validate(written)


def numbers(results: str | None = None, behaviour: str | None = None, **more: Any) -> GivenNumbers:
    return GivenNumbers.model_validate({"results": results, "behaviour": behaviour, **more})


def rate(*axes: str, **more: Any) -> Rate:
    return Rate(numbers=numbers(*axes, **more))


def told_rated(*axes: str, rules: Policy = PP_30, **more: Any) -> Story:
    return at_rating(policy=rules).supervisor.gives(rate(*axes, **more))


def test_numbers_make_a_score_and_a_predicate_with_their_explanation() -> None:
    told = told_rated("102.8", "110")

    rating = told.state.rating
    assert rating is not None
    assert (rating.predicate, rating.combined) == (Predicate.BAIK, Predicate.BAIK)
    assert (rating.results, rating.behaviour) == (None, None)
    assert rating.numbers is not None
    assert rating.numbers.score == Decimal("104.96")
    assert [line.formula for line in rating.explanation] == [
        "102.8 × 70 / 100 + 110 × 30 / 100 = 104.96",
        "104.96 > 90 → BAIK",
    ]
    assert told.stage is Stage.DELIVERY
    assert told.folded() == told.state


def test_what_stands_in_the_record_is_read_back_as_it_was() -> None:
    told = told_rated("102.8", "110", innovation=True)
    entry = told.entry("rated")

    again = e.Entry.model_validate(json.loads(entry.model_dump_json()))

    assert again == entry
    assert again.model_dump_json() == entry.model_dump_json()


def test_indicators_by_numbers_make_the_results() -> None:
    line = {"id": "antrean", "weight": "100", "target": "15", "actual": "15", "direction": "down"}

    told = told_rated(behaviour="110", measured=[line])

    rating = told.state.rating
    assert rating is not None
    assert rating.numbers is not None
    assert rating.numbers.results == Decimal(109)
    assert rating.explanation[0].path == "measured.antrean.achievement"


@pytest.mark.parametrize(
    ("line", "results"),
    [
        ({"target": "10", "actual": "0", "direction": "down"}, Decimal(120)),
        ({"target": "10", "actual": "0", "direction": "up"}, Decimal(0)),
        ({"low": "0", "high": "0", "actual": "0", "direction": "range"}, Decimal(109)),
        ({"score": "0"}, Decimal(0)),
    ],
)
def test_nothing_at_all_is_a_number_too(line: dict[str, str], results: Decimal) -> None:
    told = told_rated(behaviour="110", measured=[{"id": "antrean", "weight": "100", **line}])

    rating = told.state.rating
    assert rating is not None
    assert rating.numbers is not None
    assert rating.numbers.results == results


def test_an_innovation_lifts_and_a_condition_caps() -> None:
    caps = [{"when": "minimum_output_missed", "results_at_most": 99}]
    rules = policy(rating={"weighted": {**PP_30.model_dump(mode="json")["rating"]["weighted"],
                                        "caps": caps}})  # fmt: skip

    best = told_rated("115", "115", innovation=True, rules=rules)
    capped = told_rated(
        "115", "115", innovation=True, conditions=["minimum_output_missed"], rules=rules
    )

    assert best.predicates == [Predicate.SANGAT_BAIK]
    assert capped.predicates == [Predicate.BAIK]
    with refused(Reason.FIELD_INVALID, fault="UNKNOWN_KEY") as told:
        told_rated("1", "1", conditions=["rained"], rules=rules)
    assert set(told.value.fields) == {"numbers.conditions"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"numbers": numbers("120.01", "100")}, "numbers.results"),
        ({"numbers": numbers("100")}, "numbers.behaviour"),
        ({"numbers": numbers(behaviour="100")}, "numbers.results"),
        ({"numbers": None}, "numbers"),
        ({"numbers": numbers("1", "1"), "results": Level.AT}, "results"),
        (
            {"numbers": numbers("1", "1"), "indicators": [IndicatorLevel(id="a", level=Level.AT)]},
            "indicators",
        ),
        ({"numbers": numbers("1", "1", measured=[{"id": "antrean"}])}, "numbers.results"),
        ({"numbers": numbers(None, "1", measured=[{"id": "arsip"}])}, "numbers.measured"),
        (
            {"numbers": numbers(None, "1", measured=[{"id": "antrean", "weight": "99",
                                                      "score": "1"}])},
            "numbers.measured",
        ),
        (
            {"numbers": numbers(None, "1", measured=[{"id": "antrean", "weight": "100"}])},
            "numbers.measured.antrean.direction",
        ),
    ],
)  # fmt: skip
def test_numbers_that_make_no_rating_are_refused_by_field(
    given: dict[str, Any], field: str
) -> None:
    told = at_rating(policy=PP_30)
    before = told.state

    with refused(Reason.FIELD_INVALID) as caught:
        told.supervisor.gives(Rate.model_validate(given))

    assert set(caught.value.fields) == {field}
    assert told.state == before


def test_a_policy_of_levels_takes_no_numbers_and_needs_both_levels() -> None:
    told = at_rating()

    for given, field in (
        (rate("1", "1"), "numbers"),
        (Rate(results=Level.AT), "behaviour"),
        (Rate(behaviour=Level.AT), "results"),
    ):
        with refused(Reason.FIELD_INVALID) as caught:
            told.supervisor.gives(given)
        assert set(caught.value.fields) == {field}


def test_levels_that_depart_from_their_indicators_need_a_reason() -> None:
    told = at_rating(policy=policy(base=at_rating().state.policy, rating={"axis_level": "lowest"}))
    assert told.state.policy.rating.axis_level is AxisRule.LOWEST
    levels = (IndicatorLevel(id="antrean", level=Level.BELOW),)
    departing = Rate(results=Level.AT, behaviour=Level.AT, indicators=levels)

    with refused(Reason.FIELD_INVALID, proposed="BELOW", rule="rating.axis_level") as caught:
        told.again().supervisor.gives(departing)
    assert set(caught.value.fields) == {"note"}
    said = told.again().supervisor.gives(departing.model_copy(update={"prose": {"note": "Banjir"}}))
    kept = told.supervisor.gives(Rate(results=Level.BELOW, behaviour=Level.AT, indicators=levels))

    assert said.predicates == [Predicate.BAIK]
    assert kept.predicates == [Predicate.BUTUH_PERBAIKAN]
    assert kept.state.rating is not None
    assert kept.state.rating.explanation[0].value == "BELOW"


def appealed(*axes: str) -> Story:
    told = told_rated(*axes).at("2027-01-06 09:00").employee.opens_result().employee.appeals()
    return told.supervisor.responds()


def decide(outcome: AppealOutcome, given: GivenNumbers | None = None) -> DecideAppeal:
    return DecideAppeal(outcome=outcome, numbers=given, prose={"reason": "Bukti baru"})


def test_an_appeal_changes_numbers_by_the_same_rules() -> None:
    told = appealed("85", "85")

    told.superior.gives(decide(AppealOutcome.CHANGED, numbers("100", "85")))

    assert told.predicates == [Predicate.BUTUH_PERBAIKAN, Predicate.BAIK]
    assert told.state.rating is not None
    assert told.state.rating.numbers is not None
    assert told.state.rating.numbers.score == Decimal("95.5")
    assert told.state.rating.explanation[-1].value == "BAIK"


def test_an_appeal_upholds_numbers_or_may_not_lower_them() -> None:
    upheld = appealed("85", "85").superior.gives(decide(AppealOutcome.UPHELD))
    first, second = upheld.state.ratings
    assert (first.numbers, first.explanation) == (second.numbers, second.explanation)

    with refused(Reason.RATING_LOWERED):
        appealed("85", "85").superior.gives(decide(AppealOutcome.CHANGED, numbers("60", "60")))
    with refused(Reason.FIELD_INVALID):
        appealed("85", "85").superior.gives(decide(AppealOutcome.CHANGED, numbers("85", "85")))
    with refused(Reason.FIELD_INVALID):
        appealed("85", "85").superior.gives(decide(AppealOutcome.UPHELD, numbers("85", "85")))


def test_an_appeal_lowers_no_score_within_a_predicate_unless_the_policy_lets_it() -> None:
    lower = decide(AppealOutcome.CHANGED, numbers("84", "85"))

    with refused(Reason.RATING_LOWERED) as caught:
        appealed("85", "85").superior.gives(lower)
    assert list(caught.value.fields) == ["numbers"]

    harsh = told_rated("85", "85", rules=policy(appeal={"may_lower": True}))
    harsh.at("2027-01-06 09:00").employee.appeals().supervisor.responds().superior.gives(lower)
    assert harsh.predicates == [Predicate.BUTUH_PERBAIKAN, Predicate.BUTUH_PERBAIKAN]
    raised = decide(AppealOutcome.CHANGED, numbers("86", "85"))
    assert appealed("85", "85").superior.gives(raised).stage is Stage.FINAL_APPROVAL


def second_segment(combine: str, *, rules: Policy = PP_30) -> Story:
    return at_rating(
        policy=policy(base=rules, segments={"combine": combine}),
        segment=2,
        served_from_on=date(2026, 10, 20),
    )


def earlier(score: str | None, *, days: int = 292, innovation: bool = False) -> RecordSegmentResult:
    given = None if score is None else Decimal(score)
    return RecordSegmentResult(segment=1, days=days, score=given, innovation=innovation)


def test_segments_combine_by_days() -> None:
    told = second_segment("days_weighted")
    told.system.gives(earlier("80"))

    told.supervisor.gives(rate("115", "115"))

    rating = told.state.rating
    assert rating is not None
    assert rating.numbers is not None
    # 80 for 292 days and 115 for 73 of the year's 365.
    assert rating.numbers.combined == Decimal(87)
    assert (rating.predicate, rating.combined) == (Predicate.BAIK, Predicate.BUTUH_PERBAIKAN)
    assert [line.formula for line in rating.explanation[-2:]] == [
        "(80 × 292 + 115 × 73) / 365 = 87",
        "87 > 70 → BUTUH_PERBAIKAN",
    ]
    assert told.folded() == told.state


def test_an_innovation_of_any_segment_is_the_years() -> None:
    told = second_segment("days_weighted")
    told.system.gives(earlier("115", innovation=True))

    told.supervisor.gives(rate("115", "115"))

    assert told.state.rating is not None
    assert told.state.rating.predicate is Predicate.BAIK
    assert told.state.rating.combined is Predicate.SANGAT_BAIK


def test_an_unrated_segment_does_not_count_as_zero() -> None:
    told = second_segment("days_weighted")
    told.system.gives(earlier(None))

    told.supervisor.gives(rate("100", "100"))

    assert told.state.rating is not None
    assert told.state.rating.combined is Predicate.BAIK


def test_the_year_waits_for_an_earlier_segment_that_counts() -> None:
    with refused(Reason.NOT_YET_OPEN, segment="1", rule="segments.combine"):
        second_segment("days_weighted").supervisor.gives(rate("100", "100"))


def test_the_longest_segment_gives_its_score() -> None:
    told = second_segment("longest")
    told.system.gives(earlier("60"))

    told.supervisor.gives(rate("100", "100"))

    rating = told.state.rating
    assert rating is not None
    assert rating.combined is Predicate.KURANG
    assert rating.numbers is not None
    assert rating.numbers.combined == Decimal(60)


def test_a_leaving_supervisor_rates_the_segment_by_numbers() -> None:
    told = at_rating(policy=PP_30, served_from_on=date(2026, 1, 1))
    told.team.transfers("2026-12-20")

    told.supervisor.gives(rate("80", "90"))

    assert told.stage is Stage.SEGMENT_CLOSED
    assert told.state.interim is not None
    assert told.state.interim.score == Decimal(83)
    assert told.state.interim.predicate is Predicate.BUTUH_PERBAIKAN
    assert told.folded() == told.state


CRITERIA = [
    {"code": "disiplin", "axis": "behaviour", "required": True},
    {"code": "inovasi", "axis": "results"},
]


def levels(**given: str) -> tuple[IndicatorLevel, ...]:
    return tuple(IndicatorLevel(id=name, level=Level(level)) for name, level in given.items())


def test_criteria_of_the_catalogue_are_judged_beside_the_plan() -> None:
    rules = policy(base=at_rating().state.policy, rating={"criteria": CRITERIA})
    told = at_rating(policy=rules)
    both = {"results": Level.AT, "behaviour": Level.AT}

    with refused(Reason.FIELD_INVALID) as missing:
        told.again().supervisor.gives(Rate(**both))
    with refused(Reason.FIELD_INVALID) as unknown:
        told.again().supervisor.gives(Rate(**both, indicators=levels(disiplin="AT", arsip="AT")))
    told.supervisor.gives(Rate(**both, indicators=levels(disiplin="AT", inovasi="ABOVE")))

    assert missing.value.fields == {"indicators": "a level is missing for disiplin"}
    assert unknown.value.fields == {"indicators": "the plan has no indicator arsip"}
    assert told.state.rating is not None
    assert [line.id for line in told.state.rating.indicators] == ["disiplin", "inovasi"]


def test_criteria_speak_for_their_axis() -> None:
    rules = policy(
        base=at_rating().state.policy, rating={"criteria": CRITERIA, "axis_level": "lowest"}
    )
    told = at_rating(policy=rules)
    given = levels(antrean="AT", inovasi="BELOW", disiplin="AT")

    with refused(Reason.FIELD_INVALID, axis="results", proposed="BELOW"):
        told.again().supervisor.gives(Rate(results=Level.AT, behaviour=Level.AT, indicators=given))
    with refused(Reason.FIELD_INVALID, axis="behaviour", proposed="AT"):
        told.again().supervisor.gives(
            Rate(results=Level.BELOW, behaviour=Level.ABOVE, indicators=given)
        )
    told.supervisor.gives(Rate(results=Level.BELOW, behaviour=Level.AT, indicators=given))

    assert told.predicates == [Predicate.BUTUH_PERBAIKAN]
    assert told.state.rating is not None
    assert [line.path for line in told.state.rating.explanation] == ["results", "behaviour"]
