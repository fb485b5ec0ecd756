"""Planning reminders: which units are at work, and who is due to be reminded of what.

Every function works on a connection that one agency was set on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.policy import CalendarRule
from siklus.workflows.domain.values import AgencyId, CycleId

# Of each task's ladder the latest rung that is due, and none from before the task was there: so
# a run that did not happen is made good once, and nobody is reminded of what did not exist.
PLAN: Final = """
WITH planned AS (
    INSERT INTO notice (agency, kind, recipient, cycle, person, segment, task, task_opened_at,
                        rung, due_at, channel, planned_on, state, attempts)
    SELECT task.agency, 'REMINDER', reader.person, task.cycle, task.person, task.segment,
           task.task, task.opened_at, due.rung, task.due_at, 'mail', %(as_of)s, 'PLANNED', 0
    FROM task
    CROSS JOIN LATERAL (
        SELECT ladder.rung
        FROM unnest(task.rungs, task.remind_on) AS ladder (rung, remind_on)
        WHERE ladder.remind_on <= %(as_of)s
          AND ladder.remind_on >= (task.opened_at AT TIME ZONE task.zone)::date
        ORDER BY ladder.remind_on DESC
        LIMIT 1
    ) AS due
    CROSS JOIN LATERAL unnest(task.may_act) AS actor (person)
    JOIN person AS reader ON reader.agency = task.agency AND reader.person = actor.person
    WHERE task.agency = %(agency)s
      AND task.cycle = ANY (%(cycles)s)
      AND task.next_remind_on <= %(as_of)s
      AND reader.active
      AND reader.unit = ANY (%(units)s)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM planned
"""

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
WHERE unit.agency = %(agency)s AND unit.zone = %(zone)s
ORDER BY unit.code
"""


@dataclass(frozen=True, slots=True)
class UnitDays:
    """A unit's working week, and whether the date asked for is a regional day off."""

    code: str
    weekdays: list[int]
    day_off: bool


async def units_in_zone(
    connection: Connection, agency: AgencyId, zone: str, on: date
) -> list[UnitDays]:
    """Return the agency's units of a zone, and whether that date is a regional day off."""
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
    connection: Connection,
    agency: AgencyId,
    cycles: Sequence[CycleId],
    units: Sequence[str],
    as_of: date,
) -> int:
    """Write what is due in those cycles to people of those units; return how many are new."""
    given = {"agency": agency, "cycles": list(cycles), "units": list(units), "as_of": as_of}
    found = await (await connection.execute(PLAN, given)).fetchone()
    return int(found[0]) if found else 0
