"""Bytes that nobody who means well would send in place of a request."""

from collections.abc import Callable
from random import Random
from typing import Final

LIMIT: Final = 1024 * 1024
"""Larger messages are answered by the transport."""
_VARINT, _LENGTH, _START_GROUP, _END_GROUP, _FIXED32, _FIXED64 = 0, 2, 3, 4, 5, 1
_LARGEST_FIELD: Final = 2**29 - 1


def hostile(good: bytes, random: Random) -> tuple[bytes, str]:
    """Return a body made from chance, or from a good one, and what it is."""
    kind = random.choice(list(_KINDS))
    return _KINDS[kind](good, random), kind


def _noise(good: bytes, random: Random) -> bytes:
    return random.randbytes(random.choice((1, 7, 64, 2_000)))


def _cut(good: bytes, random: Random) -> bytes:
    return good[: random.randint(0, max(len(good) - 1, 0))]


def _flipped(good: bytes, random: Random) -> bytes:
    body = bytearray(good)
    for _ in range(random.randint(1, 8)):
        if body:
            body[random.randrange(len(body))] ^= 1 << random.randrange(8)
    return bytes(body)


def _stuffed(good: bytes, random: Random) -> bytes:
    at = random.randint(0, len(good))
    return good[:at] + random.randbytes(random.randint(1, 30)) + good[at:]


def _twice(good: bytes, random: Random) -> bytes:
    return good + good


def _unknown_fields(good: bytes, random: Random) -> bytes:
    numbers = (19_000, 1_000, _LARGEST_FIELD, random.randint(100, 100_000))
    return good + b"".join(
        tag(random.choice(numbers), _LENGTH) + sized(random.randbytes(random.randint(0, 60)))
        for _ in range(random.choice((1, 20, 2_000)))
    )


def _wrong_types(good: bytes, random: Random) -> bytes:
    number = random.randint(1, 12)
    values = {
        _VARINT: varint(random.getrandbits(63)),
        _FIXED64: random.randbytes(8),
        _FIXED32: random.randbytes(4),
        _LENGTH: sized(random.randbytes(9)),
    }
    wire = random.choice(list(values))
    return good + tag(number, wire) + values[wire]


def _groups(good: bytes, random: Random) -> bytes:
    depth = random.choice((10, 101, 20_000, 200_000))
    closed = random.random() < 0.5
    return good + tag(7, _START_GROUP) * depth + (tag(7, _END_GROUP) * depth if closed else b"")


def _nested(good: bytes, random: Random) -> bytes:
    number, body = random.randint(1, 10), b""
    for _ in range(random.choice((50, 150, 2_000))):
        body = tag(number, _LENGTH) + sized(body)
    return good + body


def _many(good: bytes, random: Random) -> bytes:
    """A list of so many empty items that it nearly fills the largest message."""
    item = tag(random.randint(2, 9), _LENGTH) + sized(b"")
    return good + item * random.choice((1_001, 50_000, 400_000))


def _no_text(good: bytes, random: Random) -> bytes:
    spoilt = random.choice(
        (b"\xed\xa0\x80", b"\xc3\x28", b"\xff\xfe", b"\xf4\x90\x80\x80", b"\xc0\xaf")
    )
    return good + tag(random.randint(1, 9), _LENGTH) + sized(spoilt)


def _endless_number(good: bytes, random: Random) -> bytes:
    return good + tag(random.randint(1, 9), _VARINT) + b"\xff" * random.choice((9, 10, 11, 500))


def _field_zero(good: bytes, random: Random) -> bytes:
    return good + b"\x00" + sized(good[:20])


def _lying_length(good: bytes, random: Random) -> bytes:
    lie = varint(random.choice((2**31 - 1, 2**32 - 1, 2**63, len(good) + 1)))
    return good + tag(random.randint(1, 9), _LENGTH) + lie + b"x"


def _too_large(good: bytes, random: Random) -> bytes:
    return good + tag(2, _LENGTH) + sized(b"x" * (LIMIT + random.choice((0, 1, LIMIT))))


def _nearly_too_large(good: bytes, random: Random) -> bytes:
    return good + tag(random.randint(2, 9), _LENGTH) + sized(b"x" * (LIMIT - 200 - len(good)))


_KINDS: Final[dict[str, Callable[[bytes, Random], bytes]]] = {
    "nothing": lambda good, random: b"",
    "noise": _noise,
    "cut off": _cut,
    "flipped bits": _flipped,
    "stuffed": _stuffed,
    "twice": _twice,
    "unknown fields": _unknown_fields,
    "wrong wire types": _wrong_types,
    "groups in groups": _groups,
    "deeply nested": _nested,
    "many empty items": _many,
    "no text": _no_text,
    "endless number": _endless_number,
    "field zero": _field_zero,
    "lying length": _lying_length,
    "too large": _too_large,
    "nearly too large": _nearly_too_large,
}


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def tag(field: int, wire: int) -> bytes:
    """Return what stands before a value of that field."""
    return varint(field << 3 | wire)


def sized(content: bytes) -> bytes:
    """Return a content behind its length."""
    return varint(len(content)) + content
