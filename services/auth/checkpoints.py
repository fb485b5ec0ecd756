"""The keys that sign the checkpoints of audit files, and checking what they signed.

A checkpoint is a JWS with Ed25519. Its header carries the public key, so that a file shows that it
is whole by itself; who signed it is known only to somebody who has the key from elsewhere.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from siklus.services.auth.keys import FOLDER, KeysUnreadableError, load_keys, place
from siklus.workflows.domain.audit_check import BadSignature, OpenCheckpoint

ALGORITHM: Final = "Ed25519"
TYPE: Final = "siklus-checkpoint"
CHECKPOINT_FILE: Final = "checkpoint-keys.json"
_MEMBERS: Final = {"typ", "jwk", "kid", "alg"}


class CheckpointKeys:
    """A key set: its first private key signs, all others only tell of what was signed before."""

    def __init__(self, keys: list[OKPKey]) -> None:
        signing = next((key for key in keys if key.is_private), None)
        if signing is None:
            raise KeysUnreadableError("there is no private key among them, so none can sign")
        self._signing = signing
        self._keys = keys

    @classmethod
    def generate(cls, retired: list[OKPKey] | None = None) -> Self:
        """Return a set with one new key, and public ones that signed before."""
        key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM})
        key.ensure_kid()
        return cls([key, *(retired or [])])

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a key set; raises KeysUnreadableError."""
        return cls(read_checkpoint_keys(file))

    @classmethod
    def load_or_create(cls, data_dir: Path) -> Self:
        """Return the keys of local use, made first when there are none."""
        file = data_dir / FOLDER / CHECKPOINT_FILE
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place(file, cls.generate().private_jwks())
        return cls.load(file)

    def rotated(self) -> Self:
        """Return a set with a new key, in which these can sign no more."""
        return self.generate(self.public())

    def public(self) -> list[OKPKey]:
        """Return the public halves of all keys."""
        return [OKPKey.import_key(_public_half(key)) for key in self._keys]

    def private_jwks(self) -> str:
        """Return the set with its private keys, as its file holds it."""
        keys = [key.as_dict(private=key.is_private) for key in self._keys]
        return json.dumps({"keys": keys}, indent=2) + "\n"

    def public_jwks(self) -> str:
        """Return the public keys, as whoever checks files needs them."""
        return json.dumps({"keys": [_public_half(key) for key in self._keys]}, indent=2) + "\n"

    def sign(self, claims: bytes) -> str:
        """Return a JWS in its compact form."""
        key = self._signing
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid, "jwk": _public_half(key)}
        return jws.serialize_compact(header, claims, key, algorithms=[ALGORITHM])


def opener(keys: list[OKPKey] | None) -> OpenCheckpoint:
    """Return what checks a checkpoint: by these keys, or by the one that the file brings along."""
    if keys is None:
        return _by_its_own_key
    return _by_one_of({key.thumbprint(): key for key in keys})


def read_checkpoint_keys(file: Path) -> list[OKPKey]:
    """Return the Ed25519 keys of a JWKS file; raises KeysUnreadableError."""
    keys = [key for key in load_keys(file) if isinstance(key, OKPKey)]
    if not keys or any(key.curve_name != "Ed25519" for key in keys):
        raise KeysUnreadableError(f"{file} holds no Ed25519 keys, or others beside them")
    return keys


def _by_its_own_key(compact: str) -> bytes:
    return _opened(compact, lambda own: own)


def _by_one_of(keys: dict[str, OKPKey]) -> OpenCheckpoint:
    def choose(own: OKPKey) -> OKPKey:
        known = keys.get(own.thumbprint())
        if known is None:
            raise BadSignature("the checkpoint was signed with a key that is not among yours")
        return known

    return lambda compact: _opened(compact, choose)


def _opened(compact: str, choose: Callable[[OKPKey], OKPKey]) -> bytes:
    try:
        header = jws.extract_compact(compact.encode()).headers()
        expected = header.keys() == _MEMBERS and (header["typ"], header["alg"]) == (TYPE, ALGORITHM)
        if not expected:
            raise BadSignature("the checkpoint is not signed as a checkpoint of this format")
        key = choose(OKPKey.import_key(header["jwk"]))
        payload = jws.deserialize_compact(compact.encode(), key, algorithms=[ALGORITHM]).payload
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise BadSignature("the signature of the checkpoint does not hold") from None
    return payload


def _public_half(key: OKPKey) -> dict[str, Any]:
    return dict(key.as_dict(private=False))
