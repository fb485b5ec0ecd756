"""Mandates (Plt/Plh) of a roster: which may be given, and how one ends.

A mandate is given by a letter, for local days that are counted inclusively; one that has ended
never changes what was done by it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import siklus.workflows.domain.decide  # noqa: F401 - enters the rules of every command
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import COMMANDS, Mandate
from siklus.workflows.domain.decide.rules import RULES
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.values import PersonId

LONGEST: Final = timedelta(days=366)
"""From the first to the last day of one mandate (our decision); a longer one is given anew."""
MOST_LINKS: Final = 5
"""Links of any chain in a roster (our decision); a policy may allow fewer on its evaluations."""


class MandateKind(StrEnum):
    """Why somebody stands in."""

    PLT = "PLT"
    """Pelaksana tugas: the post is vacant."""
    PLH = "PLH"
    """Pelaksana harian: the holder of the post is away for a while."""


_LENT = frozenset({Party.SUPERVISOR, Party.RATER, Party.DECIDER, Party.APPROVER})

LENDABLE: Final[frozenset[str]] = frozenset(
    kind for kind, command in COMMANDS.items() if RULES[command].parties & _LENT
)
"""Command kinds that somebody gives by a seat; what is the employee's own is never lent."""


def must_hold_by_itself(new: Mandate, *, today: date, by: PersonId | None) -> None:
    """Refuse what no letter can say, and who would lend to themselves.

    `today` is the day that it still is somewhere in the agency; `by` is who enters it. Raises
    FIELD_INVALID, SEPARATION_OF_DUTIES.
    """
    if new.delegate == new.principal:
        raise invalid("delegate", "nobody stands in for themselves")
    if by == new.delegate:
        message = "nobody enters their own mandate; another of the team must do it"
        raise Refusal(Reason.SEPARATION_OF_DUTIES, message)
    if new.to_on < new.from_on:
        raise invalid("to_on", "lies before from_on")
    if new.to_on - new.from_on >= LONGEST:
        raise invalid("to_on", f"one mandate lasts at most {LONGEST.days} days")
    if new.to_on < today:
        raise invalid("to_on", "has passed already")
    if new.from_on - today >= LONGEST:
        raise invalid("from_on", f"lies more than {LONGEST.days} days ahead")
    for number, kind in enumerate(new.scope):
        if kind not in LENDABLE:
            problem = "is no command" if kind not in COMMANDS else "cannot be lent"
            raise invalid(f"scope[{number}]", f"{kind} {problem}; {', '.join(sorted(LENDABLE))}")


def must_name_people(new: Mandate, active: Mapping[PersonId, bool]) -> None:
    """Refuse people whom the roster does not know, and a delegate who does not work there now.

    `active` tells of each one known. A principal may be gone: that is what a Plt is for.
    """
    if new.principal not in active:
        raise invalid("principal", "is nobody whom the roster knows")
    if not active.get(new.delegate, False):
        raise invalid("delegate", "is nobody who works in the agency now")


def must_fit_the_others(new: Mandate, others: Iterable[Mandate]) -> None:
    """Refuse a mandate that on any day would close a loop or make a chain too long.

    `others` are at least those that on such a day lead up from the principal, or down from the
    delegate.
    """
    others = [each for each in others if each.id != new.id]
    starts = {each.from_on for each in others if new.from_on < each.from_on <= new.to_on}
    for day in sorted({new.from_on} | starts):
        valid = [each for each in others if each.from_on <= day <= each.to_on]
        above = _levels(new.principal, _lenders(valid))
        below = _levels(new.delegate, _standing_in(valid))
        if any(new.delegate in level for level in above):
            problem = f"stands in for the delegate on {day.isoformat()}: that would be a loop"
            raise invalid("principal", problem)
        if len(above) + 1 + len(below) > MOST_LINKS:
            problem = f"more than {MOST_LINKS} links would follow one another on {day.isoformat()}"
            raise invalid("principal", problem)


def last_day(mandate: Mandate, *, ends_on: date, today: date) -> date:
    """Return the last day on which a mandate holds that ends on a day: it holds no more on that.

    Never later than it would end anyway, never for days that have passed. Raises FIELD_INVALID.
    """
    if ends_on < today:
        raise invalid("ends_on", f"acts until {today.isoformat()} stay valid; take a later day")
    if ends_on > mandate.to_on:
        raise invalid("ends_on", f"it ends after {mandate.to_on.isoformat()} anyway")
    return ends_on - timedelta(days=1)


def _levels(
    start: PersonId, steps: Mapping[PersonId, frozenset[PersonId]]
) -> list[frozenset[PersonId]]:
    """Return whom one, two … links reach, no further than chains are of interest."""
    levels: list[frozenset[PersonId]] = []
    reached = steps.get(start, frozenset())
    while reached and len(levels) <= MOST_LINKS:
        levels.append(reached)
        reached = frozenset().union(*(steps.get(person, frozenset()) for person in reached))
    return levels


def _lenders(mandates: Iterable[Mandate]) -> Mapping[PersonId, frozenset[PersonId]]:
    return _gathered((each.delegate, each.principal) for each in mandates)


def _standing_in(mandates: Iterable[Mandate]) -> Mapping[PersonId, frozenset[PersonId]]:
    return _gathered((each.principal, each.delegate) for each in mandates)


def _gathered(
    pairs: Iterable[tuple[PersonId, PersonId]],
) -> Mapping[PersonId, frozenset[PersonId]]:
    found: defaultdict[PersonId, set[PersonId]] = defaultdict(set)
    for one, other in pairs:
        found[one].add(other)
    return {person: frozenset(others) for person, others in found.items()}
