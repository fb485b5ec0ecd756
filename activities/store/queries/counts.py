"""How far a cycle's evaluations are: counted in one pass, and the most urgent of them first.

Counted from the rows themselves, over the index that holds all of it: nothing is kept that could
be wrong. Lateness is told from filters over one group, which PostgreSQL counts in parallel; a CASE
to group by costs it twice the time. That the rows are of one agency is left to row-level security
there: said a second time, it becomes a filter over every row instead of a part of the index alone.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

INSIDE = """
    WITH RECURSIVE inside AS (
        SELECT code FROM unit WHERE agency = %(agency)s AND code = %(unit)s
        UNION
        SELECT unit.code FROM unit JOIN inside ON unit.parent = inside.code
        WHERE unit.agency = %(agency)s
    )
"""
OF_UNIT = "AND e.unit IN (SELECT code FROM inside)"
COUNTS = """
    {inside}
    SELECT e.stage, {unit}, count(*), count(e.next_due_at),
        count(*) FILTER (WHERE e.next_due_at <= %(late)s),
        count(*) FILTER (WHERE e.next_due_at <= {soon})
    FROM evaluation AS e WHERE e.cycle = %(cycle)s {of_unit}
    GROUP BY {grouped} ORDER BY {grouped} LIMIT %(limit)s
"""
AT_RISK = """
    {inside}
    , page AS (
        SELECT e.cycle, e.person, e.segment, e.unit, e.stage, e.next_due_at FROM evaluation AS e
        WHERE e.agency = %(agency)s AND e.cycle = %(cycle)s AND e.next_due_at <= %(until)s
            {of_unit} {after}
        ORDER BY e.next_due_at, e.cycle, e.person, e.segment LIMIT %(limit)s
    )
    SELECT page.person, page.segment, p.name, page.unit, page.stage, page.next_due_at,
        waits.kind, waits.holder
    FROM page
    LEFT JOIN person AS p ON p.agency = %(agency)s AND p.person = page.person
    LEFT JOIN LATERAL (
        SELECT t.kind, t.holder FROM task AS t
        WHERE t.agency = %(agency)s AND t.cycle = page.cycle AND t.person = page.person
            AND t.segment = page.segment AND t.due_at = page.next_due_at
        ORDER BY t.task LIMIT 1
    ) AS waits ON true
    ORDER BY page.next_due_at, page.person, page.segment
"""
AFTER = """
    AND (e.next_due_at, e.cycle, e.person, e.segment)
        > (%(after_due)s, %(cycle)s, %(after_person)s, %(after_segment)s)
"""


@dataclass(frozen=True, slots=True)
class Group:
    """The evaluations of one stage, and of one unit where units are told apart."""

    stage: str
    unit: str
    all: int
    dated: int
    """With a due time ahead or past."""
    late: int
    late_or_soon: int


@dataclass(frozen=True, slots=True)
class AtRiskRow:
    """An evaluation whose next deadline is near or past, and what is due."""

    person: PersonId
    segment: int
    name: str | None
    unit: str
    stage: str
    next_due_at: datetime
    task: str | None
    holder: PersonId | None


async def counts(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    *,
    unit: str,
    by_unit: bool,
    late: datetime,
    soon: datetime | None,
    limit: int,
) -> list[Group]:
    """Count a cycle's evaluations by stage; of one unit and those below it, unless it is empty.

    What is due by `late` is late, by `soon` late or due soon; without it nothing is due soon.
    """
    query = COUNTS.format(
        inside=INSIDE if unit else "",
        unit="e.unit" if by_unit else "''",
        grouped="e.stage, e.unit" if by_unit else "e.stage",
        of_unit=OF_UNIT if unit else "",
        # The same filter twice is counted once.
        soon="%(soon)s" if soon else "%(late)s",
    )
    values = {
        "agency": agency, "cycle": cycle, "unit": unit, "late": late, "soon": soon, "limit": limit,
    }  # fmt: skip
    async with connection.cursor(row_factory=args_row(Group)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()


async def at_risk(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    *,
    unit: str,
    until: datetime,
    after: tuple[datetime, str, int] | None,
    limit: int,
) -> list[AtRiskRow]:
    """Return the next evaluations with something due by `until`, the most urgent first."""
    query = AT_RISK.format(
        inside=INSIDE if unit else "WITH nothing AS (SELECT)",
        of_unit=OF_UNIT if unit else "",
        after=AFTER if after else "",
    )
    due, person, segment = after or (None, None, None)
    values = {
        "agency": agency, "cycle": cycle, "unit": unit, "until": until, "limit": limit,
        "after_due": due, "after_person": person, "after_segment": segment,
    }  # fmt: skip
    async with connection.cursor(row_factory=args_row(AtRiskRow)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()
