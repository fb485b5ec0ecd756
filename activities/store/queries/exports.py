"""All evaluations of an agency in their order, handed over page by page within one snapshot."""

from datetime import datetime
from typing import Final, NamedTuple

from psycopg import AsyncServerCursor
from psycopg.rows import TupleRow

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, PersonId

PAGE: Final = 100
"""Rows that are in memory together: a document has 3 KB as a rule, and tens at most."""


class ExportedRow(NamedTuple):
    """One evaluation; `document` is its state as JSON."""

    person: PersonId
    updated_at: datetime
    document: str


class Listed:
    """The open list; it ends with the transaction."""

    def __init__(self, cursor: AsyncServerCursor[TupleRow]) -> None:
        self._cursor = cursor

    async def next(self) -> list[ExportedRow]:
        """Return the next rows, none at the end."""
        return [ExportedRow(*row) for row in await self._cursor.fetchmany(PAGE)]


async def begin(
    connection: Connection, agency: AgencyId, *, cycle: str | None, unit: str | None
) -> Listed:
    """Open the list, in the order of cycle, person and segment; it needs an open transaction."""
    conditions, values = ["agency = %s"], [str(agency)]
    for column, wanted in (("cycle", cycle), ("unit", unit)):
        if wanted is not None:
            conditions.append(f"{column} = %s")
            values.append(wanted)
    query = (
        "SELECT person, updated_at, document FROM evaluation"  # noqa: S608 - constants alone
        f" WHERE {' AND '.join(conditions)} ORDER BY cycle, person, segment"
    )
    # In the order of an index, whatever the planner believes of sorting all of it first.
    await connection.execute("SET LOCAL cursor_tuple_fraction = 0.0001")
    cursor = connection.cursor("exported_evaluations")
    return Listed(await cursor.execute(query.encode(), values))
