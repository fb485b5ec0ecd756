"""Requests that are almost right: one field of a good one, broken in one way."""

import base64
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.fuzz.pool import STRANGE, Pool

KIB: Final = 1024
NUMBERS: Final = (-1, 0, 1, -(2**31), 2**31 - 1, 13, 99, 2101)
TEXTS: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: "",
    lambda text: " ",
    lambda text: text + "\x00",
    lambda text: text + "\n",
    lambda text: f" {text}",
    lambda text: text.upper(),
    lambda text: text + "\u202e\u200b",
    lambda text: text.replace("1", "\u0661").replace("a", "\u0430"),
    lambda text: text + "'; SELECT pg_sleep(9); --",
    lambda text: text + "%27%20OR%201=1",
    lambda text: f"../{text}/../..",
    lambda text: text.replace("/", "//"),
    lambda text: text + text,
    lambda text: text[:-1],
    lambda text: "x" * 70 * KIB,
    lambda text: "é" * 2_001,
    lambda text: "\ud7ff\ue000\uffff",
    lambda text: "-1",
    lambda text: "NaN",
)

Field = tuple[Any, FieldDescriptor]
"""A message and one of its fields."""


def spoilt(request: Any, pool: Pool, random: Random) -> tuple[Any, str]:
    """Return the request with one thing wrong, and what that is."""
    fields = list(_fields(request))
    message, field = random.choice(fields)
    what = _spoil(message, field, pool, random)
    return request, f"{message.DESCRIPTOR.name}.{field.name} {what}"


def _fields(message: Any) -> Iterator[Field]:
    """Yield every field of a request, those of its parts included."""
    for field in message.DESCRIPTOR.fields:
        yield message, field
        if field.message_type and not field.is_repeated:
            yield from _fields(getattr(message, field.name))
        elif field.message_type and not field.message_type.GetOptions().map_entry:
            for part in list(getattr(message, field.name))[:3]:
                yield from _fields(part)


def _spoil(message: Any, field: FieldDescriptor, pool: Pool, random: Random) -> str:
    if field.is_repeated:
        return _spoil_list(getattr(message, field.name), field, random)
    if field.message_type:
        message.ClearField(field.name)
        return "absent"
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
            return _spoil_text(message, field, pool, random)
        case FieldDescriptor.CPPTYPE_BOOL:
            setattr(message, field.name, not getattr(message, field.name))
            return "turned"
        case FieldDescriptor.CPPTYPE_STRING:
            setattr(message, field.name, random.randbytes(2 * KIB))
            return "of bytes"
        case _:
            number = random.choice((*NUMBERS, *_just_outside(field)))
            setattr(message, field.name, number)
            return f"= {number}"


def _just_outside(field: FieldDescriptor) -> list[int]:
    rules = field.GetOptions().Extensions[validate_pb2.field].int32
    low = [rules.gte - 1, rules.gte] if rules.HasField("gte") else []
    return low + ([rules.lte, rules.lte + 1] if rules.HasField("lte") else [])


def _spoil_text(message: Any, field: FieldDescriptor, pool: Pool, random: Random) -> str:
    given: str = getattr(message, field.name)
    rules = field.GetOptions().Extensions[validate_pb2.field].string
    if field.name in {"name", "parent"} and random.random() < 0.3:
        text = random.choice((*pool.names_of_others(), *pool.names()))
    elif field.name.endswith("_token"):
        text = forged(given, random)
    elif (longest := rules.max_len or rules.max_bytes) and random.random() < 0.2:
        text = "x" * (longest + random.choice((0, 1)))
    elif random.random() < 0.3:
        text = given + random.choice(STRANGE)
    else:
        text = random.choice(TEXTS)(given)
    setattr(message, field.name, text)
    return repr(text[:60])


def _spoil_list(given: Any, field: FieldDescriptor, random: Random) -> str:
    rules = field.GetOptions().Extensions[validate_pb2.field].repeated
    match random.choice(("empty", "twice", "too many", "strange")):
        case "empty":
            del given[:]
            return "empty"
        case "twice" if given:
            given.append(given[0])
            return "twice the same"
        case "too many" if given:
            many = (rules.max_items or 64) + random.choice((0, 1))
            given.extend([given[0]] * max(many - len(given), 1))
            return f"{len(given)} times"
        case _ if field.message_type:
            given.add()
            return "with an empty one"
        case _ if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            given.append(random.choice((*STRANGE, "", "a.b.c", "*", "name")))
            return "with a strange one"
        case _:
            given.append(random.choice(NUMBERS))
            return "with a strange number"


def forged(token: str, random: Random) -> str:
    """Return a page or resume token that its owner may have changed."""
    try:
        content: Any = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        content = None
    if not isinstance(content, list) or random.random() < 0.4:
        return random.choice(
            (
                token[:-1],
                token + "A",
                token.swapcase() or "bukan-token",
                "A" * 1024,
                "A" * 1025,
                base64.urlsafe_b64encode(random.randbytes(40)).decode(),
                base64.urlsafe_b64encode(b"[" * 700).decode(),
                "é\x00💥",
                "W10",
                "bnVsbA",
            )
        )
    part = random.randrange(len(content))
    content[part] = random.choice(
        (0, -1, 2**63, 1e308, None, [], {}, "", "\x00", "\ud800", "9999-12-31T23:59:59Z", True)
    )
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def described(message: Message) -> str:
    """Return a request in one short line."""
    text = " ".join(str(message).split())
    return text if len(text) <= 400 else f"{text[:400]}… ({message.ByteSize()} bytes)"
