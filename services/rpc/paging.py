"""Pages of a list: how long they are, and the opaque token by which the next one goes on.

A token is bound to the method, the agency, the caller and the filters, and signed by nobody. That
guards against mistakes and not against its owner, who may forge one: so each of its parts must be
one that the store takes, and whatever it says, a list shows only what its caller may read.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Self, TypeVar

from siklus.services.auth.caller import Caller
from siklus.services.rpc.binding import bound_to
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

Item = TypeVar("Item")
Key = tuple[str | int, ...]
"""Where a page ended: the sort key of its last row."""

Check = Callable[[object], bool]
"""Tells whether a part of a token can be a part of a key; the store must not stumble over it."""

USUAL: Final = 50
MOST: Final = 200
NEWEST: Final = 2**31 - 1
"""Before it comes every row that is numbered as it is written."""
_NOT_FILTERS: Final = ("page_size", "page_token", "read_mask")
_BIGGEST: Final = 2**31
# Stricter than Python, which reads weeks, and than PostgreSQL, which reads years before Christ.
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"[+-](0[0-9]|1[0-4])(:[0-5][0-9])?"
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOT_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_YEARS: Final = range(1900, 2201)


def text(part: object) -> bool:
    """Tell whether a part is a text of whole characters."""
    return isinstance(part, str) and not _NOT_TEXT.search(part)


def number(part: object) -> bool:
    """Tell whether a part is a whole number of 32 bits."""
    return type(part) is int and -_BIGGEST <= part < _BIGGEST


def instant(part: object) -> bool:
    """Tell whether a part is an instant in the form that we write."""
    if not isinstance(part, str) or not _INSTANT.fullmatch(part):
        return False
    try:
        return datetime.fromisoformat(part).year in _YEARS
    except ValueError:
        return False


def instant_or_never(part: object) -> bool:
    """Tell whether a part is an instant, or `infinity`, which sorts after all of them."""
    return part == "infinity" or instant(part)


def day(part: object) -> bool:
    """Tell whether a part is a date in the form that we write."""
    if not isinstance(part, str) or not _DAY.fullmatch(part):
        return False
    try:
        return date.fromisoformat(part).year in _YEARS
    except ValueError:
        return False


def identity(part: object) -> bool:
    """Tell whether a part is a UUID in the form that we write."""
    return isinstance(part, str) and _UUID.fullmatch(part) is not None


@dataclass(frozen=True, slots=True)
class Page:
    """One page that was asked for: at most `size` rows after the key `after`."""

    size: int
    after: Key | None
    binding: bytes

    @classmethod
    def asked(cls, request: Any, caller: Caller, shape: tuple[Check, ...]) -> Self:
        """Read a list request whose rows are sorted by a key of that shape.

        Raises PAGE_TOKEN_INVALID for a token of another list, or of no list.
        """
        binding = bound_to(request, caller, but=_NOT_FILTERS)
        after = _read(request.page_token, binding, shape) if request.page_token else None
        return cls(min(request.page_size or USUAL, MOST), after, binding)

    @property
    def limit(self) -> int:
        """Rows to ask the store for: one more than the page, which tells whether more follow."""
        return self.size + 1

    def cut(
        self, rows: Sequence[Item], key: Callable[[Item], Key], *, fitting: int = MOST
    ) -> tuple[Sequence[Item], str]:
        """Return the rows of this page and the token of the next, empty on the last page.

        `fitting` says how many rows go into one answer, where they may be long.
        """
        shown = rows[: min(self.size, fitting)]
        if len(shown) == len(rows):
            return rows, ""
        return shown, self.going_on(key(shown[-1]))

    def going_on(self, key: Key) -> str:
        """Return the token of a page that begins after a key."""
        return _write(key, self.binding)


def _write(key: Key, binding: bytes) -> str:
    written = json.dumps([_seal(key, binding), *key], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def _read(token: str, binding: bytes, shape: tuple[Check, ...]) -> Key:
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        seal, *parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise _invalid() from None
    key = tuple(parts)
    fits = len(key) == len(shape) and all(
        check(part) for part, check in zip(key, shape, strict=True)
    )
    if not fits or seal != _seal(key, binding):
        raise _invalid()
    return key


def _seal(key: Key, binding: bytes) -> str:
    return hashlib.sha256(binding + json.dumps(key).encode()).hexdigest()[:24]


def _invalid() -> ServiceRefusal:
    problem = "this is no page token of this list with these filters; start again without one"
    return ServiceRefusal(
        ServiceReason.PAGE_TOKEN_INVALID,
        f"page_token: {problem}",
        fields={"page_token": problem},
    )
