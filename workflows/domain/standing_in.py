"""Whose say somebody may use: chains of mandates, what they cover, and which one an order takes.

`authority` judges the chain that came with an order; here is found which one should come.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from siklus.workflows.domain.commands import COMMANDS, Mandate, Order
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.decide.rules import RULES
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.mandates import LENDABLE, MOST_LINKS
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import RATINGS, TaskKind
from siklus.workflows.domain.values import PersonId, Value

MOST_CHAINS: Final = 64
"""Of one person at once, the shortest first; nobody stands in for more (our decision)."""
_FURTHEST: Final = timedelta(hours=14)
"""No zone is further from UTC; west of it none is further than 12 hours."""

NOT_ALONE: Final = frozenset({Reason.NOT_A_PARTICIPANT, Reason.NOT_YOUR_TASK})
"""Refused with these, an order may yet be another's to give, for whom its actor stands in."""


def _lent_by() -> dict[TaskKind, frozenset[str]]:
    found: dict[TaskKind, frozenset[str]] = {}
    for command in sorted(LENDABLE):
        kind = RULES[COMMANDS[command]].task
        if kind is not None:
            found[kind] = found.get(kind, frozenset()) | {command}
    return {**found, **dict.fromkeys(RATINGS, found[TaskKind.RATE])}


LENT_BY: Final[Mapping[TaskKind, frozenset[str]]] = _lent_by()
"""By which command kinds of a scope somebody can do a kind of task; the others are never lent."""


class Chain(Value):
    """Mandates that lead from somebody up to the principal, each lent on by the next."""

    links: tuple[Mandate, ...]

    @property
    def principal(self) -> PersonId:
        """In whose name it lets act."""
        return self.links[-1].principal

    @property
    def people(self) -> tuple[PersonId, ...]:
        """Everybody on it, from the delegate up."""
        return (self.links[0].delegate, *(link.principal for link in self.links))

    @property
    def from_on(self) -> date:
        """The first day on which all of it holds."""
        return max(link.from_on for link in self.links)

    @property
    def to_on(self) -> date:
        """The last day on which all of it holds; before the first where it never does."""
        return min(link.to_on for link in self.links)

    @property
    def scope(self) -> frozenset[str]:
        """The command kinds that all of it covers."""
        covered = LENDABLE
        for link in self.links:
            covered = covered & set(link.scope) if link.scope else covered
        return covered

    @property
    def task_kinds(self) -> frozenset[TaskKind]:
        """The kinds of task that somebody can do by it."""
        return frozenset(kind for kind, by in LENT_BY.items() if by & self.scope)

    def holds_on(self, day: date) -> bool:
        """Tell whether all of it holds on a day."""
        return self.from_on <= day <= self.to_on

    def serves(self, employee: PersonId) -> bool:
        """Tell whether it can be used on an evaluation: nobody lends a say in the own one."""
        return employee not in self.people


def chains(mandates: Iterable[Mandate], delegate: PersonId) -> list[Chain]:
    """Return every chain that begins with the delegate, the shortest first, none with a loop."""
    known = sorted(mandates, key=lambda each: each.id)
    found: list[Chain] = []
    ends = [Chain(links=(each,)) for each in known if each.delegate == delegate]
    while ends and len(found) < MOST_CHAINS:
        found += ends
        ends = [
            Chain(links=(*chain.links, each))
            for chain in ends[:MOST_CHAINS]
            for each in known
            if each.delegate == chain.principal
            and each.principal not in chain.people
            and len(chain.links) < MOST_LINKS
        ]
    return found[:MOST_CHAINS]


def days_around(now: datetime) -> tuple[date, date]:
    """Return the earliest and the latest day that it is anywhere at an instant."""
    return (now - _FURTHEST).date(), (now + _FURTHEST).date()


def relying_on(
    state: Evaluation, order: Order, now: datetime, available: Sequence[Chain]
) -> Order | None:
    """Return the order with the chain that lets it through; None where there is none to try.

    Of several the one whose principal holds the task, then the shortest. Where none lets it
    through, the one whose refusal tells most. The evaluation may have gone on since: it judges
    again.
    """
    if not available:
        return None
    orders = [_with(order, chain) for chain in available]
    ranks = [
        (_refused(state, tried, now), not _holds(state, tried, chain.principal), len(chain.links))
        for tried, chain in zip(orders, available, strict=True)
    ]
    return orders[ranks.index(min(ranks))]


def _with(order: Order, chain: Chain) -> Order:
    actor = order.actor.model_copy(update={"mandates": chain.links})
    return order.model_copy(update={"actor": actor})


_LET_THROUGH, _NOT_VALID, _NOT_ITS_TASK, _NO_PART = range(4)
_RANKS: Final = {
    Reason.MANDATE_NOT_VALID: _NOT_VALID,
    Reason.NOT_YOUR_TASK: _NOT_ITS_TASK,
    Reason.NOT_A_PARTICIPANT: _NO_PART,
}


def _refused(state: Evaluation, order: Order, now: datetime) -> int:
    try:
        decide(state, order, now)
    except Refusal as refusal:
        return _RANKS.get(refusal.reason, _LET_THROUGH)
    return _LET_THROUGH


def _holds(state: Evaluation, order: Order, principal: PersonId) -> bool:
    kind = RULES[type(order.command)].task
    kinds = set(RATINGS) if kind is TaskKind.RATE else {kind}
    return any(task.holder == principal for task in state.tasks if task.kind in kinds)
