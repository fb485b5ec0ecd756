"""People and units as a document shows them."""

from collections.abc import Collection
from dataclasses import dataclass

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId

FACES = """
    SELECT p.person, p.name, p.nip, p.position, u.name FROM person AS p
    JOIN unit AS u ON u.agency = p.agency AND u.code = p.unit
    WHERE p.agency = %s AND p.person = ANY(%s)
"""
UNITS = "SELECT code, name FROM unit WHERE agency = %s AND code = ANY(%s)"
AGENCY = "SELECT name FROM agency WHERE agency = %s"


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One person, their unit by its name."""

    person: str
    name: str
    nip: str
    position: str
    unit: str


async def faces(connection: Connection, agency: AgencyId, who: Collection[str]) -> list[FaceRow]:
    """Return those people, as far as the roster has them."""
    async with connection.cursor(row_factory=args_row(FaceRow)) as cursor:
        return await (await cursor.execute(FACES, (agency, list(who)))).fetchall()


async def unit_names(
    connection: Connection, agency: AgencyId, codes: Collection[str]
) -> dict[str, str]:
    """Return the names of those units by their codes."""
    rows = await (await connection.execute(UNITS, (agency, list(codes)))).fetchall()
    return dict(rows)


async def agency_name(connection: Connection, agency: AgencyId) -> str:
    """Return what the agency is called, its id where nobody said."""
    row = await (await connection.execute(AGENCY, (agency,))).fetchone()
    return str(row[0]) if row and row[0] else str(agency)
