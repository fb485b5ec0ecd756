"""Ratings that somebody worked out by hand, and input that makes none."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from siklus.workflows.domain.scheme.indicators import score_indicators
from siklus.workflows.domain.scheme.keys import AxisRule
from siklus.workflows.domain.scheme.refused import RatingInvalid
from siklus.workflows.domain.scheme.told import told
from siklus.workflows.domain.scheme.written import rate_written
from siklus.workflows.packs import shipped_pack

Example = dict[str, Any]


def read(name: str) -> list[Any]:
    examples = yaml.safe_load(Path(__file__).with_name(f"{name}_examples.yaml").read_text())
    return [pytest.param(example, id=example["name"]) for example in examples]


def rule(pack: str) -> Any:
    return shipped_pack(pack).rules.rating


@pytest.mark.parametrize("example", read("rating"))
def test_a_rating(example: Example) -> None:
    rated = rate_written(rule(example["pack"]), example["given"])

    expected = example.get("score")
    assert rated.score == (None if expected is None else Decimal(expected))
    assert rated.predicate == example["predicate"]
    assert rated.steps
    assert all(told(step).id and told(step).en and step.source for step in rated.steps)
    assert rated.steps[-1].value == example["predicate"]


@pytest.mark.parametrize("example", read("achievement"))
def test_an_achievement(example: Example) -> None:
    line = {"id": "one", "weight": "100", **example["given"]}

    scored = score_indicators(rule("pp-30-2019").weighted, [line])

    reached, score, _ = scored.steps
    assert (reached.value, score.value) == (example["percent"], example["score"])
    assert scored.by_id == {"one": Decimal(example["score"])}


@pytest.mark.parametrize("example", read("refused"))
def test_an_input_that_makes_no_rating_is_refused_with_its_place(example: Example) -> None:
    with pytest.raises(RatingInvalid) as refused:
        rate_written(rule("pp-30-2019"), example["given"])

    assert (refused.value.fault, refused.value.path) == (example["fault"], example["path"])
    assert len(str(refused.value)) < 200


def test_every_number_is_explained_so_that_it_can_be_checked_by_hand() -> None:
    rated = rate_written(
        rule("pp-30-2019"),
        {
            "indicators": [
                {"id": "a", "weight": "60", "target": "100", "actual": "98", "direction": "up"},
                {"id": "b", "weight": "40", "low": "7", "high": "8", "actual": "6.5",
                 "direction": "range"},
            ],
            "behaviour": "110",
        },
    )  # fmt: skip

    assert [(step.path, told(step).id, step.source) for step in rated.steps] == [
        (
            "indicators.a.achievement",
            "Capaian dalam persen, dibulatkan ke bilangan bulat: 98 / 100 × 100 = 98",
            "input",
        ),
        (
            "indicators.a.score",
            "Nilai indikator dari tabel capaian: 70 + (98 − 80) × (89 − 70) / 19 = 88",
            "rating.weighted.achievement.2",
        ),
        (
            "indicators.b.achievement",
            "Capaian dalam persen, dibulatkan ke bilangan bulat: 6,5 / 7 × 100 ≈ 92,86 → 93",
            "input",
        ),
        (
            "indicators.b.score",
            "Nilai indikator dari tabel capaian: 70 + (93 − 80) × (89 − 70) / 19 = 83",
            "rating.weighted.achievement.2",
        ),
        (
            "results",
            "Nilai hasil kerja menurut bobot indikator: 88 × 60 / 100 + 83 × 40 / 100 = 86",
            "indicators.weight",
        ),
        (
            "score",
            "Nilai kinerja: 86 × 70 / 100 + 110 × 30 / 100 = 93,2",
            "rating.weighted.weights",
        ),
        ("predicate", "Predikat dari nilai: 93,2 > 90 → Baik", "rating.weighted.bands.1"),
    ]


TUBEI = ("disiplin", "mutu-kerja", "inovasi", "pengaduan")


@pytest.mark.parametrize(
    ("levels", "results", "behaviour", "predicate"),
    [
        (("AT", "AT", "AT", "AT"), "AT", "AT", "BAIK"),
        (("ABOVE", "ABOVE", "ABOVE", "BELOW"), "ABOVE", "ABOVE", "SANGAT_BAIK"),
        (("ABOVE", "ABOVE", "AT", "AT"), "AT", "ABOVE", "BAIK"),
        (("AT", "BELOW", "ABOVE", "BELOW"), "BELOW", "AT", "BUTUH_PERBAIKAN"),
        (("BELOW", "BELOW", "ABOVE", "AT"), "AT", "BELOW", "KURANG"),
    ],
)
def test_tubeis_catalogue_makes_the_levels_by_its_weights(
    levels: tuple[str, ...], results: str, behaviour: str, predicate: str
) -> None:
    given = zip(TUBEI, levels, strict=True)
    lines = [{"id": code, "level": level} for code, level in given]

    rated = rate_written(rule("tubei"), {"indicators": [*lines, {"id": "x", "level": "BELOW"}]})

    assert (rated.results, rated.behaviour, rated.predicate) == (results, behaviour, predicate)
    told_weights = f"mutu-kerja {levels[1]} × 30, inovasi {levels[2]} × 20"
    assert told_weights in rated.steps[0].formula


def test_a_criterion_without_a_level_is_no_zero() -> None:
    lines = [{"id": code, "level": "AT"} for code in TUBEI[1:]]

    with pytest.raises(RatingInvalid) as refused:
        rate_written(rule("tubei"), {"indicators": lines, "behaviour": "AT"})

    assert (refused.value.fault, refused.value.path) == ("MISSING", "indicators.disiplin")


def test_levels_of_indicators_and_criteria_make_the_levels_of_their_axes() -> None:
    tubei = rule("tubei").model_copy(update={"axis_level": AxisRule.LOWEST})
    lines = [
        {"id": "antrean", "level": "AT"},
        {"id": "inovasi", "level": "BELOW"},
        {"id": "disiplin", "level": "ABOVE"},
    ]

    rated = rate_written(tubei, {"indicators": lines})
    departing = {"indicators": lines, "results": "AT"}
    with pytest.raises(RatingInvalid) as refused:
        rate_written(tubei, departing)
    explained = rate_written(tubei, {**departing, "reason": "Banjir"})

    assert (rated.results, rated.behaviour, rated.predicate) == (
        "BELOW",
        "ABOVE",
        "BUTUH_PERBAIKAN",
    )
    assert [step.formula for step in rated.steps[:2]] == [
        "lowest(antrean AT, inovasi BELOW) = BELOW",
        "lowest(disiplin ABOVE) = ABOVE",
    ]
    assert refused.value.fault == "REASON_REQUIRED"
    assert explained.predicate == "BAIK"
