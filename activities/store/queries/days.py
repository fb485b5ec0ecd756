"""Regional days off, and the calendars that evaluations were started with."""

from collections.abc import Collection, Sequence
from datetime import date

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.calendar import Calendar, DayOff
from siklus.workflows.domain.values import AgencyId, Digest

WHOLE_AGENCY = ""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('days off of ' || %s, 0))"
CLEAR = "DELETE FROM holiday WHERE agency = %s AND unit = %s AND day_on BETWEEN %s AND %s"
SET = """
    INSERT INTO holiday (agency, unit, day_on, name)
    SELECT %s, %s, new.* FROM unnest(%s::date[], %s::text[]) AS new ON CONFLICT DO NOTHING
"""
REGIONAL = """
    SELECT unit, day_on, name FROM holiday
    WHERE agency = %s AND (unit = '' OR unit = ANY(%s)) AND day_on BETWEEN %s AND %s
    ORDER BY unit, day_on, name
"""
KEEP = "INSERT INTO calendar (agency, digest, snapshot) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
PINNED = "SELECT snapshot::text FROM calendar WHERE agency = %s AND digest = %s"


async def replace(
    connection: Connection, agency: AgencyId, unit: str, year: int, days: Sequence[DayOff]
) -> None:
    """Set all regional days off of one unit (or the whole agency, '') and year, as one change.

    Of two at once the later one stands, and not what both of them left.
    """
    async with connection.transaction():
        await connection.execute(LOCK, (agency,))
        await connection.execute(CLEAR, (agency, unit, date(year, 1, 1), date(year, 12, 31)))
        await connection.execute(
            SET, (agency, unit, [day.on for day in days], [day.name for day in days])
        )


async def regional(
    connection: Connection, agency: AgencyId, units: Collection[str], years: Sequence[int]
) -> dict[str, tuple[DayOff, ...]]:
    """Return the days off of each unit, those of the whole agency included, by date."""
    first, last = date(min(years), 1, 1), date(max(years), 12, 31)
    rows = await connection.execute(REGIONAL, (agency, list(units), first, last))
    found: dict[str, list[DayOff]] = {unit: [] for unit in units}
    for unit, on, name in await rows.fetchall():
        for each in found if unit == WHOLE_AGENCY else (unit,):
            found[each].append(DayOff(on=on, name=name))
    return {unit: tuple(sorted(days, key=lambda day: day.on)) for unit, days in found.items()}


async def keep_calendar(
    connection: Connection, agency: AgencyId, digest: Digest, calendar: Calendar
) -> None:
    """Store a snapshot under its digest, once."""
    await connection.execute(KEEP, (agency, digest, calendar.model_dump_json()))


async def calendar(connection: Connection, agency: AgencyId, digest: Digest) -> Calendar | None:
    """Return the snapshot of that digest."""
    row = await (await connection.execute(PINNED, (agency, digest))).fetchone()
    return Calendar.model_validate_json(row[0]) if row else None
