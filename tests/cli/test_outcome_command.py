"""`siklus outcome explain`: a pack's rules about a result, tried before anybody is rated."""

import json

import pytest

from siklus.services.cli import run

Captured = pytest.CaptureFixture[str]


def told(capsys: Captured, *words: str) -> dict[str, dict[str, object]]:
    assert run(["outcome", "explain", *words, "--json"]) == 0
    return {each["code"]: each for each in json.loads(capsys.readouterr().out)["outcomes"]}


def test_the_points_of_a_post_can_be_checked_by_hand(capsys: Captured) -> None:
    words = ("--pack", "permenpan-6-2022", "--predicate", "Sangat Baik", "--coefficient", "12.5")

    credit = told(capsys, *words)["angka-kredit"]

    assert (credit["percent"], credit["points"]) == ("150", "18.75")
    assert "150 % × 12.5 × 12/12 = 18.75" in str(credit["because"])


def test_a_rule_about_years_asks_for_the_earlier_ones(capsys: Captured) -> None:
    words = ("--pack", "tubei", "--predicate", "BAIK", "--year", "2026")

    assert told(capsys, *words)["penempatan"]["holds"] is False
    assert told(capsys, *words, "--earlier", "2025=SANGAT_BAIK")["penempatan"]["holds"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--predicate", "BAGUS"), "no predicate"),
        (("--predicate", "BAIK", "--coefficient", "NaN"), "no number from 0 to 1000"),
        (("--predicate", "BAIK", "--coefficient", "1e99"), "no number from 0 to 1000"),
        (("--predicate", "BAIK", "--earlier", "dulu=BAIK"), "no year and predicate"),
        (("--predicate", "BAIK", "--results", "UP"), "no level"),
    ],
)
def test_a_mistake_is_told_in_one_line(capsys: Captured, words: tuple[str, ...], told: str) -> None:
    assert run(["outcome", "explain", "--pack", "tubei", *words]) == 2

    assert told in capsys.readouterr().err
