"""`siklus keys`: the keyring of texts and payloads, from its first key to the end of an old one."""

import asyncio
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from siklus.activities.keyring import Keyring, KeyringError
from siklus.services.cli.keys_in_use import in_use
from siklus.services.cli.output import AsJson, Fault, print_json, print_lines
from siklus.services.cli.running import read_settings
from siklus.services.clock import Clock
from siklus.services.settings import Settings

app = typer.Typer(help="Make, show and rotate the keyring.", add_completion=False)

UNTOLD = "nobody wrote down since when"


@app.callback()
def _keys() -> None:
    """Keep `siklus keys` a group."""


@app.command()
def init(file: Annotated[Path, typer.Argument(help="Where to make it.")]) -> None:
    """Make a keyring of one new key, in a file that only its owner may read."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        Keyring.generate(_now()).create(file)
    except FileExistsError:
        hint = "`siklus keys rotate` adds a key to it"
        raise Fault("KEYRING_EXISTS", f"{file} exists already", hint) from None
    except OSError as error:
        raise Fault("KEYRING_UNWRITABLE", f"{file} cannot be made: {error.strerror}") from None
    typer.echo(f"{file}: keep a copy apart from the backups of the database")


@app.command()
def show(as_json: AsJson = False) -> None:
    """Tell the ids of the keys and which is current since when; never a key."""
    keyring = _read(_file(read_settings()))
    if as_json:
        keys = [{"id": key_id, **_told(keyring, key_id)} for key_id in keyring.keys]
        print_json({"current": keyring.current, "keys": keys})
        return
    print_lines({key_id: _line(keyring, key_id) for key_id in keyring.keys}, strong=keyring.current)


@app.command()
def rotate(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only add the next key, to be copied to every host.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let a new key become current, then wrap the keys of stored texts by it.

    Old keys stay. What was prepared becomes current; otherwise a new key is made.
    """
    settings = read_settings()
    file = _file(settings)
    if prepare:
        with _alone(file) as keyring:
            if keyring.prepared is None:
                keyring = keyring.with_key()
                keyring.replace(file)
        _tell({"prepared": keyring.prepared}, as_json)
        return
    with _alone(file) as was:
        keyring = was if was.prepared else was.with_key()
        assert keyring.prepared is not None  # noqa: S101 - there is one now
        keyring = keyring.turned_to(keyring.prepared, _now())
        done = asyncio.run(_rotated(settings, file, keyring))
    _tell({"from": was.current, "to": keyring.current, **done}, as_json)


async def _rotated(settings: Settings, file: Path, keyring: Keyring) -> dict[str, int]:
    async with in_use(settings, keyring) as held:
        keyring.replace(file)
        return await held.rewrap()


@app.command()
def rewrap(as_json: AsJson = False) -> None:
    """Wrap by the current key what older ones wrap: after a rotation that was cut short."""
    settings = read_settings()
    keyring = _read(_file(settings))
    _tell(asyncio.run(_rewrapped(settings, keyring)), as_json)


async def _rewrapped(settings: Settings, keyring: Keyring) -> dict[str, int]:
    async with in_use(settings, keyring) as held:
        return await held.rewrap()


@app.command()
def retire(
    key_id: Annotated[str, typer.Argument(help="The key, as `siklus keys show` tells it.")],
    as_json: AsJson = False,
) -> None:
    """Take a key out of the keyring, unless something that we can see needs it still."""
    settings = read_settings()
    file = _file(settings)
    with _alone(file) as keyring:
        if key_id not in keyring.keys:
            raise Fault("NO_SUCH_KEY", f"the keyring holds no key {key_id!r}")
        if key_id == keyring.current:
            hint = "`siklus keys rotate` lets another one take over"
            raise Fault("KEY_IS_CURRENT", f"{key_id} is the current key", hint)
        asyncio.run(_must_not_be_needed(settings, keyring, key_id))
        keyring.without(key_id).replace(file)
    _tell({"retired": key_id}, as_json)


async def _must_not_be_needed(settings: Settings, keyring: Keyring, key_id: str) -> None:
    async with in_use(settings, keyring) as held:
        await held.must_not_need(key_id, keyring.succeeded_at(key_id), _now())


def _file(settings: Settings) -> Path:
    if settings.text_keys is None:
        hint = "`siklus keys init FILE` makes one"
        raise Fault("NO_TEXT_KEYS", "SIKLUS_TEXT_KEYS names no keyring file", hint)
    return settings.text_keys


def _read(file: Path) -> Keyring:
    try:
        return Keyring.load(file)
    except KeyringError as error:
        raise Fault("NO_TEXT_KEYS", str(error)) from None


@contextmanager
def _alone(file: Path) -> Iterator[Keyring]:
    """Yield the keyring while nobody else changes it."""
    try:
        with file.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Replaced since we opened it: the lock of the file that counts is another's to take.
            if not os.path.samestat(os.fstat(held.fileno()), file.stat()):
                raise BlockingIOError
            yield _read(file)
    except BlockingIOError:
        raise Fault("KEYRING_BUSY", f"somebody else is changing {file}") from None
    except OSError as error:
        raise Fault("KEYRING_UNWRITABLE", f"{file}: {error.strerror}") from None


def _told(keyring: Keyring, key_id: str) -> dict[str, str | None]:
    since, until = keyring.since.get(key_id), keyring.succeeded_at(key_id)
    current = key_id == keyring.current
    return {
        "state": "current" if current else "next" if key_id == keyring.prepared else "old",
        "since": since.isoformat(timespec="seconds") if since else None,
        "until": None if current or until is None else until.isoformat(timespec="seconds"),
    }


def _line(keyring: Keyring, key_id: str) -> str:
    told = _told(keyring, key_id)
    if told["state"] == "next":
        return "next"
    until = f", until {told['until']}" if told["until"] else ""
    return f"{told['state']}, {'since ' + told['since'] if told['since'] else UNTOLD}{until}"


def _tell(told: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        print_lines({name.replace("_", " "): str(value) for name, value in told.items()})


def _now() -> datetime:
    return Clock().now()
