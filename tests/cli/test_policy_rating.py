"""`siklus policy rate --input` and `siklus policy distribution`, from the outside."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from siklus.services.cli import run
from siklus.workflows.packs import source_of

Captured = pytest.CaptureFixture[str]
RATE = ("policy", "rate", "--pack", "pp-30-2019", "--input")
SHARES = ("policy", "distribution", "--pack", "permenpan-6-2022")


def answer(capsys: Captured, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run([*arguments, "--json"]) == code
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def refused(capsys: Captured, *arguments: str) -> dict[str, Any]:
    """Run what must fail; return the fault, after checking that the line says the same."""
    assert run([*arguments, "--json"]) == 2
    error: dict[str, Any] = json.loads(capsys.readouterr().err)["error"]
    assert run(arguments) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert error["message"] in line
    return error


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "rating.json"
    path.write_text(text)
    return str(path)


AXES = '{"results": "102.8", "behaviour": "110", "innovation": false}'


def test_two_axes(capsys: Captured, tmp_path: Path) -> None:
    said = answer(capsys, *RATE, file(tmp_path, AXES))

    assert (said["score"], said["predicate"], said["scheme"]) == ("104.96", "BAIK", "weighted")
    assert (said["results"], said["behaviour"]) == ("102.8", "110")
    assert [step["path"] for step in said["steps"]] == ["score", "predicate"]
    assert said["steps"][0]["formula"] == "102.8 × 70 / 100 + 110 × 30 / 100 = 104.96"
    assert said["steps"][0]["source"] == "rating.weighted.weights"


def test_numbers_without_quotes_are_as_exact(capsys: Captured, tmp_path: Path) -> None:
    bare = '{"results": 102.8, "behaviour": 110}'

    assert answer(capsys, *RATE, file(tmp_path, bare))["score"] == "104.96"


def test_the_input_may_come_from_a_pipe(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(AXES.encode())))

    assert answer(capsys, *RATE, "-")["predicate"] == "BAIK"


def test_people_read_numbers_as_their_language_writes_them(
    capsys: Captured, tmp_path: Path
) -> None:
    path = file(tmp_path, AXES)

    assert run([*RATE, path]) == 0
    indonesian = capsys.readouterr().out
    assert run([*RATE, path, "--language", "en"]) == 0
    english = capsys.readouterr().out

    assert "nilai         104,96\n" in indonesian
    assert "102,8 × 70 / 100 + 110 × 30 / 100 = 104,96" in indonesian
    assert "score         104.96\n" in english


def test_a_numeric_pack_takes_numbers_as_options_too(capsys: Captured) -> None:
    axes = ("--results", "102.8", "--behaviour", "110")

    assert answer(capsys, "policy", "rate", "--pack", "pp-30-2019", *axes)["score"] == "104.96"


def test_levels_of_indicators_are_explained_by_a_pack_of_levels(
    capsys: Captured, tmp_path: Path
) -> None:
    path = file(tmp_path, '{"results": "AT", "behaviour": "BELOW"}')

    said = answer(capsys, "policy", "rate", "--pack", "tubei", "--input", path)

    assert (said["score"], said["predicate"]) == (None, "KURANG")
    assert said["steps"][-1]["source"] == "rating.matrix.AT.BELOW"


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ('{"results": "120.01", "behaviour": "1"}', "OUT_OF_RANGE", "results"),
        ('{"results": 120.01, "behaviour": "1"}', "OUT_OF_RANGE", "results"),
        ('{"results": NaN, "behaviour": "1"}', "NOT_A_NUMBER", "results"),
        ('{"results": 1e999999999, "behaviour": "1"}', "NOT_A_NUMBER", "results"),
        ('{"results": "1"}', "MISSING", "behaviour"),
        ('{"results": "1", "behaviour": "1", "x": 1}', "UNKNOWN_KEY", "x"),
        ('{"results": "1", "results": "2"}', "REPEATED", None),
        ("[]", "NOT_JSON", None),
        ("{", "NOT_JSON", None),
        ("[" * 60_000, "NOT_JSON", None),
        (" " * 70_000, "TOO_LARGE", None),
    ],
)
def test_a_wrong_input_is_refused_with_its_kind_and_place(
    capsys: Captured, tmp_path: Path, text: str, code: str, field: str | None
) -> None:
    error = refused(capsys, *RATE, file(tmp_path, text))

    assert error["code"] == code
    assert list(error.get("fields", {})) == ([field] if field else [])


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--input", "nowhere.json"), "UNREADABLE"),
        (("--input", "-", "--results", "1"), "INPUT_TWICE"),
        (("--results", "1"), "MISSING"),
        ((), "MISSING"),
        (("--results", "ABOVE", "--behaviour", "AT"), "NOT_A_NUMBER"),
    ],
)
def test_options_that_do_not_fit(capsys: Captured, more: tuple[str, ...], code: str) -> None:
    assert refused(capsys, "policy", "rate", "--pack", "pp-30-2019", *more)["code"] == code


def shares(capsys: Captured, organisation: str, counts: str, *, code: int = 0) -> dict[str, Any]:
    more = ("--organisation", organisation, "--counts", counts)
    return answer(capsys, *SHARES, *more, code=code)


def test_a_broken_guide_is_told_with_how_much(capsys: Captured) -> None:
    said = shares(capsys, "BAIK", "SANGAT_BAIK=3,BAIK=7")

    assert (said["ok"], said["verdict"], said["mode"], said["group"]) == (False, "warn", "warn", 10)
    (broken,) = said["broken"]
    assert broken["path"] == "distribution.guides.BAIK.1"
    assert (broken["rule"], broken["bound"], broken["count"], broken["by"]) == ("at_least", 1, 0, 1)


def test_a_kept_guide_is_ok(capsys: Captured) -> None:
    said = shares(capsys, "istimewa", "sangat baik=7, baik=3")

    assert (said["ok"], said["verdict"], said["broken"]) == (True, "ok", [])
    assert shares(capsys, "BAIK", "BAIK=9")["verdict"] == "skipped"


def test_a_pack_may_block(capsys: Captured, tmp_path: Path) -> None:
    pack = tmp_path / "pack.yaml"
    pack.write_bytes(source_of("permenpan-6-2022").replace(b"mode: warn", b"mode: block"))
    more = ("--organisation", "ISTIMEWA", "--counts", "SANGAT_BAIK=10")

    said = answer(capsys, "policy", "distribution", "--pack", str(pack), *more, code=2)

    assert (said["verdict"], said["broken"][0]["by"]) == ("block", 3)
    assert run(["policy", "distribution", "--pack", str(pack), *more]) == 2
    assert "kelebihan 3" in capsys.readouterr().out


def test_off_is_off(capsys: Captured) -> None:
    more = ("--organisation", "KURANG", "--counts", "SANGAT_BAIK=100")

    said = answer(capsys, "policy", "distribution", "--pack", "us-gs", *more)

    assert (said["ok"], said["verdict"], said["guides"]) == (True, "off", [])


@pytest.mark.parametrize(
    ("organisation", "counts", "code"),
    [
        ("LUMAYAN", "BAIK=1", "UNKNOWN_PREDICATE"),
        ("BAIK", "LUMAYAN=1", "UNKNOWN_PREDICATE"),
        ("BAIK", "BAIK", "INVALID_COUNT"),
        ("BAIK", "", "INVALID_COUNT"),
        ("BAIK", "BAIK=-1", "INVALID_COUNT"),
        ("BAIK", "BAIK=1.5", "INVALID_COUNT"),
        ("BAIK", "BAIK=999999999999", "INVALID_COUNT"),
        ("BAIK", "BAIK=1,baik=2", "REPEATED"),
    ],
)
def test_counts_that_are_none(capsys: Captured, organisation: str, counts: str, code: str) -> None:
    more = ("--organisation", organisation, "--counts", counts)

    assert refused(capsys, *SHARES, *more)["code"] == code


def test_every_key_is_told(capsys: Captured) -> None:
    said = answer(capsys, "policy", "keys", "Weighted")

    assert {key["key"] for key in said["keys"]} >= {"weights", "bands", "achievement", "caps"}
    assert run(["policy", "keys", "Weighted", "--language", "en"]) == 0
    assert "list of Band " in capsys.readouterr().out
    assert run(["policy", "keys", "Nope"]) == 2
    assert "Weighted" in capsys.readouterr().err
