"""The panels that were appointed to decide appeals, and who of them works there now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import lines
from siklus.activities.store.queries.lines import HIGHEST, UNITS_UP
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

COLUMNS = "number, unit, members, reason, appointed_by, appointed_at"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('panels of ' || %s || ' ' || %s, 0))"
APPOINT = f"""
    INSERT INTO appeal_panel (agency, cycle, {COLUMNS})
    SELECT %(agency)s::text, %(cycle)s::text, coalesce(max(number), 0) + 1, %(unit)s::text,
        %(members)s::text[], %(reason)s::text, %(by)s::text, %(at)s::timestamptz
    FROM appeal_panel WHERE agency = %(agency)s AND cycle = %(cycle)s
    RETURNING {COLUMNS}
"""  # noqa: S608 - constants alone
PAGE = f"""
    SELECT {COLUMNS} FROM appeal_panel
    WHERE agency = %s AND cycle = %s AND number < %s ORDER BY number DESC LIMIT %s
"""  # noqa: S608 - constants alone
NEAREST = f"""
    {UNITS_UP}
    SELECT {COLUMNS} FROM appeal_panel AS panel LEFT JOIN up ON up.code = panel.unit
    WHERE panel.agency = %(agency)s AND panel.cycle = %(cycle)s
        AND (panel.unit = '' OR up.code IS NOT NULL)
    ORDER BY up.level NULLS LAST, panel.number DESC LIMIT 1
"""  # noqa: S608 - constants alone
UNIT = """
    SELECT unit FROM evaluation WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s
        AND EXISTS (SELECT FROM appeal_panel AS panel
            WHERE panel.agency = evaluation.agency AND panel.cycle = evaluation.cycle)
"""


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One appointment."""

    number: int
    unit: str
    members: list[PersonId]
    reason: str
    appointed_by: str
    appointed_at: datetime


async def appoint(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    unit: str,
    members: Sequence[str],
    *,
    reason: str,
    by: str,
    at: datetime,
) -> PanelRow:
    """Write an appointment down beside the earlier ones of its cycle."""
    values = {
        "agency": agency,
        "cycle": cycle,
        "unit": unit,
        "members": list(members),
        "reason": reason,
        "by": by,
        "at": at,
    }
    await connection.execute(LOCK, (agency, cycle))
    async with connection.cursor(row_factory=args_row(PanelRow)) as cursor:
        row = await (await cursor.execute(APPOINT, values)).fetchone()
    assert row is not None  # noqa: S101 - RETURNING always gives the one row
    return row


async def page(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, before: int, limit: int
) -> list[PanelRow]:
    """Return appointments of a cycle, the newest first."""
    async with connection.cursor(row_factory=args_row(PanelRow)) as cursor:
        return await (await cursor.execute(PAGE, (agency, cycle, before, limit))).fetchall()


async def nearest(
    connection: Connection, agency: AgencyId, cycle: CycleId, unit: str
) -> PanelRow | None:
    """Return the newest appointment of a unit, or of the nearest above it that has one."""
    values = {"agency": agency, "cycle": cycle, "unit": unit, "highest": HIGHEST}
    async with connection.cursor(row_factory=args_row(PanelRow)) as cursor:
        return await (await cursor.execute(NEAREST, values)).fetchone()


async def for_evaluation(connection: Connection, key: EvaluationKey) -> PanelRow | None:
    """Return the panel to which an evaluation's appeal is given."""
    row = await (await connection.execute(UNIT, key_parts(key))).fetchone()
    return await nearest(connection, key.agency, key.cycle, row[0]) if row else None


async def active(
    connection: Connection, agency: AgencyId, people: Sequence[PersonId]
) -> tuple[PersonId, ...]:
    """Return who of these people works in the agency now, in their order."""
    working = await lines.at_work(connection, agency, people)
    return tuple(who for who in people if who in working)
