"""The written form of a pack: a small, closed part of YAML, read without surprises.

No aliases, tags or repeated keys; `yes`, `no`, `on` and `off` are plain words; numbers with a
point are Decimals.
"""

import re
from decimal import Decimal

import yaml

from siklus.workflows.domain.problems import PolicyInvalid, Problem, ProblemCode

MAX_BYTES = 64 * 1024
MAX_DEPTH = 12

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq")}


def read_tree(source: str | bytes) -> dict[str, object]:
    """Return the file as plain mappings, lists and scalars, or raise `PolicyInvalid`."""
    text = _decoded(source)
    try:
        _check_events(text)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise PolicyInvalid([_not_yaml(error)]) from None
    problems = list[Problem]()
    tree = _built(root, "", problems) if root is not None else None
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


def _check_events(text: str) -> None:
    """Refuse aliases and deep nesting on the flat stream, before anything recurses."""
    depth, problems = 0, list[Problem]()
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        mark = event.start_mark
        where = f"line {mark.line + 1}" if mark is not None else ""
        if getattr(event, "anchor", None) is not None:
            message = "anchors and aliases are not read; write the values out"
            problems.append(_problem(where, ProblemCode.ALIAS, message))
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            message = "a text holds half a character (an escaped surrogate)"
            problems.append(_problem(where, ProblemCode.NOT_YAML, message))
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} levels of nesting"
            raise PolicyInvalid([_problem(where, ProblemCode.TOO_DEEP, message)])
    if problems:
        raise PolicyInvalid(problems)


def _built(node: yaml.Node, path: str, problems: list[Problem]) -> object:
    if node.tag not in _PLAIN_TAGS:
        message = f"the tag {node.tag} is not read; write a plain value"
        problems.append(_problem(path, ProblemCode.TAG, message))
        return None
    match node:
        case yaml.ScalarNode():
            return _scalar(node)
        case yaml.SequenceNode():
            return [_built(item, f"{path}.{i}", problems) for i, item in enumerate(node.value)]
        case yaml.MappingNode():
            return _mapping(node, path, problems)
        case _:
            raise AssertionError(f"unknown node {node!r}")


def _mapping(node: yaml.MappingNode, path: str, problems: list[Problem]) -> dict[str, object]:
    built = dict[str, object]()
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            line = f"line {key_node.start_mark.line + 1}"
            problems.append(_problem(line, ProblemCode.NOT_YAML, "a key is one word"))
            continue
        key = key_node.value
        here = f"{path}.{key}" if path else key
        if key in built:
            message = f"written twice, again in line {key_node.start_mark.line + 1}"
            problems.append(_problem(here, ProblemCode.DUPLICATE_KEY, message))
            continue
        built[key] = _built(value_node, here, problems)
    return built


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    if node.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _not_yaml(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}" if mark is not None else ""
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return _problem(where, ProblemCode.NOT_YAML, f"this is not YAML: {what}")


def _problem(path: str, code: ProblemCode, message: str) -> Problem:
    return Problem(path=path, code=code, message=message)
