"""The written form of a pack: a small, closed part of YAML, read without surprises.

No aliases, tags or repeated keys; `yes`, `no`, `on` and `off` are plain words; numbers with a
point are Decimals.
"""

import re
from decimal import Decimal
from typing import NoReturn

import yaml

from siklus.workflows.domain.problems import (
    MOST_PROBLEMS,
    PolicyInvalid,
    Problem,
    ProblemCode,
)

MAX_BYTES = 64 * 1024
MAX_DEPTH = 12
MAX_EVENTS = 4000
"""Starts, ends and scalars; the largest pack that ships has about 500 of them."""
LONGEST_KEY = 63

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))}


def read_tree(source: str | bytes) -> dict[str, object]:
    """Return the file as plain mappings, lists and scalars, or raise `PolicyInvalid`."""
    reading = _Reading(_decoded(source))
    problems = reading.problems
    try:
        tree = reading.document()
    except PolicyInvalid:
        raise
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML makes numbers of escapes and versions without asking whether they are any.
        raise PolicyInvalid([*problems, _not_yaml(error)]) from None
    if not problems and not isinstance(tree, dict):
        problems.append(_problem("", ProblemCode.NOT_YAML, "a pack is a mapping of keys to values"))
    if problems or not isinstance(tree, dict):
        raise PolicyInvalid(problems)
    return tree


def _decoded(source: str | bytes) -> str:
    size = len(source if isinstance(source, bytes) else source.encode(errors="replace"))
    if size > MAX_BYTES:
        message = f"a pack has at most {MAX_BYTES} bytes"
        raise PolicyInvalid([_problem("", ProblemCode.TOO_LARGE, message)])
    if isinstance(source, str):
        return source
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8 at byte {error.start}"
        raise PolicyInvalid([_problem("", ProblemCode.NOT_YAML, message)]) from None


class _Reading:
    """Builds the tree from the stream of events, and stops where it grows beyond any pack."""

    def __init__(self, text: str) -> None:
        self.problems = list[Problem]()
        self._events = yaml.parse(text, Loader=yaml.BaseLoader)
        self._met = 0
        self._depth = 0

    def document(self) -> object:
        """Return the one document of the file, None for none."""
        self._next()  # the start of the stream
        if not isinstance(self._next(), yaml.DocumentStartEvent):
            return None
        tree = self._built(self._next(), "")
        self._next()  # the end of the document
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            self._tell(_line(after), ProblemCode.NOT_YAML, "a file holds one document")
        return tree

    def _next(self) -> yaml.Event:
        """Return the next event, looked at before anything is built of it or recurses."""
        event = next(self._events)
        where = _line(event)
        self._met += 1
        self._depth += isinstance(event, yaml.CollectionStartEvent)
        self._depth -= isinstance(event, yaml.CollectionEndEvent)
        if self._met > MAX_EVENTS:
            message = "more keys and values than any pack needs"
            self._stop(where, ProblemCode.TOO_LARGE, message)
        if self._depth > MAX_DEPTH:
            self._stop(where, ProblemCode.TOO_DEEP, f"more than {MAX_DEPTH} levels of nesting")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            message = "anchors and aliases are not read; write the values out"
            self._tell(where, ProblemCode.ALIAS, message)
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            message = "a text holds half a character (an escaped surrogate)"
            self._tell(where, ProblemCode.NOT_YAML, message)
        return event

    def _built(self, event: yaml.Event, path: str) -> object:
        tag = getattr(event, "tag", None)
        if tag not in _PLAIN_TAGS:
            message = f"the tag {str(tag)[:LONGEST_KEY]} is not read; write a plain value"
            self._tell(path or _line(event), ProblemCode.TAG, message)
        match event:
            case yaml.ScalarEvent():
                return _scalar(event)
            case yaml.SequenceStartEvent():
                return self._sequence(path)
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case _:  # an alias, of which has been told
                return None

    def _sequence(self, path: str) -> list[object]:
        built = list[object]()
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            built.append(self._built(event, f"{path}.{len(built)}"))
        return built

    def _mapping(self, path: str) -> dict[str, object]:
        built = dict[str, object]()
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            here = path if key is None else f"{path}.{key}" if path else key
            value = self._built(self._next(), here)
            if key is None:
                continue
            if key in built:
                message = f"written twice, again in {_line(event)}"
                self._tell(here, ProblemCode.DUPLICATE_KEY, message)
            else:
                built[key] = value
        return built

    def _key(self, event: yaml.Event) -> str | None:
        """Return a key, or None when it cannot be one."""
        self._built(event, "")
        if not isinstance(event, yaml.ScalarEvent):
            self._tell(_line(event), ProblemCode.NOT_YAML, "a key is one word")
            return None
        if len(event.value) > LONGEST_KEY:
            message = f"a key has at most {LONGEST_KEY} characters"
            self._tell(_line(event), ProblemCode.TOO_LARGE, message)
            return None
        return str(event.value)

    def _tell(self, where: str, code: ProblemCode, message: str) -> None:
        self.problems.append(_problem(where, code, message))
        if len(self.problems) >= MOST_PROBLEMS:
            raise PolicyInvalid(self.problems)

    def _stop(self, where: str, code: ProblemCode, message: str) -> NoReturn:
        raise PolicyInvalid([*self.problems, _problem(where, code, message)])


def _line(event: yaml.Event) -> str:
    mark = event.start_mark
    return f"line {mark.line + 1}" if mark is not None else ""


def _scalar(event: yaml.ScalarEvent) -> object:
    text: str = event.value
    if event.style is not None or event.tag is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _not_yaml(error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}" if mark is not None else ""
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return _problem(where, ProblemCode.NOT_YAML, f"this is not YAML: {what}")


def _problem(path: str, code: ProblemCode, message: str) -> Problem:
    return Problem(path=path, code=code, message=message)
