"""Reminders: who is due to be reminded today, written into the ledger in large pages."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from temporalio import activity
from temporalio.service import RPCError

from siklus.activities.calendars import is_working_day
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import reminders, roster
from siklus.activities.store.queries.news import remind_of_rounds
from siklus.activities.store.queries.reminders import CalendarAtWork, UnitDays, Workday
from siklus.workflows.domain.policy import CalendarRule
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import reminders as ports

WITHIN: Final = 30.0
"""Seconds for one page."""
TASKS_AT_ONCE: Final = 20_000
"""In one statement; an agency of a hundred thousand people has a handful."""


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
        async with self._store.agency(run.agency, within=WITHIN) as connection:
            work = await workday(connection, run.agency, run.zone, as_of)
            planned = await remind_of_rounds(connection, run.agency, work) if work.anybody else 0
        today = self._now().astimezone(ZoneInfo(run.zone)).date()
        planned += await self._plan(run.agency, work, today) if work.anybody else 0
        return ports.Planned(working_day=work.anybody, notices=planned)

    async def _plan(self, agency: AgencyId, work: Workday, today: date) -> int:
        """Plan page by page, each for itself: a run that is broken off has not worked in vain.

        What everybody was told of rests until its next rung, unless the day lies ahead.
        """
        planned, after = 0, reminders.FIRST
        while True:
            async with self._store.agency(agency, within=WITHIN) as connection:
                new, last = await reminders.plan(
                    connection, agency, work, after=after, size=TASKS_AT_ONCE
                )
                if last is not None and work.on <= today:
                    await reminders.advance(connection, agency, work, after=after, last=last)
            planned += new
            if last is None:
                return planned
            after = last
            if activity.in_activity():
                activity.heartbeat()

    async def _schedule_new_zones(self, agency: AgencyId) -> None:
        async with self._store.agency(agency) as connection:
            zones = await roster.zones(connection, agency)
        try:
            await self._ensure_schedules(agency, zones)
        except RPCError as error:
            # Tomorrow is another day; this one's reminders do not wait for it.
            log.warning("schedules_not_made", agency=agency, status=error.status.name)


async def workday(connection: Connection, agency: AgencyId, zone: str | None, on: date) -> Workday:
    """Return who works on a date, in one zone or in all, by the calendars of the agency's cycles.

    A policy may ask for another calendar than another's, so one unit may work for one cycle alone.
    """
    units = await reminders.units_in_zone(connection, agency, zone, on)
    rules = await reminders.calendar_rules(connection, agency)
    return Workday(
        on, [CalendarAtWork(cycles, _at_work(rule, units, on)) for rule, cycles in rules]
    )


def _at_work(rule: CalendarRule, units: Sequence[UnitDays], on: date) -> list[str]:
    return [
        unit.code for unit in units if not unit.day_off and is_working_day(rule, unit.weekdays, on)
    ]
