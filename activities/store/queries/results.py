"""A cycle's evaluations with the names that a table of results shows, page by page."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncServerCursor
from psycopg.rows import TupleRow

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId

AT_ONCE = 100
COUNT = "SELECT count(*), max(updated_at) FROM evaluation WHERE agency = %s AND cycle = %s"
RESULTS = """
    SELECT e.document, p.name, p.nip, p.position, u.name, s.name
    FROM evaluation AS e
    LEFT JOIN person AS p ON p.agency = e.agency AND p.person = e.person
    LEFT JOIN person AS s ON s.agency = e.agency AND s.person = e.supervisor
    LEFT JOIN unit AS u ON u.agency = e.agency AND u.code = e.unit
    WHERE e.agency = %s AND e.cycle = %s ORDER BY e.person, e.segment
"""


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One evaluation; `document` is its state as JSON, a name is None where the roster has none."""

    document: str
    name: str | None
    nip: str | None
    position: str | None
    unit: str | None
    supervisor: str | None


class Results:
    """The open list; it ends with the transaction."""

    def __init__(self, cursor: AsyncServerCursor[TupleRow]) -> None:
        self._cursor = cursor

    async def next(self) -> list[ResultRow]:
        """Return the next rows, none at the end."""
        return [ResultRow(*row) for row in await self._cursor.fetchmany(AT_ONCE)]


async def size(
    connection: Connection, agency: AgencyId, cycle: CycleId
) -> tuple[int, datetime | None]:
    """Return how many evaluations a cycle has, and when the newest of them changed."""
    row = await (await connection.execute(COUNT, (agency, cycle))).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


async def begin(connection: Connection, agency: AgencyId, cycle: CycleId) -> Results:
    """Open the list, in the order of person and segment; it needs an open transaction."""
    # In the order of an index, whatever the planner believes of sorting all of it first.
    await connection.execute("SET LOCAL cursor_tuple_fraction = 0.0001")
    cursor = connection.cursor("results")
    return Results(await cursor.execute(RESULTS, (agency, cycle)))
