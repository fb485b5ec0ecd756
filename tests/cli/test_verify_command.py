"""`siklus verify` and `siklus audit new-key`: what a reader of a file is told, and how it ends."""

import json
from pathlib import Path

import pytest

from siklus.services.auth.checkpoints import CheckpointKeys, read_checkpoint_keys
from siklus.services.cli import run
from tests.audit.papers import KEYS, checked, fields_of, line_of, paper

LINES = paper()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "2026.jsonl"
    file.write_bytes(b"".join(LINES))
    return file


@pytest.fixture
def keys(tmp_path: Path) -> str:
    (tmp_path / "keys.json").write_text(KEYS.public_jwks())
    return str(tmp_path / "keys.json")


def test_an_intact_file_is_told_with_its_counts(
    file: Path, keys: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(file), "--keys", keys]) == 0

    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[:3] == [
        "intact       dinas/2026, exported 2026-11-02T03:04:05.000678Z",
        "evaluations  3",
        "events       12",
    ]
    assert "taken from the file" not in said.out


def test_without_keys_it_is_said_that_nobody_knows_who_signed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(file)]) == 0
    assert "not who signed it" in " ".join(capsys.readouterr().out.split())

    assert run(["verify", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["key_from_file"] is True


def test_the_first_altered_record_is_named(
    file: Path, keys: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(b"".join(LINES).replace(b"budi", b"bodi"))

    assert run(["verify", str(file), "--keys", keys]) == 1
    assert "line 3, evaluation ayu.1, event 1: " in capsys.readouterr().out

    assert run(["verify", str(file), "--keys", keys, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["intact"], told["problem_count"]) == (False, 12 + 3 + 3)
    assert told["problems"][0]["evaluation"] == "ayu.1"


def test_a_file_of_somebody_else_is_not_intact(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "others.json"
    others.write_text(CheckpointKeys.generate().public_jwks())

    assert run(["verify", str(file), "--keys", str(others)]) == 1
    assert "not among yours" in capsys.readouterr().out


def test_what_the_file_says_cannot_command_a_terminal(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = 1
    fields = {**fields_of(LINES[at]), "evaluation": "\x1b[2J\ud83d.1"}
    file.write_bytes(b"".join([*LINES[:at], json.dumps(fields).encode() + b"\n", *LINES[at + 1 :]]))

    for more in ([], ["--json"]):
        assert run(["verify", str(file), *more]) == 1
        assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"hello\n", "no header"),
        (line_of({**fields_of(LINES[0]), "version": 3}), "reads versions 1 to 2"),
        (b"".join(LINES[:-1]), "has no checkpoint"),
        (None, "cannot be read"),
    ],
)
def test_what_cannot_be_checked_ends_with_two(
    file: Path, content: bytes | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.unlink()
    if content is not None:
        file.write_bytes(content)

    assert run(["verify", str(file)]) == 2
    assert told in capsys.readouterr().err


def test_a_new_key_signs_and_the_one_before_still_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert run(["audit", "new-key"]) == 0
    first.write_text(capsys.readouterr().out)
    assert run(["audit", "new-key", "--after", str(first)]) == 0
    second.write_text(capsys.readouterr().out)

    old, new = CheckpointKeys.load(first), CheckpointKeys.load(second)

    assert [key.is_private for key in read_checkpoint_keys(second)] == [True, False]
    assert checked(paper(keys=old), new).intact
    assert checked(paper(keys=new), new).intact
    assert not checked(paper(keys=new), old).intact
    assert '"d"' not in new.public_jwks()


@pytest.mark.parametrize("content", ["{}", '{"keys": []}', None])
def test_a_key_set_that_cannot_sign_is_refused(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(KEYS.public_jwks() if content is None else content)

    assert run(["audit", "new-key", "--after", str(file)]) == 2
    assert capsys.readouterr().err.startswith("siklus: ")
