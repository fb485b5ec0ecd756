"""The members of a launched cycle: who waits, who was started, who is out, and who joins late."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.cohort import JUDGED, lock
from siklus.workflows.domain.cohort import LeftOut, Standing
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

# The evaluation's row and not only our mark: a worker may have died between the two.
WAITING = """
    SELECT m.person, p.unit, p.joined_on, u.zone, u.weekdays, m.segment, m.from_rating, m.added_at,
        EXISTS (SELECT FROM evaluation AS e WHERE e.agency = m.agency AND e.cycle = m.cycle
            AND e.person = m.person AND e.segment = m.segment)
    FROM member AS m
    JOIN person AS p ON p.agency = m.agency AND p.person = m.person
    JOIN unit AS u ON u.agency = p.agency AND u.code = p.unit
    WHERE m.agency = %s AND m.cycle = %s AND m.outcome = 'INCLUDED' AND m.started_at IS NULL
        AND m.person > %s
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
CANCEL_WAITING = """
    UPDATE member SET outcome = 'CANCELLED'
    WHERE agency = %s AND cycle = %s AND outcome = 'INCLUDED' AND started_at IS NULL
"""
UNRECORDED = """
    SELECT count(*) FROM member AS m
    WHERE m.agency = %s AND m.cycle = %s AND m.outcome = 'INCLUDED' AND m.started_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM evaluation AS e WHERE e.agency = m.agency
            AND e.cycle = m.cycle AND e.person = m.person AND e.segment >= m.segment)
"""
PAGE = """
    SELECT m.person, p.name, p.unit, m.outcome, m.reason, m.segment, m.from_rating, m.started_at,
        m.added_at
    FROM member AS m LEFT JOIN person AS p ON p.agency = m.agency AND p.person = m.person
    WHERE m.agency = %s AND m.cycle = %s AND m.person > %s AND {}
    ORDER BY m.person LIMIT %s
"""
STANDINGS = f"""
    {JUDGED}
    SELECT wanted.person, judged.person IS NOT NULL, judged.reason,
        m.outcome = 'INCLUDED' AND m.started_at IS NULL,
        CASE WHEN m.started_at IS NOT NULL THEN m.segment END, newest.segment, newest.stage
    FROM unnest(%(people)s::text[]) WITH ORDINALITY AS wanted (person, place)
    LEFT JOIN judged ON judged.person = wanted.person
    LEFT JOIN member AS m ON m.agency = %(agency)s AND m.cycle = %(cycle)s
        AND m.person = wanted.person
    LEFT JOIN LATERAL (
        SELECT e.segment, e.stage FROM evaluation AS e
        WHERE e.agency = %(agency)s AND e.cycle = %(cycle)s AND e.person = wanted.person
        ORDER BY e.segment DESC LIMIT 1
    ) AS newest ON true
    ORDER BY wanted.place
"""  # noqa: S608 - constants alone
ADD = """
    INSERT INTO member (agency, cycle, person, outcome, segment, from_rating, added_at)
    SELECT %(agency)s, %(cycle)s, new.person, 'INCLUDED', new.segment, %(from_rating)s, %(at)s
    FROM unnest(%(people)s::text[], %(segments)s::int[]) AS new (person, segment)
    ON CONFLICT (agency, cycle, person) DO UPDATE SET outcome = 'INCLUDED', reason = NULL,
        started_at = NULL, segment = excluded.segment, from_rating = excluded.from_rating,
        added_at = excluded.added_at
"""


class Outcome(StrEnum):
    """What became of a member."""

    WAITING = "WAITING"
    STARTED = "STARTED"
    EXCLUDED = "EXCLUDED"
    CANCELLED = "CANCELLED"


_CONDITIONS: Final = {
    None: "true",
    Outcome.WAITING: "m.outcome = 'INCLUDED' AND m.started_at IS NULL",
    Outcome.STARTED: "m.outcome = 'INCLUDED' AND m.started_at IS NOT NULL",
    Outcome.EXCLUDED: "m.outcome = 'EXCLUDED'",
    Outcome.CANCELLED: "m.outcome = 'CANCELLED'",
}


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """Somebody to start, with what the roster says of them today."""

    person: PersonId
    unit: str
    joined_on: date | None
    zone: str
    weekdays: list[int]
    segment: int
    from_rating: bool
    added_at: datetime | None
    met: bool
    """The evaluation is there already: only the mark is missing."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member; the roster may not have the person any more."""

    person: PersonId
    name: str | None
    unit: str | None
    outcome: str
    reason: str | None
    segment: int
    from_rating: bool
    started_at: datetime | None
    added_at: datetime | None

    @property
    def became(self) -> Outcome:
        """What became of the member."""
        if self.outcome != "INCLUDED":
            return Outcome(self.outcome)
        return Outcome.WAITING if self.started_at is None else Outcome.STARTED


async def waiting(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, after: str, limit: int
) -> list[WaitingRow]:
    """Return the next people who are in and have not been started, by id."""
    async with connection.cursor(row_factory=args_row(WaitingRow)) as cursor:
        return await (await cursor.execute(WAITING, (agency, cycle, after, limit))).fetchall()


async def page(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    outcome: Outcome | None,
    *,
    after: str = "",
    limit: int,
) -> list[MemberRow]:
    """Return the next members by person id; those of one outcome, or all."""
    query = PAGE.format(_CONDITIONS[outcome])
    async with connection.cursor(row_factory=args_row(MemberRow)) as cursor:
        values = (agency, cycle, after, limit)
        return await (await cursor.execute(query.encode(), values)).fetchall()


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


async def cancel_waiting(connection: Connection, agency: AgencyId, cycle: CycleId) -> int:
    """Note of everybody who has not been started that the launch was cancelled; return how many."""
    return (await connection.execute(CANCEL_WAITING, (agency, cycle))).rowcount


async def unrecorded(connection: Connection, agency: AgencyId, cycle: CycleId) -> int:
    """Count the people who were started and whose newest evaluation is not on record yet."""
    row = await (await connection.execute(UNRECORDED, (agency, cycle))).fetchone()
    return int(row[0]) if row else 0


async def standings(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    people: Sequence[PersonId],
    *,
    ends_on: date,
) -> list[tuple[PersonId, Standing]]:
    """Return how those people stand in a cycle, in their order.

    Within a transaction no other addition comes in between.
    """
    await lock(connection, agency, cycle)
    asked = {
        "agency": agency, "cycle": cycle, "ends_on": ends_on, "added": True,
        "people": list(people),
    }  # fmt: skip
    rows = await (await connection.execute(STANDINGS, asked)).fetchall()
    return [
        (
            person,
            Standing(
                judged=LeftOut(reason) if reason else None if known else LeftOut.NOT_IN_ROSTER,
                waiting=bool(waits),
                started_segment=started or 0,
                segment=segment or 0,
                stage=Stage(stage) if stage else None,
            ),
        )
        for person, known, reason, waits, started, segment, stage in rows
    ]


async def add(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    segments: dict[PersonId, int],
    *,
    from_rating: bool,
    at: datetime,
) -> None:
    """Add those people, each with the segment to start."""
    values = {
        "agency": agency, "cycle": cycle, "from_rating": from_rating, "at": at,
        "people": list(segments), "segments": list(segments.values()),
    }  # fmt: skip
    await connection.execute(ADD, values)
