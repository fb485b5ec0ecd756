"""Planning reminders: which units are at work, and who is due to be reminded of what.

Every function works on a connection that one agency was set on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.standing_in import LENT_WITH, LETS_DO
from siklus.workflows.domain.policy import CalendarRule
from siklus.workflows.domain.values import AgencyId, CycleId

# Of each task's ladder the latest rung that is due, and none from before the task was there or had
# this date: so a run that did not happen is made good once, nobody is reminded of what did not
# exist, and a deadline that moved is reminded of anew, by the rungs that lie ahead then.
_RUNG: Final = """
    LATERAL (
        SELECT ladder.rung, ladder.remind_on
        FROM unnest(task.rungs, task.remind_on) AS ladder (rung, remind_on)
        WHERE ladder.remind_on <= %(as_of)s
          AND ladder.remind_on >=
              (greatest(task.opened_at, task.due_set_at) AT TIME ZONE task.zone)::date
        ORDER BY ladder.remind_on DESC
        LIMIT 1
    ) AS due
"""
# Whoever may act, and their delegates, who get no rung from before their letter.
_WHOM: Final = f"""
    LATERAL (
        SELECT unnest(task.may_act) AS person
        UNION
        SELECT lent.delegate FROM mandate AS lent
        WHERE {LETS_DO.format(day="%(as_of)s")}
          AND greatest(lent.from_on, (lent.created_at AT TIME ZONE task.zone)::date)
              <= due.remind_on
    ) AS whom
"""  # noqa: S608 - constants alone
# Of a `reader`, by the calendar of a cycle. Whoever is on leave is told afterwards.
AT_WORK: Final = """
    reader.active
      AND (%(units)s::jsonb -> reader.unit) @> (%(cycles)s::jsonb -> {cycle})
      AND NOT EXISTS (
          SELECT FROM person_leave AS away
          WHERE away.agency = reader.agency AND away.person = reader.person
            AND %(as_of)s BETWEEN away.from_on AND away.to_on
      )
"""
# The pass and its preview share this text.
DUE: Final = f"""
    FROM {{tasks}} AS task
    CROSS JOIN {_RUNG}
    CROSS JOIN {_WHOM}
    JOIN person AS reader ON reader.agency = task.agency AND reader.person = whom.person
    WHERE task.agency = %(agency)s
      AND task.next_remind_on <= %(as_of)s
      AND {AT_WORK.format(cycle="task.cycle")}
"""
# What `ON CONFLICT` leaves out of the pass. Not by EXISTS, for which the planner would read all of
# a ledger that it takes for small.
NOT_TOLD: Final = """
    (
        SELECT true FROM notice AS told
        WHERE told.agency = task.agency AND told.cycle = task.cycle
          AND told.person = task.person AND told.segment = task.segment
          AND told.task = task.task AND told.task_opened_at = task.opened_at
          AND told.rung = due.rung AND told.due_on = task.due_on
          AND told.recipient = whom.person
    ) IS NULL
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
    {DUE.format(tasks="page")}
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM planned), page.cycle, page.person, page.segment, page.task
FROM page ORDER BY page.cycle DESC, page.person DESC, page.segment DESC, page.task DESC LIMIT 1
"""  # noqa: S608 - constants alone

# Of whom somebody was not told, for leave or a day off or another zone's morning, is looked at
# again tomorrow. What a projection writes just now is let alone: it begins the ladder anew.
ADVANCE: Final = f"""
UPDATE task
SET next_remind_on = (
    SELECT min(ahead.remind_on) FROM unnest(task.remind_on) AS ahead (remind_on)
    WHERE ahead.remind_on > %(as_of)s
)
FROM (
    SELECT task.cycle, task.person, task.segment, task.task FROM task
    WHERE task.agency = %(agency)s AND task.next_remind_on <= %(as_of)s
      AND (task.cycle, task.person, task.segment, task.task)
          > (%(cycle)s, %(person)s, %(segment)s, %(task)s)
      AND (task.cycle, task.person, task.segment, task.task)
          <= (%(last_cycle)s, %(last_person)s, %(last_segment)s, %(last_task)s)
      AND (
          SELECT true FROM {_RUNG} CROSS JOIN {_WHOM} WHERE {NOT_TOLD} LIMIT 1
      ) IS NULL
    ORDER BY task.cycle, task.person, task.segment, task.task
    FOR UPDATE SKIP LOCKED
) AS passed
WHERE task.agency = %(agency)s AND task.cycle = passed.cycle AND task.person = passed.person
  AND task.segment = passed.segment AND task.task = passed.task
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


async def advance(
    connection: Connection, agency: AgencyId, work: Workday, *, after: TaskPlace, last: TaskPlace
) -> None:
    """Let the tasks between two places rest until their next rung, if everybody was told.

    Right only for a day that has come: of one ahead the rungs before it are still to be told.
    """
    to = {f"last_{name}": part for name, part in last._asdict().items()}
    await connection.execute(ADVANCE, {**given(agency, work), **after._asdict(), **to})


def given(agency: AgencyId, work: Workday) -> dict[str, object]:
    """Return the parameters of what the statements share.

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
        "lent_with": LENT_WITH,
    }
