"""All versions of all policies, page by page."""

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.policies import COLUMNS, PolicyRow
from siklus.workflows.domain.values import AgencyId

PAGE = f"""
    SELECT {COLUMNS} FROM policy
    WHERE agency = %(agency)s
        AND (name > %(name)s OR (name = %(name)s AND version < %(version)s))
    ORDER BY name, version DESC LIMIT %(limit)s
"""  # noqa: S608 - constants alone


async def page(
    connection: Connection, agency: AgencyId, *, name: str = "", version: int = 0, limit: int
) -> list[PolicyRow]:
    """Return the versions after that one: by name, the newest version of each first."""
    values = {"agency": agency, "name": name, "version": version, "limit": limit}
    async with connection.cursor(row_factory=args_row(PolicyRow)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()
