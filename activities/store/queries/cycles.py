"""Cycles and how far they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

COLUMNS = """
    cycle, title, year, policy, policy_version, units, top_rater, state, created_at, launched_at
"""
CREATE = f"""
    INSERT INTO cycle (agency, {COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING cycle
"""  # noqa: S608 - constants alone
GET = f"SELECT {COLUMNS} FROM cycle WHERE agency = %s AND cycle = %s"  # noqa: S608
PAGE = f"""
    SELECT {COLUMNS} FROM cycle WHERE agency = %s AND cycle > %s ORDER BY cycle LIMIT %s
"""  # noqa: S608 - constants alone
LAUNCHING = """
    UPDATE cycle SET launched_at = coalesce(launched_at, %s),
        state = CASE WHEN state = 'CREATED' THEN 'LAUNCHING' ELSE state END
    WHERE agency = %s AND cycle = %s
"""
LAUNCHED = "UPDATE cycle SET state = 'LAUNCHED' WHERE agency = %s AND cycle = %s"
COHORT = """
    SELECT count(*), count(started_at), count(*) FILTER (WHERE outcome = 'EXCLUDED')
    FROM member WHERE agency = %s AND cycle = %s
"""
STAGES = """
    SELECT stage, count(*) FROM evaluation WHERE agency = %s AND cycle = %s
    GROUP BY stage ORDER BY stage
"""


class CycleState(StrEnum):
    """Where a cycle stands."""

    CREATED = "CREATED"
    LAUNCHING = "LAUNCHING"
    LAUNCHED = "LAUNCHED"


@dataclass(frozen=True, slots=True)
class CycleRow:
    """One cycle; `units` empty is the whole agency."""

    cycle: CycleId
    title: str
    year: int
    policy: str
    policy_version: int
    units: list[str]
    top_rater: PersonId | None
    state: str
    created_at: datetime
    launched_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A cycle in numbers; all 0 before the launch."""

    cohort: int
    """Everybody who was judged at the launch."""
    started: int
    excluded: int
    stages: dict[str, int]


async def create(connection: Connection, agency: AgencyId, new: CycleRow) -> bool:
    """Add a cycle; False if there is one of that id."""
    values = (
        agency,
        new.cycle,
        new.title,
        new.year,
        new.policy,
        new.policy_version,
        new.units,
        new.top_rater,
        new.state,
        new.created_at,
        new.launched_at,
    )
    return await (await connection.execute(CREATE, values)).fetchone() is not None


async def get(connection: Connection, agency: AgencyId, cycle: CycleId) -> CycleRow | None:
    """Return one cycle, None if unknown."""
    async with connection.cursor(row_factory=args_row(CycleRow)) as cursor:
        return await (await cursor.execute(GET, (agency, cycle))).fetchone()


async def page(
    connection: Connection, agency: AgencyId, *, after: str = "", limit: int
) -> list[CycleRow]:
    """Return the next cycles by id."""
    async with connection.cursor(row_factory=args_row(CycleRow)) as cursor:
        return await (await cursor.execute(PAGE, (agency, after, limit))).fetchall()


async def launching(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, at: datetime
) -> None:
    """Note that evaluations are being started; the first time and a finished launch are kept."""
    await connection.execute(LAUNCHING, (at, agency, cycle))


async def launched(connection: Connection, agency: AgencyId, cycle: CycleId) -> None:
    """Note that all that could be started were started."""
    await connection.execute(LAUNCHED, (agency, cycle))


async def progress(connection: Connection, agency: AgencyId, cycle: CycleId) -> Progress:
    """Count a cycle's people, and its evaluations by stage."""
    people = await (await connection.execute(COHORT, (agency, cycle))).fetchone()
    cohort, started, excluded = people or (0, 0, 0)
    stages = await (await connection.execute(STAGES, (agency, cycle))).fetchall()
    return Progress(cohort, started, excluded, dict(stages))
