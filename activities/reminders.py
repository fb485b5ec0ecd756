"""Reminders: who is due to be reminded today, written into the ledger by one statement."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from temporalio import activity

from siklus.activities.calendars import national_days
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import reminders
from siklus.workflows import ports
from siklus.workflows.domain.policy import CalendarRule
from siklus.workflows.domain.values import AgencyId

WITHIN: Final = 90.0
"""Seconds for the one statement: it may look at every open task of a large agency."""


class Reminders:
    """Plans reminders; `now` is the clock of the process."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    @activity.defn(name="plan_reminders")
    async def plan_reminders(self, run: ports.ReminderRun) -> ports.Planned:
        """Plan what is due to the people whose units lie in that zone and work on that day.

        By the reader's zone and not the employee's, so that a superior of people in three zones
        gets one digest a day. Safe to repeat: what stands in the ledger is not planned again.
        """
        as_of = run.as_of or self._now().astimezone(ZoneInfo(run.zone)).date()
        units = await self._at_work(run.agency, run.zone, as_of)
        if not units:
            return ports.Planned(working_day=False, notices=0)
        async with self._store.agency(run.agency, within=WITHIN) as connection:
            planned = await reminders.plan(connection, run.agency, units, as_of)
        return ports.Planned(working_day=True, notices=planned)

    async def _at_work(self, agency: AgencyId, zone: str, on: date) -> list[str]:
        if any(day.on == on for day in national_days(CalendarRule(), (on.year,))):
            return []
        async with self._store.agency(agency) as connection:
            units = await reminders.units_in_zone(connection, agency, zone, on)
        return [
            unit.code for unit in units if not unit.day_off and on.isoweekday() in unit.weekdays
        ]
