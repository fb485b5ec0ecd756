"""Cycles and how far they are."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.commands import ExclusionGround
from siklus.workflows.domain.stages import ENDED, Stage
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

COLUMNS = """
    cycle, title, year, policy, policy_version, units, top_rater, state, created_at, launched_at,
    positions, named, pace, closed_at
"""
CREATE = f"""
    INSERT INTO cycle (agency, {COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING cycle
"""  # noqa: S608 - constants alone
GET = f"SELECT {COLUMNS} FROM cycle WHERE agency = %s AND cycle = %s"  # noqa: S608
PAGE = f"""
    SELECT {COLUMNS} FROM cycle WHERE agency = %s AND cycle > %s ORDER BY cycle LIMIT %s
"""  # noqa: S608 - constants alone
SAY = """
    INSERT INTO cohort_person (agency, cycle, person, named, ground, from_rating)
    SELECT %s, %s, new.* FROM unnest(%s::text[], %s::bool[], %s::text[], %s::bool[]) AS new
"""
# A cycle that runs, or is paused, stays as it is.
LAUNCHING = """
    UPDATE cycle SET launched_at = coalesce(launched_at, %(at)s),
        pace = coalesce(%(pace)s, pace),
        state = CASE WHEN state IN ('CREATED', 'CANCELLED') THEN 'LAUNCHING' ELSE state END
    WHERE agency = %(agency)s AND cycle = %(cycle)s
"""
# Somebody may have been added meanwhile: the launch goes on for them.
LAUNCHED = """
    UPDATE cycle SET state = 'LAUNCHED'
    WHERE agency = %(agency)s AND cycle = %(cycle)s
        AND state IN ('CREATED', 'LAUNCHING', 'PAUSED') AND NOT EXISTS (
            SELECT FROM member AS m WHERE m.agency = %(agency)s AND m.cycle = %(cycle)s
                AND m.outcome = 'INCLUDED' AND m.started_at IS NULL
        )
"""
STEERED = """
    UPDATE cycle SET state = %s, pace = %s
    WHERE agency = %s AND cycle = %s AND state NOT IN ('LAUNCHED', 'CLOSED')
"""
ADDING = """
    UPDATE cycle SET state = 'LAUNCHING' WHERE agency = %s AND cycle = %s AND state = 'LAUNCHED'
"""
CLOSED = """
    UPDATE cycle SET state = 'CLOSED', closed_at = %s WHERE agency = %s AND cycle = %s
"""
COHORT = """
    SELECT count(*), count(*) FILTER (WHERE outcome = 'INCLUDED' AND started_at IS NOT NULL),
        count(*) FILTER (WHERE outcome = 'EXCLUDED'),
        count(*) FILTER (WHERE outcome = 'INCLUDED' AND started_at IS NULL),
        count(*) FILTER (WHERE outcome = 'CANCELLED')
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
    PAUSED = "PAUSED"
    CANCELLED = "CANCELLED"
    LAUNCHED = "LAUNCHED"
    CLOSED = "CLOSED"


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
    positions: list[str] = field(default_factory=list)
    named: int = 0
    """How many people were named as the only ones; 0 is everybody."""
    pace: int = 0
    """Evaluations started a second at most; 0 is as fast as can be."""
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one person before a launch."""

    person: PersonId
    named: bool = False
    ground: ExclusionGround | None = None
    from_rating: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """A cycle in numbers; all 0 before the launch."""

    cohort: int
    """Everybody who was judged at the launch."""
    started: int
    excluded: int
    waiting: int
    """In, and not started."""
    cancelled: int
    stages: dict[str, int]

    @property
    def open(self) -> int:
        """Evaluations that have not ended."""
        return sum(count for stage, count in self.stages.items() if Stage(stage) not in ENDED)


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
        new.positions,
        new.named,
        new.pace,
        new.closed_at,
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


async def say(
    connection: Connection, agency: AgencyId, cycle: CycleId, said: Collection[Said]
) -> None:
    """Keep what a new cycle says of people, each once."""
    columns = (
        [each.person for each in said],
        [each.named for each in said],
        [each.ground.value if each.ground else None for each in said],
        [each.from_rating for each in said],
    )
    await connection.execute(SAY, (agency, cycle, *columns))


async def launching(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    *,
    at: datetime,
    pace: int | None = None,
) -> None:
    """Note that evaluations are being started, at a pace where one is given.

    The first time and a finished launch are kept.
    """
    values = {"agency": agency, "cycle": cycle, "at": at, "pace": pace}
    await connection.execute(LAUNCHING, values)


async def steered(
    connection: Connection, agency: AgencyId, cycle: CycleId, state: CycleState, pace: int
) -> None:
    """Note how a launch stands that is under way; one that is over stays so."""
    await connection.execute(STEERED, (state.value, pace, agency, cycle))


async def adding(connection: Connection, agency: AgencyId, cycle: CycleId) -> None:
    """Note that evaluations are being started again in a launched cycle."""
    await connection.execute(ADDING, (agency, cycle))


async def launched(connection: Connection, agency: AgencyId, cycle: CycleId) -> None:
    """Note that all that could be started were started; nothing while somebody waits."""
    await connection.execute(LAUNCHED, {"agency": agency, "cycle": cycle})


async def close(connection: Connection, agency: AgencyId, cycle: CycleId, *, at: datetime) -> None:
    """Close a cycle."""
    await connection.execute(CLOSED, (at, agency, cycle))


async def progress(connection: Connection, agency: AgencyId, cycle: CycleId) -> Progress:
    """Count a cycle's people, and its evaluations by stage."""
    people = await (await connection.execute(COHORT, (agency, cycle))).fetchone()
    cohort, started, excluded, waiting, cancelled = people or (0, 0, 0, 0, 0)
    stages = await (await connection.execute(STAGES, (agency, cycle))).fetchall()
    return Progress(cohort, started, excluded, waiting, cancelled, dict(stages))
