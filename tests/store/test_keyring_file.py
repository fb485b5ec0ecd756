"""A running process follows its keyring's file."""

import os
from pathlib import Path

import pytest

from siklus.activities.keyring import Keyring, KeyringError
from siklus.activities.keyring_file import LOOK_SECONDS, KeyringFile


class Ticks:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "text-keys.json"
    Keyring.load_or_create(made)
    return made


def rotated(file: Path) -> Keyring:
    keyring = Keyring.load(file).with_key()
    assert keyring.prepared is not None
    keyring = keyring.model_copy(update={"current": keyring.prepared})
    keyring.replace(file)
    return keyring


def test_a_rotation_is_followed_within_seconds(file: Path) -> None:
    ticks = Ticks()
    keys = KeyringFile(file, ticks)
    before, after = keys.current, rotated(file).current

    assert keys.current == before
    ticks.now += LOOK_SECONDS
    assert keys.current == after != before


def test_a_key_that_another_process_writes_under_already_is_there_at_once(file: Path) -> None:
    keys = KeyringFile(file, Ticks())
    nonce, keyring = b"n" * 12, rotated(file)
    sealed = keyring.cipher(keyring.current, "texts of palu").encrypt(nonce, b"plain", None)

    assert keys.cipher(keyring.current, "texts of palu").decrypt(nonce, sealed, None) == b"plain"
    with pytest.raises(KeyError):
        keys.cipher("unknown", "texts of palu")


@pytest.mark.parametrize("broken", ["", "{", '{"current": "k", "keys": {}}', None])
def test_a_file_that_breaks_leaves_the_keys_as_they_are(file: Path, broken: str | None) -> None:
    ticks = Ticks()
    keys = KeyringFile(file, ticks)
    before = keys.current
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    ticks.now += LOOK_SECONDS

    assert keys.current == before
    assert keys.cipher(before, "texts of palu")
    with pytest.raises(KeyringError):
        KeyringFile(file)


def test_a_file_that_only_becomes_readable_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks()
    keys = KeyringFile(file, ticks)
    before, after = keys.current, rotated(file).current
    with monkeypatch.context() as forbidden:
        forbidden.setattr(Path, "read_bytes", not_permitted)
        ticks.now += LOOK_SECONDS
        assert keys.current == before

    make_readable(file)

    ticks.now += LOOK_SECONDS
    assert keys.current == after


def not_permitted(file: Path) -> bytes:
    """What the system says of another's file; tests may run as somebody who may read them all."""
    raise PermissionError(13, "Permission denied", str(file))


def make_readable(file: Path) -> None:
    """Change the mode alone, once the clock of the file system has gone on."""
    before = file.stat().st_ctime_ns
    while file.stat().st_ctime_ns == before:
        file.chmod(0o640)


def test_a_keyring_is_replaced_with_its_mode_and_leaves_nothing_beside(file: Path) -> None:
    file.chmod(0o640)

    rotated(file)

    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_a_keyring_that_is_written_is_kept_through_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, kept = tmp_path / "keys.json", list[Path]()
    monkeypatch.setattr(os, "fsync", lambda opened: kept.append(opened_by(opened)))

    Keyring.generate().create(file)
    assert kept[-1] == tmp_path
    rotated(file)

    assert kept[-2].parent == kept[-1] == tmp_path


def opened_by(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def test_a_link_to_a_keyring_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)

    assert rotated(link) == Keyring.load(file)
    assert link.is_symlink()
