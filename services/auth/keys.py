"""The keys that sign and verify tokens: a JWKS file, or a pair that is made for local use."""

import json
import os
from pathlib import Path
from typing import Any, Final, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

SigningKey = OKPKey | ECKey | RSAKey

FOLDER = "keys"
PRIVATE_FILE = "token-private.json"
PUBLIC_FILE = "token-jwks.json"
CURVES: Final = {"OKP": "Ed25519", "EC": "P-256"}
RSA_BITS: Final = 2048
"""Shorter ones can be broken."""


class KeysUnreadableError(Exception):
    """A key file is missing, broken, or holds keys that must not verify tokens."""


class KeySource(Protocol):
    """Where the verifier finds the public keys.

    Each call may answer another `KeySet`; the same object means that nothing has changed.
    """

    def keys(self) -> KeySet:
        """Return the keys that are trusted now."""

    async def look_again(self) -> bool:
        """Look for newer keys, if that may be done now, and tell whether there was a look."""


class FixedKeys:
    """Keys that were read once."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def keys(self) -> KeySet:
        """Return the keys."""
        return self._keys

    async def look_again(self) -> bool:
        """Tell that these keys are all."""
        return False


def load_keys(file: Path) -> KeySet:
    """Read a JWKS file, or a file with a single key; raises KeysUnreadableError.

    Symmetric keys are refused: who can verify with one can sign with it.
    """
    try:
        content = json.loads(file.read_text())
        keys = KeySet.import_key_set(content if "keys" in content else {"keys": [content]})
    except FileNotFoundError:
        raise KeysUnreadableError(f"there is no key file {file}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, JoseError):
        raise KeysUnreadableError(f"{file} is not a JSON Web Key Set") from None
    if not all(may_verify(key) for key in keys):
        raise KeysUnreadableError(f"{file} holds a key that is not for signatures")
    return keys


def may_verify(key: Any) -> bool:
    """Tell whether a key is of a kind that our algorithms use, for signatures, and strong enough.

    A symmetric key never is: who can verify with one can sign with it.
    """
    if isinstance(key, RSAKey):
        fits = key.raw_value.key_size >= RSA_BITS
    else:
        fits = isinstance(key, OKPKey | ECKey) and key.curve_name == CURVES[key.key_type]
    return fits and key.get("use") in {None, "sig"}


def load_signing_key(file: Path) -> SigningKey:
    """Return the first private key of a file; raises KeysUnreadableError."""
    for key in load_keys(file):
        if isinstance(key, SigningKey) and key.is_private:
            return key
    raise KeysUnreadableError(f"{file} holds public keys only, which cannot sign")


def local_key_file(data_dir: Path) -> Path:
    """Return where the private key of local use lies."""
    return data_dir / FOLDER / PRIVATE_FILE


def ensure_local_key(data_dir: Path) -> SigningKey:
    """Return the private key of local use, making the pair first when there is none.

    The private key can be read by its owner alone; its public JWKS lies beside it. Processes that
    start at the same moment agree on one key.
    """
    private = local_key_file(data_dir)
    if not private.exists():
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place(private, json.dumps(_new_key().as_dict(private=True)))
    key = load_signing_key(private)
    public = private.with_name(PUBLIC_FILE)
    if not public.exists():
        place(public, json.dumps(KeySet([key]).as_dict(private=False), indent=2) + "\n")
    return key


def _new_key() -> OKPKey:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"})
    key.ensure_kid()
    return key


def place(file: Path, text: str) -> None:
    """Write a file of mode 0600 in one step, unless another process was first."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "w") as out:
        out.write(text)
    try:
        os.link(unfinished, file)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
