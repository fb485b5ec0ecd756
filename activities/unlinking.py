"""The hourly activity that parts what was said from whoever said it."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from temporalio import activity

from siklus.activities.feedback_texts import keep_text
from siklus.activities.heartbeat import heartbeat
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import contacts
from siklus.activities.store.queries import unlinking as queries
from siklus.activities.vault import Vault
from siklus.workflows.domain.feedback.tickets import first_day_not_over
from siklus.workflows.domain.values import AgencyId

AT_ONCE: Final = 500
DAY_SECONDS: Final = 120.0
"""For all that citizens of one agency said on one day."""


class Unlinking:
    """Closes rounds of colleagues and the days of citizens' tickets; one for a worker."""

    def __init__(self, store: Store, vault: Vault, now: Callable[[], datetime]) -> None:
        self._store = store
        self._vault = vault
        self._now = now

    @activity.defn(name="unlink_answers")
    async def unlink_answers(self, agency: AgencyId) -> int:
        """Close what is over; return how many rounds and days. Done again, it finds nothing."""
        async with heartbeat():
            closed = await self._close_rounds(agency) + await self._close_days(agency)
            # Last: a key that is missing keeps no round open.
            await self._seal_reasons(agency)
            return closed

    async def _seal_reasons(self, agency: AgencyId) -> None:
        """Seal reasons of moderation that were kept in plain text once."""
        while True:
            async with (
                self._store.agency(agency, within=DAY_SECONDS) as connection,
                connection.transaction(),
            ):
                await contacts.forget_erased_reasons(connection, agency)
                plain = await contacts.plain_reasons(connection, agency)
                for rating, person, reason in plain:
                    because = await keep_text(self._vault, connection, agency, person, reason)
                    await contacts.seal_reason(connection, agency, rating, because)
            if not plain:
                return

    async def _close_rounds(self, agency: AgencyId) -> int:
        closed = 0
        while True:
            now = self._now()
            async with self._store.agency(agency) as connection:
                due = await queries.due(connection, agency, now, limit=AT_ONCE)
            for round_ in due:
                async with self._store.agency(agency) as connection, connection.transaction():
                    closed += await queries.close_round(connection, agency, round_, now)
            if len(due) < AT_ONCE:
                return closed

    async def _close_days(self, agency: AgencyId) -> int:
        closed, before = 0, first_day_not_over(self._now())
        while True:
            async with (
                self._store.agency(agency, within=DAY_SECONDS) as connection,
                connection.transaction(),
            ):
                if not await queries.unlink_oldest_day(connection, agency, before):
                    return closed
            closed += 1
