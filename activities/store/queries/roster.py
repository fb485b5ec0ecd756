"""Units and people: read by key or by page, written in bulk."""

from collections.abc import Collection, Sequence
from datetime import datetime

from psycopg.rows import kwargs_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.roster_people import Directory, Person
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.values import AgencyId, PersonId

UNIT = "code, name, parent, zone, weekdays, approver"
PERSON = """
    person, nip, name, email, unit, position, supervisor, top, language, joined_on, ref, active
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('roster of ' || %s, 0))"
REGISTER = """
    INSERT INTO agency (agency, name, created_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
UNITS = f"""
    SELECT {UNIT} FROM unit WHERE agency = %s AND code > %s ORDER BY code LIMIT %s
"""  # noqa: S608 - constants alone
PUT_UNITS = f"""
    INSERT INTO unit (agency, {UNIT})
    SELECT %s, {UNIT} FROM json_to_recordset(%s) AS new (code text, name text, parent text,
        zone text, weekdays int[], approver text)
    ON CONFLICT (agency, code) DO UPDATE SET name = excluded.name, parent = excluded.parent,
        zone = excluded.zone, weekdays = excluded.weekdays, approver = excluded.approver
"""  # noqa: S608 - constants alone
GET_PERSON = f"SELECT {PERSON} FROM person WHERE agency = %s AND person = %s"  # noqa: S608
PEOPLE = f"""
    SELECT {PERSON} FROM person
    WHERE agency = %(agency)s AND person > %(after)s
        AND (%(unit)s::text IS NULL OR unit = %(unit)s)
        AND (%(supervisor)s::text IS NULL OR supervisor = %(supervisor)s)
    ORDER BY person LIMIT %(limit)s
"""  # noqa: S608 - constants alone
# UNION, not UNION ALL: a line that loops is walked once.
NAMED = f"""
    WITH RECURSIVE named AS (
        SELECT person, supervisor FROM person WHERE agency = %(agency)s
            AND (person = ANY(%(keys)s) OR nip = ANY(%(keys)s) OR ref = ANY(%(keys)s))
        UNION
        SELECT above.person, above.supervisor FROM named
        JOIN person AS above ON above.agency = %(agency)s AND above.person = named.supervisor
    )
    SELECT {PERSON} FROM person WHERE agency = %(agency)s
        AND person IN (SELECT named.person FROM named)
"""  # noqa: S608 - constants alone
PUT_PEOPLE = f"""
    INSERT INTO person (agency, {PERSON})
    SELECT %s, {PERSON} FROM json_to_recordset(%s) AS new (person text, nip text, name text,
        email text, unit text, position text, supervisor text, top boolean, language text,
        joined_on date, ref text, active boolean)
    ON CONFLICT (agency, person) DO UPDATE SET nip = excluded.nip, name = excluded.name,
        email = excluded.email, unit = excluded.unit, position = excluded.position,
        supervisor = excluded.supervisor, top = excluded.top, language = excluded.language,
        joined_on = excluded.joined_on, ref = excluded.ref, active = excluded.active
"""  # noqa: S608 - constants alone
NAMES = "SELECT person, name FROM person WHERE agency = %s AND person = ANY(%s)"
ZONES = "SELECT DISTINCT zone FROM unit WHERE agency = %s ORDER BY zone"


async def lock(connection: Connection, agency: AgencyId) -> None:
    """Keep other imports of the agency out until the transaction ends."""
    await connection.execute(LOCK, (agency,))


async def register(connection: Connection, agency: AgencyId, name: str, *, at: datetime) -> None:
    """Note that the agency exists; once it does, change nothing."""
    await connection.execute(REGISTER, (agency, name, at))


async def units(
    connection: Connection, agency: AgencyId, *, after: str = "", limit: int | None = None
) -> list[Unit]:
    """Return the next units by code; without a limit all of them."""
    async with connection.cursor(row_factory=kwargs_row(Unit)) as cursor:
        return await (await cursor.execute(UNITS, (agency, after, limit))).fetchall()


async def put_units(connection: Connection, agency: AgencyId, new: Sequence[Unit]) -> None:
    """Make or change those units."""
    await connection.execute(PUT_UNITS, (agency, _json(new)))


async def person(connection: Connection, agency: AgencyId, who: PersonId) -> Person | None:
    """Return one person, None if unknown."""
    async with connection.cursor(row_factory=kwargs_row(Person)) as cursor:
        return await (await cursor.execute(GET_PERSON, (agency, who))).fetchone()


async def people(
    connection: Connection,
    agency: AgencyId,
    *,
    unit: str | None = None,
    supervisor: PersonId | None = None,
    after: str = "",
    limit: int,
) -> list[Person]:
    """Return the next people by id, of one unit or supervisor where given."""
    values = {
        "agency": agency,
        "unit": unit,
        "supervisor": supervisor,
        "after": after,
        "limit": limit,
    }
    async with connection.cursor(row_factory=kwargs_row(Person)) as cursor:
        return await (await cursor.execute(PEOPLE, values)).fetchall()


async def directory(connection: Connection, agency: AgencyId, keys: Collection[str]) -> Directory:
    """Return everybody who has one of the keys as id, NIP or ref, with all their superiors."""
    values = {"agency": agency, "keys": list(keys)}
    async with connection.cursor(row_factory=kwargs_row(Person)) as cursor:
        return Directory(await (await cursor.execute(NAMED, values)).fetchall())


async def put_people(connection: Connection, agency: AgencyId, new: Sequence[Person]) -> None:
    """Make or change those people."""
    await connection.execute(PUT_PEOPLE, (agency, _json(new)))


async def names(
    connection: Connection, agency: AgencyId, who: Collection[PersonId]
) -> dict[PersonId, str]:
    """Return the names of those people."""
    rows = await (await connection.execute(NAMES, (agency, list(who)))).fetchall()
    return dict(rows)


async def zones(connection: Connection, agency: AgencyId) -> list[str]:
    """Return the zones in which the agency has units."""
    return [zone for (zone,) in await (await connection.execute(ZONES, (agency,))).fetchall()]


def _json(rows: Sequence[Unit] | Sequence[Person]) -> str:
    return f"[{','.join(row.model_dump_json() for row in rows)}]"
