"""The installation's long-lived keys, and the one each agency derives from them."""

import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    ValidationError,
    field_validator,
    model_validator,
)

KEY_BYTES = 32


class KeyringError(Exception):
    """The keyring file cannot be used; the message says why and never shows a key."""


class Keys(Protocol):
    """What seals and opens need of a keyring, whether it is fixed or follows a file."""

    @property
    def current(self) -> str:
        """Id of the key under which what is new is written."""
        ...

    def cipher(self, key_id: str, purpose: str) -> AESGCM:
        """Return the cipher for one purpose, such as one agency's texts; KeyError on no such id."""
        ...


class Keyring(BaseModel):
    """Keys by id; `current` wraps what is new, the others still open what they wrapped."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    current: str
    keys: dict[str, str]
    """Key id → 32 random bytes in base64."""
    since: dict[str, AwareDatetime] = {}
    """Key id → when it became current. Absent: nobody wrote it down, or it was not yet."""

    @field_validator("keys")
    @classmethod
    def _whole_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        for key in keys.values():
            if len(b64decode(key, validate=True)) != KEY_BYTES:
                raise ValueError(f"a key has {KEY_BYTES} bytes")
        return keys

    @model_validator(mode="after")
    def _current_is_there(self) -> Self:
        if self.current not in self.keys:
            raise ValueError("the current key is not among the keys")
        return self

    @classmethod
    def generate(cls, at: datetime | None = None) -> Self:
        """Return a keyring of one new key, current from then on."""
        keys = _new_key()
        (key_id,) = keys
        return cls(current=key_id, keys=keys, since={key_id: at} if at else {})

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a keyring, or raise `KeyringError`."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except OSError as error:
            raise KeyringError(f"the keyring {file} cannot be read: {error.strerror}") from None
        except ValidationError as error:
            # Not the error itself: it would print the keys.
            faults = "; ".join(fault["msg"] for fault in error.errors(include_input=False))
            raise KeyringError(f"the keyring {file} is not valid: {faults}") from None

    @classmethod
    def load_or_create(cls, file: Path, at: datetime | None = None) -> Self:
        """Read a keyring; where there is none, make one that only we may read."""
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            # Another process may have been first, and its keys count.
            with suppress(FileExistsError):
                cls.generate(at).create(file)
        return cls.load(file)

    def create(self, file: Path) -> None:
        """Write a new file that only we may read; FileExistsError if there is one."""
        with self._written_beside(file) as new:
            # A link and not a rename, which would take another's place.
            os.link(new, file)
            _keep(file.parent)

    def replace(self, file: Path) -> None:
        """Take the place of a keyring at once, with its owner and mode; links to it stay."""
        file = file.resolve()
        was = file.stat()
        with self._written_beside(file) as new:
            os.chown(new, was.st_uid, was.st_gid)
            new.chmod(was.st_mode & 0o777)
            new.rename(file)
            _keep(file.parent)

    def with_key(self) -> Self:
        """Return the keyring with one more key, which is not current."""
        return self.model_copy(update={"keys": self.keys | _new_key()})

    def turned_to(self, key_id: str, at: datetime) -> Self:
        """Return the keyring with another current key."""
        return self.model_copy(update={"current": key_id, "since": self.since | {key_id: at}})

    def without(self, key_id: str) -> Self:
        """Return the keyring without a key, which is lost with all that only it opens."""
        keys = {name: key for name, key in self.keys.items() if name != key_id}
        since = {name: at for name, at in self.since.items() if name != key_id}
        return type(self)(current=self.current, keys=keys, since=since)

    @property
    def prepared(self) -> str | None:
        """The newest key, if it came after the current one and was never current itself."""
        newest = list(self.keys)[-1]
        return newest if newest != self.current and newest not in self.since else None

    def succeeded_at(self, key_id: str) -> datetime | None:
        """Return when another key took over from this one; None if nobody wrote that down."""
        turns = sorted((at, name) for name, at in self.since.items())
        own = self.since.get(key_id)
        return next((at for at, name in turns if name != key_id and (not own or at > own)), None)

    def cipher(self, key_id: str, purpose: str) -> AESGCM:
        """Return the cipher for one purpose, such as one agency's texts; KeyError on no such id."""
        return _cipher(self.keys[key_id], purpose)

    def derive(self, key_id: str, purpose: str) -> bytes:
        """Return the key for one purpose; KeyError on no such id."""
        return _derived(self.keys[key_id], purpose)

    @contextmanager
    def _written_beside(self, file: Path) -> Iterator[Path]:
        new = file.with_name(f"{file.name}.{secrets.token_hex(4)}.new")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                made.write(self.model_dump_json(indent=2) + "\n")
                made.flush()
                os.fsync(made.fileno())
            yield new
        finally:
            new.unlink(missing_ok=True)


def _keep(folder: Path) -> None:
    """Write a folder's entries to the disk: what a key sealed must not outlive the key."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _new_key() -> dict[str, str]:
    return {secrets.token_hex(4): b64encode(secrets.token_bytes(KEY_BYTES)).decode()}


@lru_cache(maxsize=4096)
def _cipher(key: str, purpose: str) -> AESGCM:
    return AESGCM(_derived(key, purpose))


def _derived(key: str, purpose: str) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"siklus {purpose}".encode())
    return hkdf.derive(b64decode(key))
