"""Reminders: who is due to be reminded today, written into the ledger by one statement."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from temporalio import activity
from temporalio.service import RPCError

from siklus.activities.calendars import national_days
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import reminders, roster
from siklus.activities.store.queries.reminders import UnitDays
from siklus.workflows import ports
from siklus.workflows.domain.policy import CalendarRule
from siklus.workflows.domain.values import AgencyId

WITHIN: Final = 90.0
"""Seconds for the one statement: it may look at every open task of a large agency."""


log = structlog.get_logger("siklus.reminders")


class Reminders:
    """Plans reminders; `now` is the clock of the process."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        ensure_schedules: Callable[[AgencyId, Iterable[str]], Awaitable[None]],
    ) -> None:
        self._store = store
        self._now = now
        self._ensure_schedules = ensure_schedules

    @activity.defn(name="plan_reminders")
    async def plan_reminders(self, run: ports.ReminderRun) -> ports.Planned:
        """Plan what is due to the people whose units lie in that zone and work on that day.

        Working days are those of each cycle's own policy, with the regional ones of the reader's
        unit; the zone is the reader's and not the employee's, so that a superior of people in
        three zones gets one digest a day. Safe to repeat: what stands in the ledger is not planned
        again. A schedule's run first makes the schedules of zones that came to the agency since.
        """
        if run.as_of is None:
            await self._schedule_new_zones(run.agency)
        as_of = run.as_of or self._now().astimezone(ZoneInfo(run.zone)).date()
        planned, working_day = 0, False
        async with self._store.agency(run.agency, within=WITHIN) as connection:
            units = await reminders.units_in_zone(connection, run.agency, run.zone, as_of)
            for rule, cycles in await reminders.calendar_rules(connection, run.agency):
                at_work = _at_work(rule, units, as_of)
                if at_work:
                    working_day = True
                    planned += await reminders.plan(connection, run.agency, cycles, at_work, as_of)
        return ports.Planned(working_day=working_day, notices=planned)

    async def _schedule_new_zones(self, agency: AgencyId) -> None:
        async with self._store.agency(agency) as connection:
            zones = await roster.zones(connection, agency)
        try:
            await self._ensure_schedules(agency, zones)
        except RPCError as error:
            # Tomorrow is another day; this one's reminders do not wait for it.
            log.warning("schedules_not_made", agency=agency, status=error.status.name)


def _at_work(rule: CalendarRule, units: Sequence[UnitDays], on: date) -> list[str]:
    """Return the units that work on a date by the calendar that a cycle's policy asks for."""
    if any(day.on == on for day in national_days(rule, (on.year,))):
        return []
    return [
        unit.code
        for unit in units
        if not unit.day_off and on.isoweekday() in (rule.weekdays or unit.weekdays)
    ]
