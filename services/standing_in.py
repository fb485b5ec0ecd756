"""By which mandates callers act and read: asked of the store each time, which vouches for them.

What was ended is refused at once, so nothing of this is kept in memory.
"""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import evaluations, mandates, roster
from siklus.activities.store.queries.standing_in import Lent
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.workflows.domain.commands import Order
from siklus.workflows.domain.standing_in import Chain, chains, days_around, relying_on
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId

USUAL_ZONE: Final = "Asia/Jakarta"
"""Of an agency without units, which has nobody to lend a say either."""
REMEMBERED: Final = timedelta(days=366)
"""Whose mandate ended longer ago is told that they have no part, and not that it ended."""


async def lent_to(connection: Connection, caller: Caller, clock: Clock) -> Lent | None:
    """Return by which mandates the caller stands in today; None for programs and most people."""
    if caller.person is None:
        return None
    now = clock.now()
    held = await mandates.in_use(connection, caller.agency, caller.person, *days_around(now))
    if not held:
        return None
    days = await days_in(connection, caller.agency, now)
    found = [chain for chain in chains(held, caller.person) if any(map(chain.holds_on, days))]
    return Lent(found, now, days) if found else None


async def days_in(connection: Connection, agency: AgencyId, now: datetime) -> frozenset[date]:
    """Return the days that it is at an instant in the zones of the agency's units."""
    zones = await roster.zones(connection, agency) or [USUAL_ZONE]
    return frozenset(now.astimezone(ZoneInfo(zone)).date() for zone in zones)


class StandIns:
    """Finds the mandates that an order relies on."""

    def __init__(self, store: Store, archive: Archive, clock: Clock) -> None:
        self._store = store
        self._archive = archive
        self._clock = clock

    async def relying_on_mandates(self, key: EvaluationKey, order: Order) -> Order | None:
        """Return the order with the chain that it should rely on; None where there is none.

        Raises StoreUnavailable: nothing else can vouch for a mandate.
        """
        person = order.actor.person
        if person is None:
            return None
        async with self._store.agency(key.agency) as connection:
            available = await self._available(connection, key, person, order)
            stored = await evaluations.get(connection, key) if available else None
        if stored is None:
            # Decided, but not yet in the record: the evaluation itself judges the first chain.
            return _with_first(order, available)
        state = await self._archive.standing(key, stored.document)
        return relying_on(state, order, self._clock.now(), available)

    async def _available(
        self, connection: Connection, key: EvaluationKey, person: PersonId, order: Order
    ) -> list[Chain]:
        """Return the chains that hold, then those that ended or are to come, which tell why not."""
        first, last = days_around(order.received_at or self._clock.now())
        known = await mandates.leading_up(
            connection, key.agency, person, first - REMEMBERED, last + REMEMBERED
        )
        if not known:
            return []
        held = await mandates.in_use(connection, key.agency, person, first, last)
        # A chain that holds is vouched for by the narrower question alone, which leaves out who
        # works there no more.
        idle = [
            chain for chain in chains(known, person) if chain.to_on < first or last < chain.from_on
        ]
        return [*chains(held, person), *idle]


def _with_first(order: Order, available: list[Chain]) -> Order | None:
    if not available:
        return None
    actor = order.actor.model_copy(update={"mandates": available[0].links})
    return order.model_copy(update={"actor": actor})
