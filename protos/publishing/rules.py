"""The rules of fields, in words."""

import re
from collections.abc import Iterator
from typing import Any, Final

from buf.validate import validate_pb2

from protos.publishing.contract import Field, Message

KIB: Final = 1024
WORDS: Final = {
    r"[a-z0-9][a-z0-9-]{0,62}": "{id}",
    r"[a-z0-9][a-z0-9_-]{0,62}": "{code}",
    r"\.[1-9][0-9]{0,2}": ".{n}",
    r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}": "{request_id}",
    r"[a-z][a-z_]{0,63}": "{kind}",
    r"[A-Za-z0-9_-]{1,128}": "{delivery}",
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}": "YYYY-MM-DD",
    r"[0-9a-f]{64}": "64 digits of hex",
    r"https?://[^\s]+": "http(s)://…",
}
"""Parts of patterns, and how the pages write them; the index explains those in braces."""
UNBOUNDED: Final = re.compile(r"(?<!\\)[*+]|\{\d+,\}")
"""A part of a pattern that may repeat without end."""


def in_words(field: Field) -> str:
    """Return what is checked of a field, in one line; empty when every value is good."""
    return "; ".join(_phrases(field.rules))


def over_several(message: Message) -> Iterator[str]:
    """Yield the rules that look at several fields of a message."""
    for rule in message.rules.cel:
        yield rule.message


def bounded(field: Field) -> bool:
    """Tell whether a field of a request cannot grow beyond a length that its rules tell."""
    rules = field.rules
    if field.repeated and not rules.repeated.HasField("max_items"):
        return False
    item = rules.repeated.items if field.repeated else rules
    match field.type:
        case "string":
            return _bounded_text(item.string)
        case "bytes":
            return item.bytes.HasField("max_len")
        case "FieldMask":
            return all(part in item.cel[0].expression for part in ("size(this.paths) <=", "all("))
        case _:
            return True


def _bounded_text(rules: Any) -> bool:
    if any(rules.HasField(each) for each in ("max_len", "max_bytes", "len", "const")):
        return True
    return bool(rules.pattern) and not UNBOUNDED.search(re.sub(r"\[[^]]*\]", "x", rules.pattern))


def _phrases(rules: validate_pb2.FieldRules) -> Iterator[str]:
    if rules.required:
        yield "required"
    match rules.WhichOneof("type"):
        case "string":
            yield from _text(rules.string)
        case "int32":
            yield from _number(rules.int32)
        case "enum":
            if rules.enum.not_in:
                yield "must be given"
        case "repeated":
            yield from _list(rules.repeated)
        case None:
            pass
        case other:
            raise ValueError(f"nobody has found words for the rules of {other} yet")
    for rule in rules.cel:
        yield f"else “{rule.message}”"


def _text(rules: Any) -> Iterator[str]:
    if rules.pattern:
        yield _pattern(rules.pattern)
    if rules.min_len == 1 and (rules.max_len or rules.max_bytes):
        yield "not empty"
    elif rules.min_len:
        yield f"at least {rules.min_len} characters"
    if rules.max_len:
        yield f"at most {rules.max_len:,} characters"
    if rules.max_bytes:
        yield f"at most {_bytes(rules.max_bytes)}"


def _pattern(pattern: str) -> str:
    written = pattern.removeprefix("^").removesuffix("$")
    optional = written.startswith("(") and written.endswith(")?")
    written = written[1:-2] if optional else written
    for part, word in WORDS.items():
        written = written.replace(part, word)
    return ("empty or " if optional else "") + f"`{written}`"


def _number(rules: Any) -> Iterator[str]:
    least = rules.gte if rules.HasField("gte") else None
    most = rules.lte if rules.HasField("lte") else None
    if least is not None and most is not None:
        yield f"{least:,} to {most:,}" if least < 1900 else f"{least} to {most}"
    elif least is not None:
        yield f"{least} or more"
    elif most is not None:
        yield f"at most {most:,}"


def _list(rules: Any) -> Iterator[str]:
    if rules.min_items and rules.max_items:
        yield f"{rules.min_items} to {rules.max_items:,} items"
    elif rules.max_items:
        yield f"at most {rules.max_items:,} items"
    if rules.unique:
        yield "none twice"
    each = "; ".join(_phrases(rules.items))
    if each:
        yield f"each {each}"


def _bytes(number: int) -> str:
    return f"{number // KIB} KiB" if number % KIB == 0 else f"{number:,} bytes"
