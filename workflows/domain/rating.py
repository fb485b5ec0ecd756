"""The rating by two axes: spellings accepted at the border, and the quadrant of the policy.

Nothing here has a default: unknown or missing input is an error.
"""

import re
from collections.abc import Mapping

from siklus.workflows.domain.values import Level, Predicate

Matrix = Mapping[Level, Mapping[Level, Predicate]]


class UnknownLabel(ValueError):  # noqa: N818 - what it is, in the words of the field
    """A text that names no level or predicate, or a pair of levels that the policy leaves open."""


def rate_quadrant(matrix: Matrix, results: Level, behaviour: Level) -> Predicate:
    """Return the predicate of the cell (results, behaviour), raising `UnknownLabel` without one.

    The matrix is not symmetric (PermenPANRB 6/2022): results choose the row, behaviour the column.
    """
    try:
        return matrix[results][behaviour]
    except KeyError:
        raise UnknownLabel(
            f"the policy gives no predicate for results {results!s} and behaviour {behaviour!s}"
        ) from None


def parse_level(written: str) -> Level:
    """Return the level that a spelling in Indonesian or English means, or raise `UnknownLabel`."""
    words = _words(written)
    if len(words) > 1 and words[-1] in _AXIS_WORDS:
        words = words[:-1]
    folded = "".join(words).removesuffix("ekspektasi")
    if folded not in _LEVELS:
        raise UnknownLabel(_unknown("level", written, Level))
    return _LEVELS[folded]


def parse_predicate(written: str) -> Predicate:
    """Return the predicate that a spelling means, or raise `UnknownLabel`."""
    folded = "".join(_words(written))
    if folded not in _PREDICATES:
        raise UnknownLabel(_unknown("predicate", written, Predicate))
    return _PREDICATES[folded]


_AXIS_WORDS = {"ekspektasi", "expectation", "expectations"}

_LEVELS = {
    "diatas": Level.ABOVE,
    "above": Level.ABOVE,
    "sesuai": Level.AT,
    "at": Level.AT,
    "dibawah": Level.BELOW,
    "below": Level.BELOW,
}

_PREDICATES = {
    "sangatbaik": Predicate.SANGAT_BAIK,
    "baik": Predicate.BAIK,
    "butuhperbaikan": Predicate.BUTUH_PERBAIKAN,
    "cukup": Predicate.BUTUH_PERBAIKAN,
    "kurang": Predicate.KURANG,
    "kurangmisconduct": Predicate.KURANG,
    "sangatkurang": Predicate.SANGAT_KURANG,
}


def _words(written: str) -> list[str]:
    return [word for word in re.split(r"[\s_/-]+", written.casefold()) if word]


def _unknown(kind: str, written: str, known: type[Level] | type[Predicate]) -> str:
    shown = written if len(written) <= 40 else f"{written[:40]}…"
    return f"{shown!r} is no {kind}; write one of {', '.join(known)}"
