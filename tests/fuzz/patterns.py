"""Texts that a regular expression of the contract accepts: a walk through its parsed form."""

from functools import cache
from importlib import import_module
from random import Random
from typing import Any, Final

# Python's own; they have no stubs.
op: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

PRINTABLE: Final = [chr(code) for code in range(33, 127)]
MOST_REPEATS: Final = 12
"""Where a pattern allows more, it is used up now and then alone."""


def matching(pattern: str, random: Random) -> str:
    """Return a text that matches the whole pattern."""
    return "".join(_written(token, random) for token in _parsed(pattern))


@cache
def _parsed(pattern: str) -> Any:
    return parser.parse(pattern)


def _written(token: tuple[Any, Any], random: Random) -> str:
    kind, value = token
    match kind:
        case op.LITERAL:
            return chr(value)
        case op.AT:
            return ""
        case op.IN:
            return random.choice(_members(tuple(value)))
        case op.ANY:
            return random.choice(PRINTABLE)
        case op.SUBPATTERN:
            return "".join(_written(each, random) for each in value[-1])
        case op.BRANCH:
            return "".join(_written(each, random) for each in random.choice(value[1]))
        case op.MAX_REPEAT | op.MIN_REPEAT:
            least, most, inner = value
            most = int(most) if random.random() < 0.05 else min(int(most), least + MOST_REPEATS)
            many = random.randint(least, min(most, least + 300))
            return "".join(_written(each, random) for _ in range(many) for each in inner)
    raise ValueError(f"patterns with {kind} are new here: teach this file to write them")


@cache
def _members(choices: tuple[tuple[Any, Any], ...]) -> list[str]:
    found: set[str] = set()
    for kind, value in choices:
        match kind:
            case op.LITERAL:
                found.add(chr(value))
            case op.RANGE:
                found |= {chr(code) for code in range(value[0], value[1] + 1)}
            case op.CATEGORY:
                found |= {each for each in PRINTABLE if _is(value, each)}
    if (op.NEGATE, None) in choices:
        found = set(PRINTABLE) - found - set(" \t\r\n")
    return sorted(found)


def _is(category: Any, text: str) -> bool:
    name = str(category).removeprefix("CATEGORY_")
    wanted = {"DIGIT": str.isdigit, "WORD": str.isalnum, "SPACE": str.isspace}
    told = wanted[name.removeprefix("NOT_")](text)
    return not told if name.startswith("NOT_") else told
