"""Days of leave, on which nobody is reminded."""

from datetime import date

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.commands import LeaveKind
from siklus.workflows.domain.roster_changes import LeaveDays
from siklus.workflows.domain.values import AgencyId, PersonId

OF_A_PERSON = """
    SELECT from_on, to_on, kind FROM person_leave WHERE agency = %s AND person = %s
    ORDER BY from_on
"""
PUT = """
    INSERT INTO person_leave (agency, person, from_on, to_on, kind, change)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (agency, person, from_on) DO UPDATE
    SET to_on = excluded.to_on, kind = excluded.kind, change = excluded.change
"""
CUT = """
    UPDATE person_leave SET to_on = %(day)s - 1, change = %(change)s
    WHERE agency = %(agency)s AND person = %(person)s
        AND from_on < %(day)s AND to_on >= %(day)s
"""
DROP = """
    DELETE FROM person_leave WHERE agency = %(agency)s AND person = %(person)s AND from_on = %(day)s
"""


# Where leave pauses clocks. Whatever began before the leave was recorded has been told of it.
UNTOLD = """
    WITH told AS (
        INSERT INTO roster_change_effect (agency, change, cycle, person, segment, command, outcome)
        SELECT l.agency, l.change, e.cycle, e.person, e.segment, 'record_leave', 'WAITING'
        FROM person_leave AS l
        JOIN roster_change AS r ON r.agency = l.agency AND r.change = l.change
            AND r.kind = 'LEAVE' AND r.state = 'APPLIED'
        JOIN evaluation AS e ON e.agency = l.agency AND e.person = l.person AND NOT e.ended
        JOIN cycle AS c ON c.agency = e.agency AND c.cycle = e.cycle
        JOIN policy AS p ON p.agency = c.agency AND p.name = c.policy
            AND p.version = c.policy_version AND p.compiled -> 'leave_pauses_clocks' = 'true'
        WHERE l.agency = %(agency)s AND l.to_on >= %(since)s
            AND l.to_on >= (e.opened_at AT TIME ZONE e.zone)::date
        ON CONFLICT DO NOTHING
        RETURNING change
    )
    UPDATE roster_change SET state = 'APPLYING'
    WHERE agency = %(agency)s AND change IN (SELECT change FROM told)
"""


async def follow_newly_begun(connection: Connection, agency: AgencyId, since: date) -> int:
    """Let evaluations that began in a leave follow it; return of how many leaves.

    Leave that ended before that day is left out. Each is told once.
    """
    values = {"agency": agency, "since": since}
    return (await connection.execute(UNTOLD, values)).rowcount


async def of_person(
    connection: Connection, agency: AgencyId, person: PersonId
) -> tuple[LeaveDays, ...]:
    """Return all leave of somebody, earliest first."""
    rows = await (await connection.execute(OF_A_PERSON, (agency, person))).fetchall()
    return tuple(
        LeaveDays(from_on=from_on, to_on=to_on, leave=LeaveKind(kind))
        for from_on, to_on, kind in rows
    )


async def put(
    connection: Connection,
    agency: AgencyId,
    person: PersonId,
    *,
    from_on: date,
    to_on: date,
    kind: str,
    change: str,
) -> None:
    """Write leave down; of one that began on that day only its end moves."""
    await connection.execute(PUT, (agency, person, from_on, to_on, kind, change))


async def end_before(
    connection: Connection, agency: AgencyId, person: PersonId, day: date, *, change: str
) -> None:
    """Let leave that is running on that day end the day before."""
    values = {"agency": agency, "person": person, "day": day, "change": change}
    await connection.execute(CUT, values)
    await connection.execute(DROP, values)
