"""A cycle's cohort: who would be in and why not, the frozen list, and who was started."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId


class LeftOut(StrEnum):
    """Why a person of the agency gets no evaluation."""

    OUTSIDE_UNITS = "OUTSIDE_UNITS"
    INACTIVE = "INACTIVE"
    JOINED_LATER = "JOINED_LATER"
    NO_RATER = "NO_RATER"
    """At the top of a line, and the cycle names nobody else to rate there."""
    UNKNOWN_SUPERVISOR = "UNKNOWN_SUPERVISOR"
    SUPERVISOR_INACTIVE = "SUPERVISOR_INACTIVE"
    ALREADY_STARTED = "ALREADY_STARTED"
    """In a preview alone."""


JUDGED = """
    WITH RECURSIVE asked AS (
        SELECT units, top_rater FROM cycle WHERE agency = %(agency)s AND cycle = %(cycle)s
    ), inside AS (
        SELECT unit.code FROM unit, asked WHERE unit.agency = %(agency)s
            AND (asked.units = '{}' OR unit.code = ANY(asked.units))
        UNION
        SELECT unit.code FROM unit JOIN inside ON unit.parent = inside.code
        WHERE unit.agency = %(agency)s
    ), judged AS (
        SELECT p.person, p.name, p.unit, rater.person AS supervisor, CASE
            WHEN p.unit NOT IN (SELECT code FROM inside) THEN 'OUTSIDE_UNITS'
            WHEN NOT p.active THEN 'INACTIVE'
            WHEN p.joined_on > %(ends_on)s THEN 'JOINED_LATER'
            WHEN rater.person IS NULL AND p.top THEN 'NO_RATER'
            WHEN rater.person IS NULL THEN 'UNKNOWN_SUPERVISOR'
            WHEN NOT rater.active THEN 'SUPERVISOR_INACTIVE'
        END AS reason
        FROM person AS p CROSS JOIN asked
        LEFT JOIN person AS rater ON rater.agency = p.agency AND rater.person =
            CASE WHEN p.top THEN nullif(asked.top_rater, p.person) ELSE p.supervisor END
        WHERE p.agency = %(agency)s
    )
"""
FREEZE = f"""
    {JUDGED}
    INSERT INTO member (agency, cycle, person, outcome, reason)
    SELECT %(agency)s, %(cycle)s, person,
        CASE WHEN reason IS NULL THEN 'INCLUDED' ELSE 'EXCLUDED' END, reason
    FROM judged ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants alone
LOCK = "SELECT FROM cycle WHERE agency = %s AND cycle = %s FOR UPDATE"
FROZEN = "SELECT EXISTS (SELECT FROM member WHERE agency = %s AND cycle = %s)"
INCLUDED = """
    SELECT count(*) FROM member WHERE agency = %s AND cycle = %s AND outcome = 'INCLUDED'
"""
PREVIEW = f"""
    {JUDGED}
    SELECT person, name, unit, supervisor, CASE WHEN EXISTS (
        SELECT FROM evaluation AS e WHERE e.agency = %(agency)s AND e.cycle = %(cycle)s
            AND e.person = judged.person
    ) THEN 'ALREADY_STARTED' ELSE reason END
    FROM judged WHERE person > %(after)s ORDER BY person LIMIT %(limit)s
"""  # noqa: S608 - constants alone
TOTALS = f"""
    {JUDGED}
    SELECT count(*) FILTER (WHERE reason IS NULL AND e.person IS NULL),
        count(*) FILTER (WHERE reason IS NOT NULL OR e.person IS NOT NULL)
    FROM judged LEFT JOIN evaluation AS e ON e.agency = %(agency)s AND e.cycle = %(cycle)s
        AND e.person = judged.person AND e.segment = 1
"""  # noqa: S608 - constants alone
# The evaluation's row and not only our mark: a worker may have died between the two.
PAGE = """
    SELECT m.person, p.unit, p.joined_on, u.zone, u.weekdays, m.started_at IS NOT NULL OR EXISTS (
        SELECT FROM evaluation AS e WHERE e.agency = m.agency AND e.cycle = m.cycle
            AND e.person = m.person)
    FROM member AS m
    JOIN person AS p ON p.agency = m.agency AND p.person = m.person
    JOIN unit AS u ON u.agency = p.agency AND u.code = p.unit
    WHERE m.agency = %s AND m.cycle = %s AND m.outcome = 'INCLUDED' AND m.person > %s
    ORDER BY m.person LIMIT %s
"""
MARK = """
    UPDATE member SET started_at = %s
    WHERE agency = %s AND cycle = %s AND person = ANY(%s) AND started_at IS NULL
"""
LEAVE_OUT = """
    UPDATE member SET outcome = 'EXCLUDED', reason = %s
    WHERE agency = %s AND cycle = %s AND person = ANY(%s) AND started_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a launch would do about one person; `reason` None starts an evaluation."""

    person: PersonId
    name: str
    unit: str
    supervisor: PersonId | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody to start, with what the roster says of them today."""

    person: PersonId
    unit: str
    joined_on: date | None
    zone: str
    weekdays: list[int]
    started: bool


async def freeze(connection: Connection, agency: AgencyId, cycle: CycleId, *, ends_on: date) -> int:
    """Judge everybody once and keep the result; return how many are in, also when repeated."""
    async with connection.transaction():
        await connection.execute(LOCK, (agency, cycle))
        frozen = await (await connection.execute(FROZEN, (agency, cycle))).fetchone()
        if not (frozen and frozen[0]):
            await connection.execute(FREEZE, _asked(agency, cycle, ends_on))
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
    values = {**_asked(agency, cycle, ends_on), "after": after, "limit": limit}
    async with connection.cursor(row_factory=args_row(Judged)) as cursor:
        return await (await cursor.execute(PREVIEW, values)).fetchall()


async def preview_totals(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, ends_on: date
) -> tuple[int, int]:
    """Count the people of the agency who would be started, and all others."""
    row = await (await connection.execute(TOTALS, _asked(agency, cycle, ends_on))).fetchone()
    return (row[0], row[1]) if row else (0, 0)


async def page(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, after: str, limit: int
) -> list[MemberRow]:
    """Return the next people of a frozen cohort who are in, by id."""
    async with connection.cursor(row_factory=args_row(MemberRow)) as cursor:
        return await (await cursor.execute(PAGE, (agency, cycle, after, limit))).fetchall()


async def mark_started(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    people: Collection[PersonId],
    *,
    at: datetime,
) -> None:
    """Note that those people's evaluations were started; the first time is kept."""
    await connection.execute(MARK, (at, agency, cycle, list(people)))


async def leave_out(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    people: Collection[PersonId],
    reason: LeftOut,
) -> None:
    """Take people out of a frozen cohort who cannot be started any more."""
    await connection.execute(LEAVE_OUT, (reason.value, agency, cycle, list(people)))


def _asked(agency: AgencyId, cycle: CycleId, ends_on: date) -> dict[str, object]:
    return {"agency": agency, "cycle": cycle, "ends_on": ends_on}
