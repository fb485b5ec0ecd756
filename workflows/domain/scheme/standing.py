"""One more rating in a group that is not rated through: what it would break of the guide.

Whoever is not rated yet is of the group. They may still fill a share that asks for more, and do
not count towards one that asks for less, so that a warning is given when it is too late for
nobody and too early for nobody.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from siklus.workflows.domain.scheme.distribution import Guide
from siklus.workflows.domain.values import Predicate, Value

Counts = Mapping[Predicate, int]


class Bound(StrEnum):
    """How a share is limited; the names are the policy's keys."""

    AT_MOST_PERCENT = "at_most_percent"
    AT_LEAST_PERCENT = "at_least_percent"
    AT_LEAST = "at_least"


class Breach(Value):
    """One bound that a group does not keep, and by how many people."""

    predicates: tuple[Predicate, ...]
    bound: Bound
    limit: int
    """As the policy writes it: percent, or people."""
    count: int
    """How many hold one of the predicates."""
    size: int
    """How many are in the group."""
    allowed: int
    """How many of them keep the bound, at most or at least."""
    by: int
    """How many too many, or too few."""


def breaches(guides: Iterable[Guide], counts: Counts, *, unrated: int = 0) -> tuple[Breach, ...]:
    """Return what a group breaks, or cannot keep any more; in whole numbers, without rounding."""
    size = sum(counts.values()) + unrated
    found = (_breach(guide, counts, size, unrated) for guide in guides)
    return tuple(breach for breach in found if breach is not None)


def caused_by(
    guides: Iterable[Guide], others: Counts, predicate: Predicate, *, unrated: int = 0
) -> tuple[Breach, ...]:
    """Return what one more rating breaks, or breaks further; `others` and `unrated` are without it.

    What was broken before, and stays as it was, is not this rating's doing.
    """
    after = {**others, predicate: others.get(predicate, 0) + 1}
    return tuple(
        breach
        for breach in breaches(guides, after, unrated=unrated)
        if (predicate in breach.predicates) is (breach.bound is Bound.AT_MOST_PERCENT)
    )


def _breach(guide: Guide, counts: Counts, size: int, unrated: int) -> Breach | None:
    count = sum(counts.get(predicate, 0) for predicate in set(guide.predicates))
    bound, limit = _bound(guide)
    reachable = count + unrated
    match bound:
        case Bound.AT_MOST_PERCENT:
            allowed = limit * size // 100
            broken, by = count * 100 > limit * size, count - allowed
        case Bound.AT_LEAST_PERCENT:
            allowed = -(-limit * size // 100)
            broken, by = reachable * 100 < limit * size, allowed - reachable
        case Bound.AT_LEAST:
            allowed = limit
            broken, by = reachable < limit, limit - reachable
    if not broken:
        return None
    return Breach(
        predicates=guide.predicates,
        bound=bound,
        limit=limit,
        count=count,
        size=size,
        allowed=allowed,
        by=by,
    )


def _bound(guide: Guide) -> tuple[Bound, int]:
    if guide.at_most_percent is not None:
        return Bound.AT_MOST_PERCENT, guide.at_most_percent
    if guide.at_least_percent is not None:
        return Bound.AT_LEAST_PERCENT, guide.at_least_percent
    return Bound.AT_LEAST, guide.at_least or 0
