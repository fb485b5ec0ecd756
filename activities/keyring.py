"""The installation's long-lived keys, and the one each agency derives from them."""

import json
import os
import secrets
from base64 import b64decode, b64encode
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

KEY_BYTES = 32


class KeyringError(Exception):
    """The keyring file cannot be used; the message says why and never shows a key."""


class Keyring(BaseModel):
    """Keys by id; `current` wraps what is new, the others still open what they wrapped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current: str
    keys: dict[str, str]
    """Key id → 32 random bytes in base64."""

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
    def generate(cls) -> Self:
        """Return a keyring of one new key."""
        key_id = secrets.token_hex(4)
        return cls(
            current=key_id, keys={key_id: b64encode(secrets.token_bytes(KEY_BYTES)).decode()}
        )

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
    def load_or_create(cls, file: Path) -> Self:
        """Read a keyring; where there is none, make one that only we may read."""
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_name(f"{file.name}.{secrets.token_hex(4)}.new")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                json.dump(cls.generate().model_dump(), made, indent=2)
                made.flush()
                os.fsync(made.fileno())
            try:
                # A link and not a rename: another process may have been first, and its keys count.
                os.link(new, file)
            except FileExistsError:
                pass
            finally:
                new.unlink()
        return cls.load(file)

    def derive(self, key_id: str, purpose: str) -> bytes:
        """Return the key for one purpose, such as one agency's texts; KeyError on an unknown id."""
        return _derived(self.keys[key_id], purpose)


@lru_cache(maxsize=4096)
def _derived(key: str, purpose: str) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"siklus {purpose}".encode())
    return hkdf.derive(b64decode(key))
