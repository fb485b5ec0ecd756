"""A cycle's cohort: who would be in and why not, and the frozen list."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.cycles import CycleState
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

# Whoever is added by name passes the filters and what the team said of people before.
JUDGED = """
    WITH RECURSIVE asked AS (
        SELECT units, positions, named, top_rater FROM cycle
        WHERE agency = %(agency)s AND cycle = %(cycle)s
    ), inside AS (
        SELECT unit.code FROM unit, asked WHERE unit.agency = %(agency)s
            AND (asked.units = '{}' OR unit.code = ANY(asked.units))
        UNION
        SELECT unit.code FROM unit JOIN inside ON unit.parent = inside.code
        WHERE unit.agency = %(agency)s
    ), judged AS (
        SELECT p.person, p.name, p.unit, p.active, rater.person AS supervisor,
            coalesce(said.from_rating, false) AS from_rating,
            coalesce(CASE
                WHEN %(added)s THEN NULL
                WHEN p.unit NOT IN (SELECT code FROM inside) THEN 'OUTSIDE_UNITS'
                WHEN asked.positions <> '{}' AND p.position <> ALL(asked.positions)
                    THEN 'OTHER_POSITION'
                WHEN asked.named > 0 AND NOT coalesce(said.named, false) THEN 'NOT_NAMED'
                WHEN p.active THEN CASE said.ground WHEN 'OTHER' THEN 'EXCLUDED_BY_TEAM'
                    ELSE said.ground END
            END, CASE
                WHEN NOT p.active THEN 'INACTIVE'
                WHEN p.joined_on > %(ends_on)s THEN 'JOINED_LATER'
                WHEN rater.person IS NULL AND p.top THEN 'NO_RATER'
                WHEN rater.person IS NULL THEN 'UNKNOWN_SUPERVISOR'
                WHEN NOT rater.active THEN 'SUPERVISOR_INACTIVE'
            END) AS reason
        FROM person AS p CROSS JOIN asked
        LEFT JOIN cohort_person AS said ON said.agency = p.agency AND said.cycle = %(cycle)s
            AND said.person = p.person
        LEFT JOIN person AS rater ON rater.agency = p.agency AND rater.person =
            CASE WHEN p.top THEN nullif(asked.top_rater, p.person) ELSE p.supervisor END
        WHERE p.agency = %(agency)s AND (NOT %(added)s OR p.person = ANY(%(people)s))
    )
"""
FREEZE = f"""
    {JUDGED}
    INSERT INTO member (agency, cycle, person, outcome, reason, from_rating)
    SELECT %(agency)s, %(cycle)s, person,
        CASE WHEN reason IS NULL THEN 'INCLUDED' ELSE 'EXCLUDED' END, reason, from_rating
    FROM judged ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants alone
LOCK = "SELECT state FROM cycle WHERE agency = %s AND cycle = %s FOR UPDATE"
KNOWN = "SELECT person FROM person WHERE agency = %s AND person = ANY(%s)"
REVIVE = """
    UPDATE member SET outcome = 'INCLUDED'
    WHERE agency = %s AND cycle = %s AND outcome = 'CANCELLED'
"""
FROZEN = "SELECT EXISTS (SELECT FROM member WHERE agency = %s AND cycle = %s)"
INCLUDED = """
    SELECT count(*) FROM member WHERE agency = %s AND cycle = %s AND outcome = 'INCLUDED'
"""
# A cohort is frozen once: after that the roster of the day only takes away. The page comes first,
# and LIMIT makes each member a look into the index, also where the store has no statistics yet.
PREVIEW = f"""
    {JUDGED}
    SELECT page.person, page.name, page.unit, page.supervisor, CASE
        WHEN m.started_at IS NOT NULL OR EXISTS (
            SELECT FROM evaluation AS e WHERE e.agency = %(agency)s AND e.cycle = %(cycle)s
                AND e.person = page.person
        ) THEN 'ALREADY_STARTED'
        WHEN NOT %(frozen)s THEN page.reason
        WHEN m.person IS NULL THEN 'NOT_IN_COHORT'
        WHEN m.outcome = 'EXCLUDED' THEN m.reason
        WHEN NOT page.active THEN 'INACTIVE'
    END, coalesce(m.from_rating, page.from_rating)
    FROM (
        SELECT * FROM judged WHERE person > %(after)s ORDER BY person LIMIT %(limit)s
    ) AS page LEFT JOIN LATERAL (
        SELECT * FROM member WHERE agency = %(agency)s AND cycle = %(cycle)s
            AND person = page.person LIMIT 1
    ) AS m ON true
    ORDER BY page.person
"""  # noqa: S608 - constants alone
TOTALS = f"""
    {JUDGED}
    SELECT count(*) FILTER (WHERE reason IS NULL AND e.person IS NULL),
        count(*) FILTER (WHERE reason IS NOT NULL OR e.person IS NOT NULL)
    FROM judged LEFT JOIN evaluation AS e ON e.agency = %(agency)s AND e.cycle = %(cycle)s
        AND e.person = judged.person AND e.segment = 1
"""  # noqa: S608 - constants alone
# NOT IN, because it is always answered from a hash: few have left, and many wait.
FROZEN_TOTALS = """
    WITH waiting AS (
        SELECT count(*) AS people FROM member
        WHERE agency = %(agency)s AND cycle = %(cycle)s AND outcome <> 'EXCLUDED'
            AND started_at IS NULL AND person NOT IN (
                SELECT person FROM person WHERE agency = %(agency)s AND NOT active)
    )
    SELECT people, (SELECT count(*) FROM person WHERE agency = %(agency)s) - people FROM waiting
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a launch would do about one person; `reason` None starts an evaluation."""

    person: PersonId
    name: str
    unit: str
    supervisor: PersonId | None
    reason: str | None
    from_rating: bool


async def known(
    connection: Connection, agency: AgencyId, people: Collection[PersonId]
) -> set[PersonId]:
    """Return those of some people whom the roster has."""
    if not people:
        return set()
    rows = await connection.execute(KNOWN, (agency, list(people)))
    return {person for (person,) in await rows.fetchall()}


async def lock(connection: Connection, agency: AgencyId, cycle: CycleId) -> None:
    """Let nobody else change a cycle's cohort until the transaction ends."""
    await connection.execute(LOCK, (agency, cycle))


async def freeze(connection: Connection, agency: AgencyId, cycle: CycleId, *, ends_on: date) -> int:
    """Judge everybody once and keep the result; return how many are in, also when repeated.

    Whoever an earlier launch left unstarted because it was cancelled is in again. Nobody is in any
    more where the cycle was closed before.
    """
    async with connection.transaction():
        state = await (await connection.execute(LOCK, (agency, cycle))).fetchone()
        if state == (CycleState.CLOSED,):
            return 0
        if not await _is_frozen(connection, agency, cycle):
            await connection.execute(FREEZE, _asked(agency, cycle, ends_on))
        await connection.execute(REVIVE, (agency, cycle))
        row = await (await connection.execute(INCLUDED, (agency, cycle))).fetchone()
        return int(row[0]) if row else 0


async def preview(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    *,
    ends_on: date,
    after: str = "",
    limit: int,
) -> list[Judged]:
    """Return what a launch would do about the next people, by id."""
    frozen = await _is_frozen(connection, agency, cycle)
    values = {**_asked(agency, cycle, ends_on), "frozen": frozen, "after": after, "limit": limit}
    async with connection.cursor(row_factory=args_row(Judged)) as cursor:
        return await (await cursor.execute(PREVIEW, values)).fetchall()


async def preview_totals(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, ends_on: date
) -> tuple[int, int]:
    """Count the people of the agency who would be started, and all others."""
    query = FROZEN_TOTALS if await _is_frozen(connection, agency, cycle) else TOTALS
    row = await (await connection.execute(query, _asked(agency, cycle, ends_on))).fetchone()
    return (row[0], row[1]) if row else (0, 0)


async def _is_frozen(connection: Connection, agency: AgencyId, cycle: CycleId) -> bool:
    row = await (await connection.execute(FROZEN, (agency, cycle))).fetchone()
    return bool(row and row[0])


def _asked(agency: AgencyId, cycle: CycleId, ends_on: date) -> dict[str, object]:
    return {
        "agency": agency, "cycle": cycle, "ends_on": ends_on, "added": False, "people": [],
    }  # fmt: skip
