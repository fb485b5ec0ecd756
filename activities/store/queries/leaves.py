"""Days of leave, on which nobody is reminded."""

from datetime import date

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.roster_changes import LeaveDays
from siklus.workflows.domain.values import AgencyId, PersonId

OF_A_PERSON = """
    SELECT from_on, to_on FROM person_leave WHERE agency = %s AND person = %s ORDER BY from_on
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


async def of_person(
    connection: Connection, agency: AgencyId, person: PersonId
) -> tuple[LeaveDays, ...]:
    """Return all leave of somebody, earliest first."""
    rows = await (await connection.execute(OF_A_PERSON, (agency, person))).fetchall()
    return tuple(LeaveDays(from_on=from_on, to_on=to_on) for from_on, to_on in rows)


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
