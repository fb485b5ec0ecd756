"""A computed rating in words: whoever reads it meets no code, whatever the pack."""

import re
from typing import Any

import pytest

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.scheme.explained import Step, StepKind
from siklus.workflows.domain.scheme.keys import AxisRule
from siklus.workflows.domain.scheme.told import RatingWords, told
from siklus.workflows.domain.scheme.written import rate_written
from siklus.workflows.packs import shipped_pack
from tests.domain.scheme.test_worked_examples import read
from tests.domain.test_packs import problems_of, put, written

CODES = re.compile(r"[A-Z]+_[A-Z_]+|\b(ABOVE|AT|BELOW|BAIK|KURANG|matrix)\b|[a-z]+_[a-z]+")


def line(kind: StepKind, formula: str, path: str = "predicate") -> Step:
    return Step(kind=kind, path=path, formula=formula, value="", source="x")


@pytest.mark.parametrize("example", read("rating"))
def test_nobody_reads_a_code(example: dict[str, Any]) -> None:
    pack = shipped_pack(example["pack"])
    rated = rate_written(pack.rules.rating, example["given"])

    for step in rated.steps:
        text = told(step, pack.rating_words)
        assert not CODES.search(text.id), text.id
        assert not CODES.search(text.en), text.en
    last = told(rated.steps[-1], pack.rating_words)
    assert last.id.endswith(f"→ {pack.labels.predicates[rated.predicate].id}")
    assert last.en.endswith(f"→ {pack.labels.predicates[rated.predicate].en}")


def test_a_predicate_is_called_as_the_pack_calls_it() -> None:
    malaysian = shipped_pack("my-lnpt").rating_words
    step = line(StepKind.PREDICATE, "90.5 ≥ 90 → SANGAT_BAIK")

    assert told(step, malaysian).id == "Predikat dari nilai: 90,5 ≥ 90 → Cemerlang"
    assert told(step, malaysian).en == "Predicate of the score: 90.5 ≥ 90 → Excellent"
    assert told(step).id.endswith("→ Sangat Baik")


def test_a_line_ends_with_what_it_comes_to_where_a_part_of_it_is_the_same_number() -> None:
    even = rate_written(
        shipped_pack("pp-30-2019").rules.rating,
        {
            "behaviour": "100",
            "indicators": [
                {"id": "a", "weight": "100", "target": "100", "actual": "100", "direction": "up"}
            ],
        },
    )

    said = [told(step).en.partition(": ")[2] for step in even.steps]
    assert said == [
        "100 / 100 × 100 = 100",
        "109",
        "109 × 100 / 100 = 109",
        "109 × 70 / 100 + 100 × 30 / 100 = 106.3",
        "106.3 > 90 → Good",
    ]


def test_an_innovation_is_told_where_it_was_needed() -> None:
    with_one = line(StepKind.PREDICATE, "115 ≥ 110, innovation → SANGAT_BAIK")

    assert told(with_one).id.endswith("115 ≥ 110, ada inovasi → Sangat Baik")
    assert told(with_one).en.endswith("115 ≥ 110, with an innovation → Very good")


def test_the_cell_of_the_quadrant_is_told_by_its_row_and_column() -> None:
    step = line(StepKind.QUADRANT, "matrix[results AT][behaviour BELOW] = KURANG")

    assert told(step).id.endswith(
        "hasil kerja Sesuai Ekspektasi, perilaku kerja Di Bawah Ekspektasi → Kurang"
    )
    assert told(step).en.endswith("results At expectation, behaviour Below expectation → Poor")


def test_criteria_and_conditions_have_the_pack_s_names() -> None:
    pack = shipped_pack("jakarta")
    rating = pack.rules.rating.model_copy(update={"axis_level": AxisRule.LOWEST})
    given = [
        {"id": "pelayanan-publik", "level": "AT"},
        {"id": "antrean", "level": "ABOVE"},
        {"id": "disiplin", "level": "BELOW"},
    ]

    results, behaviour, _ = rate_written(rating, {"indicators": given}).steps
    failed = line(StepKind.CAP, "critical_element_failed: min(4.9, 1) = 1", "score")

    assert told(results, pack.rating_words).en.endswith(
        "the lowest of Public service: At expectation; antrean: Above expectation → At expectation"
    )
    assert told(behaviour, pack.rating_words).id.endswith(
        "yang terendah dari Disiplin: Di Bawah Ekspektasi → Di Bawah Ekspektasi"
    )
    american = told(failed, shipped_pack("us-gs").rating_words)
    assert american.id == "Batas atas: Ada unsur kritis yang gagal: min(4,9, 1) = 1"
    assert american.en == "Capped: A critical element failed: min(4.9, 1) = 1"


def test_weights_that_count_are_told() -> None:
    pack = shipped_pack("tubei")
    lines = [{"id": each.code, "level": "AT"} for each in pack.rules.rating.criteria]

    results, *_ = rate_written(pack.rules.rating, {"indicators": lines}).steps

    assert told(results, pack.rating_words).en.endswith(
        "what over half of the weight reaches of Quality of work: At expectation × 30; "
        "Innovation: At expectation × 20; Speed and quality of handling complaints: "
        "At expectation × 25 → At expectation"
    )


def test_a_line_begins_with_the_name_of_what_it_is_about() -> None:
    words = RatingWords(names={"a": Text(id="Antrean", en="Queue")})

    judged = line(StepKind.JUDGED, "87.5", "measured.a")
    scored = line(StepKind.INDICATOR_SCORE, "109", "indicators.a.score")
    assert told(judged, words).id == "Antrean – Nilai yang diberikan: 87,5"
    assert told(scored, words).en == "Queue – Score of the indicator by the table: 109"
    assert told(judged).id == "Nilai yang diberikan: 87,5"


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("formula", ["", "?", "a, b AT", "lowest(x, y) = AT", " → "])
def test_a_line_of_any_form_has_words(kind: StepKind, formula: str) -> None:
    assert told(line(kind, formula)).id


def test_words_for_a_condition_that_nobody_knows_are_refused() -> None:
    tree = put(written("us-gs"), "conditions.late", {"id": "L", "en": "L"})

    assert problems_of(tree) == {("conditions.late", "UNKNOWN_KEY")}
