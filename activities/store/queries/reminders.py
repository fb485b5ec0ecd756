"""Planning reminders: which units are at work, and who is due to be reminded of what.

Every function works on a connection that one agency was set on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.policy import CalendarRule
from siklus.workflows.domain.values import AgencyId, CycleId

# Of each task's ladder the latest rung that is due, and none from before the task was there or had
# this date: so a run that did not happen is made good once, nobody is reminded of what did not
# exist, and a deadline that moved is reminded of anew, by the rungs that lie ahead then. Whoever is
# on leave is told afterwards. The pass and its preview share this text.
_DUE: Final = """
    FROM {tasks} AS task
    CROSS JOIN LATERAL (
        SELECT ladder.rung
        FROM unnest(task.rungs, task.remind_on) AS ladder (rung, remind_on)
        WHERE ladder.remind_on <= %(as_of)s
          AND ladder.remind_on >=
              (greatest(task.opened_at, task.due_set_at) AT TIME ZONE task.zone)::date
        ORDER BY ladder.remind_on DESC
        LIMIT 1
    ) AS due
    CROSS JOIN LATERAL unnest(task.may_act) AS actor (person)
    JOIN person AS reader ON reader.agency = task.agency AND reader.person = actor.person
    WHERE task.agency = %(agency)s
      AND task.next_remind_on <= %(as_of)s
      AND reader.active
      AND (%(units)s::jsonb -> reader.unit) @> (%(cycles)s::jsonb -> task.cycle)
      AND NOT EXISTS (
          SELECT FROM person_leave AS away
          WHERE away.agency = reader.agency AND away.person = reader.person
            AND %(as_of)s BETWEEN away.from_on AND away.to_on
      )
"""
# What `ON CONFLICT` leaves out of the pass.
_NOT_TOLD: Final = """
      AND NOT EXISTS (
          SELECT FROM notice AS told
          WHERE told.agency = task.agency AND told.cycle = task.cycle
            AND told.person = task.person AND told.segment = task.segment
            AND told.task = task.task AND told.task_opened_at = task.opened_at
            AND told.rung = due.rung AND told.due_on = task.due_on
            AND told.recipient = reader.person
      )
"""

# A page of tasks by their key, so that no statement takes long, however many are open.
PLAN: Final = f"""
WITH page AS MATERIALIZED (
    SELECT * FROM task
    WHERE agency = %(agency)s AND next_remind_on <= %(as_of)s
      AND (cycle, person, segment, task) > (%(cycle)s, %(person)s, %(segment)s, %(task)s)
    ORDER BY cycle, person, segment, task
    LIMIT %(size)s
), planned AS (
    INSERT INTO notice (agency, kind, recipient, cycle, person, segment, task, task_opened_at,
                        rung, due_at, due_on, channel, planned_on, state, attempts)
    SELECT task.agency, 'REMINDER', reader.person, task.cycle, task.person, task.segment,
           task.task, task.opened_at, due.rung, task.due_at, task.due_on, 'mail', %(as_of)s,
           'PLANNED', 0
    {_DUE.format(tasks="page")}
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM planned), page.cycle, page.person, page.segment, page.task
FROM page ORDER BY page.cycle DESC, page.person DESC, page.segment DESC, page.task DESC LIMIT 1
"""  # noqa: S608 - constants alone

# The first of each reader's, the soonest due first; the counts are of all of them.
PREVIEW: Final = f"""
SELECT found.reader, found.name, coalesce(own.channel, theirs.channel, 'mail'), found.reminders,
    count(*) OVER () AS people_total, sum(found.reminders) OVER ()::bigint AS reminders_total,
    found.first
FROM (
    SELECT reader.person AS reader, reader.name, count(*) AS reminders,
        (array_agg(
            jsonb_build_array(task.cycle, task.person, task.segment, task.task, due.rung,
                task.due_on)
            ORDER BY task.due_on, task.cycle, task.person, task.segment, task.task
        ))[1:%(shown)s] AS first
    {_DUE.format(tasks="task")}
    {_NOT_TOLD}
      AND reader.person > %(after)s
    GROUP BY reader.person, reader.name
) AS found
LEFT JOIN notice_preference AS own ON own.agency = %(agency)s AND own.person = found.reader
LEFT JOIN notice_preference AS theirs ON theirs.agency = %(agency)s AND theirs.person = ''
ORDER BY found.reader
LIMIT %(limit)s
"""  # noqa: S608 - constants alone

RULES: Final = """
SELECT policy.compiled ->> 'calendar', array_agg(cycle.cycle ORDER BY cycle.cycle)
FROM cycle
JOIN policy ON policy.agency = cycle.agency AND policy.name = cycle.policy
    AND policy.version = cycle.policy_version
WHERE cycle.agency = %s AND cycle.state <> 'CREATED'
GROUP BY policy.compiled ->> 'calendar'
"""

UNITS: Final = """
SELECT unit.code, unit.weekdays, EXISTS (
    SELECT 1 FROM holiday
    WHERE holiday.agency = unit.agency AND holiday.unit IN ('', unit.code)
      AND holiday.day_on = %(on)s
) AS day_off
FROM unit
WHERE unit.agency = %(agency)s AND (%(zone)s::text IS NULL OR unit.zone = %(zone)s)
ORDER BY unit.code
"""


@dataclass(frozen=True, slots=True)
class UnitDays:
    """A unit's working week, and whether the date asked for is a regional day off."""

    code: str
    weekdays: list[int]
    day_off: bool


@dataclass(frozen=True, slots=True)
class CalendarAtWork:
    """The cycles that go by one calendar, and the units that work by it."""

    cycles: Sequence[CycleId]
    units: Sequence[str]


@dataclass(frozen=True, slots=True)
class Workday:
    """A date, and who works on it by which calendar."""

    on: date
    calendars: Sequence[CalendarAtWork]

    @property
    def anybody(self) -> bool:
        """Tell whether somebody works."""
        return any(each.units for each in self.calendars)


class TaskPlace(NamedTuple):
    """A task in the order of keys, to go on after."""

    cycle: str
    person: str
    segment: int
    task: str


FIRST: Final = TaskPlace("", "", 0, "")


class PlannedReminder(NamedTuple):
    """One reminder that a run would plan."""

    cycle: str
    person: str
    segment: int
    task: str
    rung: int
    due_on: str


@dataclass(frozen=True, slots=True)
class PlannedDigest:
    """What one person would be sent, and how much everybody from that person on."""

    reader: str
    name: str
    channel: str
    reminders: int
    people_total: int
    reminders_total: int
    first: Sequence[PlannedReminder]


async def units_in_zone(
    connection: Connection, agency: AgencyId, zone: str | None, on: date
) -> list[UnitDays]:
    """Return the units of a zone, None for all, and whether that date is a regional day off."""
    async with connection.cursor(row_factory=class_row(UnitDays)) as cursor:
        await cursor.execute(UNITS, {"agency": agency, "zone": zone, "on": on})
        return await cursor.fetchall()


async def calendar_rules(
    connection: Connection, agency: AgencyId
) -> list[tuple[CalendarRule, list[CycleId]]]:
    """Return the calendars by which the agency's launched cycles go, each with its cycles."""
    rows = await (await connection.execute(RULES, (agency,))).fetchall()
    return [(CalendarRule.model_validate_json(rule), cycles) for rule, cycles in rows]


async def plan(
    connection: Connection, agency: AgencyId, work: Workday, *, after: TaskPlace, size: int
) -> tuple[int, TaskPlace | None]:
    """Write what is due of the next tasks to people who work on that day.

    Returns how many notices are new, and the last of these tasks, None when there was none.
    """
    page = {**after._asdict(), "size": size}
    found = await (await connection.execute(PLAN, {**given(agency, work), **page})).fetchone()
    return (int(found[0]), TaskPlace(*found[1:])) if found else (0, None)


async def preview(
    connection: Connection,
    agency: AgencyId,
    work: Workday,
    *,
    after: str,
    limit: int,
    shown: int,
) -> list[PlannedDigest]:
    """Return what `plan` would write, for the people after that id; writes nothing."""
    page = {"after": after, "limit": limit, "shown": shown}
    rows = await (await connection.execute(PREVIEW, {**given(agency, work), **page})).fetchall()
    return [
        PlannedDigest(reader, name, channel, count, people, total, _planned(first))
        for reader, name, channel, count, people, total, first in rows
    ]


def _planned(rows: Sequence[Sequence[Any]]) -> list[PlannedReminder]:
    return [PlannedReminder(*row) for row in rows]


def given(agency: AgencyId, work: Workday) -> dict[str, object]:
    """Return the parameters of what both statements share.

    Each cycle goes by the calendar of a number, each unit works by those of a list. They are looked
    up and not joined: of how many match, the planner would guess wrong.
    """
    units: dict[str, list[int]] = {}
    for number, each in enumerate(work.calendars):
        for unit in each.units:
            units.setdefault(unit, []).append(number)
    cycles = {cycle: n for n, each in enumerate(work.calendars) for cycle in each.cycles}
    return {
        "agency": agency,
        "as_of": work.on,
        "cycles": json.dumps(cycles),
        "units": json.dumps(units),
    }
