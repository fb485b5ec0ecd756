"""The tamper-evident trail: one canonical form, one hash chain, one digest for free text."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final

GENESIS: Final = "0" * 64
"""What stands before the first link of every chain."""

CANONICAL_VERSION: Final = 1
"""Stands in every canonical form, so that another form can follow one day."""


def canonical(value: Mapping[str, object]) -> bytes:
    """Return the one byte string of a value: UTF-8 JSON, keys sorted, no blanks, version tag.

    Datetimes become UTC with `Z` and six decimals, Decimals strings, enums their values; strings
    stay as they are. Raises `TypeError` for floats, naive datetimes and anything else.
    """
    tagged = {"v": CANONICAL_VERSION, "value": _plain(value)}
    return json.dumps(
        tagged, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    ).encode()


def chain(previous: str, canonical: bytes) -> str:
    """Return the next link, SHA-256 in hex over the previous link's hex text and the bytes.

    Raises `ValueError` when `previous` is neither a link nor `GENESIS`.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", previous):
        raise ValueError("the previous link of a chain is 64 hexadecimal digits")
    return hashlib.sha256(previous.encode() + canonical).hexdigest()


def prose_digest(salt: str, fields: Mapping[str, str]) -> str:
    """Return SHA-256 in hex over the salt and the canonical form of the texts.

    The salt is random and stored apart, or a short text could be guessed from its digest after
    its erasure; an empty one raises `ValueError`.
    """
    if not salt:
        raise ValueError("a digest of free text needs a salt")
    return hashlib.sha256(salt.encode() + canonical(fields)).hexdigest()


def _plain(value: object) -> object:
    # bool is an int and an Enum may be a str: the order of the cases matters.
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int() | str():
            return value
        case Decimal() if value.is_finite():
            return str(value)
        case datetime() if value.tzinfo is not None:
            utc = value.astimezone(UTC).replace(tzinfo=None)
            return f"{utc.isoformat(timespec='microseconds')}Z"
        case date() if not isinstance(value, datetime):
            return value.isoformat()
        case Mapping():
            return {_key(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(f"a {type(value).__name__} has no canonical form here")


def _key(key: object) -> str:
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str):
        raise TypeError("the keys of a canonical form are texts")
    return key
