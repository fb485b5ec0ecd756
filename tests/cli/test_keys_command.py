"""`siklus keys`: what it makes and shows, and what it refuses without asking any server."""

import fcntl
import json
import stat
from pathlib import Path
from typing import IO

import pytest

from siklus.activities.keyring import Keyring
from siklus.services.cli import run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "text-keys.json"
    monkeypatch.setenv("SIKLUS_TEXT_KEYS", str(file))
    # Nobody listens there.
    monkeypatch.setenv("SIKLUS_DATABASE_URL", "postgresql://siklus_app@127.0.0.1:1/siklus")
    return file


@pytest.fixture
def made(ring: Path, capsys: Captured) -> Path:
    assert run(["keys", "init", str(ring)]) == 0
    capsys.readouterr()
    return ring


def shown(capsys: Captured) -> str:
    assert run(["keys", "show"]) == 0
    return capsys.readouterr().out


def test_a_new_keyring_is_its_owners_alone_and_never_made_twice(
    ring: Path, capsys: Captured
) -> None:
    assert run(["keys", "init", str(ring)]) == 0
    keyring = Keyring.load(ring)

    assert stat.S_IMODE(ring.stat().st_mode) == 0o600
    assert list(keyring.since) == [keyring.current]
    assert run(["keys", "init", str(ring)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert Keyring.load(ring) == keyring


def test_what_is_shown_holds_no_key(made: Path, capsys: Captured) -> None:
    keyring = Keyring.load(made)

    told = shown(capsys)
    assert run(["keys", "show", "--json"]) == 0
    as_json = capsys.readouterr().out

    assert told.startswith(f"{keyring.current}  current, since ")
    (key,) = json.loads(as_json)["keys"]
    assert (key["id"], key["state"], key["until"]) == (keyring.current, "current", None)
    assert [secret for secret in keyring.keys.values() if secret in told + as_json] == []


def test_a_keyring_made_by_hand_is_shown_too(ring: Path, capsys: Captured) -> None:
    ring.write_text(json.dumps({"current": "k1", "keys": Keyring.generate().keys | K1}))

    assert "k1" in shown(capsys)
    assert "nobody wrote down since when" in shown(capsys)


K1 = {"k1": next(iter(Keyring.generate().keys.values()))}


def test_a_prepared_key_is_the_next_and_prepared_once(made: Path, capsys: Captured) -> None:
    before = Keyring.load(made)
    assert run(["keys", "rotate", "--prepare", "--json"]) == 0
    prepared = json.loads(capsys.readouterr().out)["prepared"]
    after = Keyring.load(made)

    assert after.current == before.current
    assert after.prepared == prepared
    assert after.keys == before.keys | {prepared: after.keys[prepared]}
    assert f"{prepared}  next\n" in shown(capsys)
    assert run(["keys", "rotate", "--prepare"]) == 0
    assert Keyring.load(made) == after


def test_whoever_was_overtaken_while_opening_the_file_changes_nothing(
    made: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, others = fcntl.flock, Keyring.load(made).with_key()

    def overtaken(held: IO[str], how: int) -> None:
        others.replace(made)
        lock(held, how)

    monkeypatch.setattr(fcntl, "flock", overtaken)
    assert run(["keys", "rotate", "--prepare"]) == 2

    assert "somebody else is changing" in capsys.readouterr().err
    assert Keyring.load(made) == others


def test_without_a_database_nothing_is_rotated(made: Path, capsys: Captured) -> None:
    before = made.read_bytes()

    assert run(["keys", "rotate"]) == 2

    assert "the database does not answer" in capsys.readouterr().err
    assert made.read_bytes() == before


@pytest.mark.parametrize("word", ["current", "unknown"])
def test_a_current_or_unknown_key_is_not_retired(made: Path, capsys: Captured, word: str) -> None:
    before = Keyring.load(made)
    key_id = before.current if word == "current" else word

    assert run(["keys", "retire", key_id]) == 2

    told = capsys.readouterr().err
    assert ("is the current key" if word == "current" else "holds no key 'unknown'") in told
    assert Keyring.load(made) == before


@pytest.mark.parametrize("command", [["show"], ["rotate"], ["rewrap"], ["retire", "k1"]])
def test_without_a_keyring_nothing_is_made(
    ring: Path, capsys: Captured, command: list[str]
) -> None:
    assert run(["keys", *command]) == 2

    assert "siklus: " in capsys.readouterr().err
    assert not ring.exists()
