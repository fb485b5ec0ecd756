"""Lines of superiors and approvers, followed up from people and units."""

from collections.abc import Collection
from dataclasses import dataclass

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

HIGHEST = 40
"""Steps up at most, should a roster ever loop."""
UNITS_UP = """
    WITH RECURSIVE up AS (
        SELECT u.code, u.parent, 0 AS level FROM unit AS u
        WHERE u.agency = %(agency)s AND u.code = %(unit)s
        UNION ALL
        SELECT u.code, u.parent, up.level + 1 FROM up JOIN unit AS u
            ON u.agency = %(agency)s AND u.code = up.parent
        WHERE up.level < %(highest)s
    )
"""
"""A unit, at level 0, and those above it: how a statement begins that looks for the nearest."""
LINES = """
    WITH RECURSIVE line AS (
        SELECT p.person AS below, 0 AS level, p.person,
            CASE WHEN p.top THEN cycle.top_rater ELSE p.supervisor END AS above, p.active
        FROM person AS p
        LEFT JOIN cycle ON cycle.agency = p.agency AND cycle.cycle = %(cycle)s
        WHERE p.agency = %(agency)s AND p.person = ANY(%(people)s)
        UNION ALL
        SELECT line.below, line.level + 1, p.person, p.supervisor, p.active
        FROM line JOIN person AS p ON p.agency = %(agency)s AND p.person = line.above
        WHERE line.level < %(highest)s
    )
    SELECT below, person, active FROM line WHERE level > 0 ORDER BY below, level
"""
# An approver who left is passed over like one who was never named.
APPROVERS = """
    WITH RECURSIVE up AS (
        SELECT u.code AS unit, 0 AS level, u.parent, p.person AS approver
        FROM unit AS u
        LEFT JOIN person AS p ON p.agency = u.agency AND p.person = u.approver AND p.active
        WHERE u.agency = %(agency)s AND u.code = ANY(%(units)s)
        UNION ALL
        SELECT up.unit, up.level + 1, u.parent, p.person
        FROM up JOIN unit AS u ON u.agency = %(agency)s AND u.code = up.parent
        LEFT JOIN person AS p ON p.agency = u.agency AND p.person = u.approver AND p.active
        WHERE up.approver IS NULL AND up.level < %(highest)s
    )
    SELECT unit, approver FROM up WHERE approver IS NOT NULL
"""
AT_WORK = "SELECT person FROM person WHERE agency = %s AND person = ANY(%s) AND active"


@dataclass(frozen=True, slots=True)
class Step:
    """One superior of somebody, nearest first."""

    below: PersonId
    person: PersonId
    active: bool


async def lines(
    connection: Connection,
    agency: AgencyId,
    people: Collection[PersonId],
    *,
    cycle: CycleId | None = None,
) -> dict[PersonId, list[PersonId]]:
    """Return each one's active superiors, nearest first, each once and never themselves.

    With a cycle, above those at the top of a line stands the rater whom the cycle names.
    """
    values = {"agency": agency, "people": list(people), "cycle": cycle, "highest": HIGHEST}
    found: dict[PersonId, list[PersonId]] = {who: [] for who in people}
    async with connection.cursor(row_factory=args_row(Step)) as cursor:
        for step in await (await cursor.execute(LINES, values)).fetchall():
            line = found[step.below]
            if step.active and step.person != step.below and step.person not in line:
                line.append(step.person)
    return found


async def at_work(
    connection: Connection, agency: AgencyId, people: Collection[PersonId]
) -> set[PersonId]:
    """Return those of some people who work in the agency now."""
    rows = await connection.execute(AT_WORK, (agency, list(people)))
    return {person for (person,) in await rows.fetchall()}


async def superior(connection: Connection, agency: AgencyId, who: PersonId) -> PersonId | None:
    """Return the nearest active superior, None at the top of the line."""
    line = (await lines(connection, agency, [who]))[who]
    return line[0] if line else None


async def approvers(
    connection: Connection, agency: AgencyId, units: Collection[str]
) -> dict[str, PersonId]:
    """Return who approves for each unit, its own or of the units above; some may have nobody."""
    values = {"agency": agency, "units": list(units), "highest": HIGHEST}
    return dict(await (await connection.execute(APPROVERS, values)).fetchall())
