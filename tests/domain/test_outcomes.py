"""What follows from a final result: which rules hold, why, and what wrong rules are refused for."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from siklus.workflows.domain.outcomes.credit import credit_points, formula, months_served
from siklus.workflows.domain.outcomes.drawn import DrawnOutcome, Source, as_drawn
from siklus.workflows.domain.outcomes.judging import EarlierYear, Facts, Judged, drawn, judge
from siklus.workflows.domain.outcomes.rules import OutcomeRule
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.domain.packs import compile
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.values import Digest, Level, Predicate
from siklus.workflows.packs import shipped, shipped_pack, source_of
from tests.domain.test_packs import problems_of, put, written


def rule(**said: Any) -> OutcomeRule:
    return OutcomeRule.model_validate({"code": "r", "kind": "reward", **said})


def facts(predicate: str = "BAIK", **said: Any) -> Facts:
    return Facts.model_validate({"year": 2026, "predicate": predicate, **said})


def codes(pack: str, what: Facts) -> list[str]:
    return [each.rule.code for each in drawn(shipped_pack(pack).rules.outcomes, what)]


@pytest.mark.parametrize(
    ("predicate", "percent", "points"),
    [
        ("SANGAT_BAIK", "150", "18.75"),
        ("BAIK", "100", "12.5"),
        ("BUTUH_PERBAIKAN", "75", "9.375"),
        ("KURANG", "50", "6.25"),
        ("SANGAT_KURANG", "25", "3.125"),
    ],
)
def test_credit_points_are_a_percentage_of_the_coefficient(
    predicate: str, percent: str, points: str
) -> None:
    national = shipped_pack("permenpan-6-2022").rules.outcomes[0]
    with_one = national.model_copy(update={"coefficient": Decimal("12.5")})

    (found,) = drawn([with_one], facts(predicate))

    assert (found.percent, found.points) == (Decimal(percent), Decimal(points))
    assert found.because.en.endswith(f"{percent} % × 12.5 × 12/12 = {points}")
    assert found.because.id.endswith(f"{percent} % × 12,5 × 12/12 = {points.replace('.', ',')}")
    (without,) = drawn([national], facts(predicate))
    assert without.points is None
    assert without.because.en.endswith(f"{percent} % of the yearly coefficient × 12/12")


def test_credit_points_count_whole_months_and_round_half_up() -> None:
    assert str(credit_points(Decimal("12.5"), Decimal(150), 9)) == "14.063"
    assert formula(Decimal(100), Decimal(100), 6) == "100 % × 100 × 6/12 = 50"


@pytest.mark.parametrize(
    ("first", "months"),
    [("2026-01-01", 12), ("2026-01-02", 11), ("2026-03-16", 9), ("2025-05-01", 12)],
)
def test_months_served_are_whole_ones(first: str, months: int) -> None:
    assert months_served(date.fromisoformat(first), date(2026, 12, 31)) == months


def test_tubei_rewards_its_best_and_coaches_whoever_does_poorly() -> None:
    before = [EarlierYear(year=2025, predicate=Predicate.BAIK)]

    assert codes("tubei", facts("SANGAT_BAIK")) == ["penghargaan"]
    assert codes("tubei", facts("SANGAT_BAIK", earlier=before)) == ["penghargaan", "penempatan"]
    assert codes("tubei", facts("BUTUH_PERBAIKAN")) == []
    assert codes("tubei", facts("KURANG")) == ["pembinaan"]


FOLLOWS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("jakarta", {"predicate": "SANGAT_BAIK", "results": "ABOVE", "behaviour": "ABOVE"}, []),
    (
        "jakarta",
        {"predicate": "BUTUH_PERBAIKAN", "results": "BELOW", "behaviour": "AT"},
        ["pelatihan-layanan"],
    ),
    ("jakarta", {"predicate": "KURANG", "results": "ABOVE", "behaviour": "BELOW"}, ["pembinaan"]),
    (
        "jakarta",
        {"predicate": "SANGAT_KURANG", "results": "BELOW", "behaviour": "BELOW"},
        ["pelatihan-layanan", "pembinaan"],
    ),
    ("pp-30-2019", {"predicate": "BAIK", "score": "104.96"}, ["angka-kredit"]),
    ("pp-30-2019", {"predicate": "BUTUH_PERBAIKAN"}, ["angka-kredit", "perbaikan"]),
    ("us-gs", {"predicate": "SANGAT_BAIK"}, ["penghargaan"]),
    ("us-gs", {"predicate": "BUTUH_PERBAIKAN"}, []),
    ("us-gs", {"predicate": "KURANG"}, ["bantuan"]),
    ("us-gs", {"predicate": "SANGAT_KURANG"}, ["perbaikan"]),
    ("ph-spms", {"predicate": "SANGAT_BAIK"}, ["penghargaan"]),
    ("ph-spms", {"predicate": "BUTUH_PERBAIKAN"}, []),
    ("ph-spms", {"predicate": "KURANG"}, ["pengembangan", "pembinaan"]),
    ("ph-spms", {"predicate": "SANGAT_KURANG"}, ["pengembangan", "pembinaan"]),
    ("my-lnpt", {"predicate": "BAIK", "score": "84.99"}, []),
    ("my-lnpt", {"predicate": "BAIK", "score": "85"}, ["apc"]),
    ("my-lnpt", {"predicate": "BUTUH_PERBAIKAN", "score": "60"}, ["latihan"]),
    ("my-lnpt", {"predicate": "SANGAT_KURANG", "score": "40"}, ["latihan", "kaunseling"]),
]


@pytest.mark.parametrize(("pack", "what", "follows"), FOLLOWS)
def test_who_gets_what_by_a_pack(pack: str, what: dict[str, Any], follows: list[str]) -> None:
    assert codes(pack, facts(**what)) == follows


@pytest.mark.parametrize("name", shipped())
def test_something_follows_from_every_pack(name: str) -> None:
    assert shipped_pack(name).rules.outcomes


def test_palus_teachers_get_a_development_plan() -> None:
    (found,) = drawn(shipped_pack("palu-skp").rules.outcomes, facts("BUTUH_PERBAIKAN"))

    assert [found.rule.path, *found.rule.skills] == ["outcomes.pelatihan", "technical"]
    assert found.because.id == (
        "Predikat Butuh Perbaikan (syarat: Baik / Butuh Perbaikan / Kurang)"
    )


@pytest.mark.parametrize(
    ("when", "what", "because"),
    [
        ({"predicates": ["SANGAT_BAIK"]}, {}, "The predicate is Good, not Very good"),
        ({"results": ["ABOVE"]}, {}, "There is no level of results"),
        (
            {"results": ["ABOVE"]},
            {"results": Level.AT},
            "The level of results: At expectation (not: Above expectation)",
        ),
        ({"score_at_least": "90"}, {}, "The scheme gives no score"),
        ({"score_at_least": "90"}, {"score": "89.99"}, "The score 89.99 < 90"),
        ({"score_below": "50"}, {"score": "50"}, "The score 50 ≥ 50"),
        (
            {"predicates": ["BAIK"], "years_in_a_row": 2},
            {},
            "There is no final result for 2025",
        ),
        (
            {"predicates": ["BAIK"], "years_in_a_row": 2},
            {"earlier": [{"year": 2025, "predicate": "KURANG"}]},
            "In 2025: Poor",
        ),
    ],
)
def test_a_rule_that_does_not_hold_says_why(
    when: dict[str, Any], what: dict[str, Any], because: str
) -> None:
    (found,) = judge([rule(when=when)], facts(**what))

    assert (found.holds, found.because.en) == (False, because)
    assert found.because.id != found.because.en


def test_all_conditions_hold_together_and_are_told() -> None:
    when = {
        "predicates": ["BAIK"],
        "results": ["AT"],
        "score_at_least": "76",
        "score_below": "91",
        "years_in_a_row": 2,
    }
    before = [{"year": 2025, "predicate": "BAIK"}, {"year": 2023, "predicate": "BAIK"}]

    (found,) = drawn([rule(when=when)], facts(results="AT", score="80.5", earlier=before))

    assert found.because.en.split("; ")[2:] == [
        "The score 80.5 ≥ 76",
        "The score 80.5 < 91",
        "2 years in a row (2025–2026)",
    ]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "development_plan"}, "skills", "OUTCOME_INCOMPLETE"),
    ({"kind": "reward", "skills": ["soft"]}, "skills", "OUTCOME_INCOMPLETE"),
    ({"kind": "improvement_plan"}, "steps", "OUTCOME_INCOMPLETE"),
    ({"kind": "credit_points", "percent": {"BAIK": 100}}, "percent", "OUTCOME_INCOMPLETE"),
    ({"kind": "reward", "coefficient": "12.5"}, "percent", "OUTCOME_INCOMPLETE"),
    ({"kind": "reward", "pay": 1}, "pay", "UNKNOWN_KEY"),
    (
        {"kind": "reward", "when": {"years_in_a_row": 2}},
        "when.years_in_a_row",
        "OUTCOME_INCOMPLETE",
    ),
    ({"kind": "reward", "when": {"score_at_least": 90}}, "when.score_at_least", "OUTCOME_NEVER"),
    (
        {"kind": "reward", "when": {"predicates": ["BAIK", "BAIK"]}},
        "when.predicates",
        "REPEATED_VALUE",
    ),
]


@pytest.mark.parametrize(("said", "path", "code"), WRONG)
def test_a_wrong_rule_is_refused_with_its_path(said: dict[str, Any], path: str, code: str) -> None:
    tree = put(written(), "rules.outcomes", [{"code": "x", **said}])
    tree["outcomes"] = {"x": {"title": {"id": "X", "en": "X"}}}

    assert problems_of(tree) == {(f"rules.outcomes.0.{path}", code)}


def test_outcomes_and_their_steps_have_words_in_both_languages() -> None:
    tree = written()
    del tree["outcomes"]["perbaikan"]["steps"]["pantau"], tree["outcomes"]["pengembangan"]
    tree["outcomes"]["lain"] = {"title": {"id": "L", "en": "L"}}

    assert problems_of(tree) == {
        ("outcomes.perbaikan.steps.pantau", "LABEL_MISSING"),
        ("outcomes.pengembangan", "LABEL_MISSING"),
        ("outcomes.lain", "UNKNOWN_KEY"),
    }


def test_a_published_packs_words_are_found_again() -> None:
    words = words_of("tubei", source_of("tubei").decode())

    assert words.outcome_title("penghargaan").en == "Reward for the best"
    assert words.outcome_title("pembinaan", "akhir").id == "Simpulkan hasil pembinaan"
    assert words.outcome_title("hilang").en == "hilang"


@pytest.mark.parametrize("name", shipped())
def test_rules_come_back_as_they_were_pinned(name: str) -> None:
    policy = compile(shipped_pack(name))

    assert Policy.model_validate_json(policy.model_dump_json()) == policy
    assert '"steps":[]' not in policy.model_dump_json()


def test_numbers_stand_in_each_language_s_form() -> None:
    by_score = rule(when={"score_below": Decimal("90.50")})

    (found,) = judge([by_score], facts(score=Decimal("77.3600")))

    assert found.because.id == "Nilai 77,36 < 90,5"
    assert found.because.en == "The score 77.36 < 90.5"


def test_what_rests_on_several_years_tells_which_of_them_ended_otherwise_since() -> None:
    before = [EarlierYear(year=year, predicate=Predicate.BAIK) for year in (2025, 2024, 2022)]
    rules = [
        rule(when={"predicates": ["BAIK"], "years_in_a_row": 3}),
        rule(code="once", when={"predicates": ["BAIK"]}),
    ]

    row, once = (rests(each) for each in drawn(rules, facts(earlier=before)))

    stands = {each.year: each.predicate for each in before}
    assert row.changed_years(stands) == ()
    assert row.changed_years({**stands, 2025: Predicate.KURANG}) == (2025,)
    assert row.changed_years({2022: Predicate.BAIK, 2024: Predicate.BAIK}) == (2025,)
    assert once.changed_years({}) == ()
    assert DrawnOutcome.model_validate_json(row.model_dump_json()) == row


def rests(judged: Judged) -> DrawnOutcome:
    source = Source(
        policy="p",
        policy_version=1,
        policy_digest=Digest("d" * 64),
        predicate=Predicate.BAIK,
        months=12,
        head=Digest("e" * 64),
    )
    return as_drawn(judged, source, words_of("p", ""))
