"""The feed of one agency: what was recorded, in the one order that everybody sees.

Positions only grow: whoever has seen one never meets a smaller one that is new. They have gaps,
which are other agencies' events. Every function works on a connection that one agency was set on.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

# The page first, and then each of its events by key: inner limits and offsets hold the planner to
# it. With old statistics, or none, as after a restore, it would look up all that the agency ever
# recorded for each page, and the store would not answer in time.
# An event may have been superseded since it got its position; then it lies aside.
AFTER = """
    SELECT next.position, next.agency, next.cycle, next.person, next.segment, next.number,
        next.hash, told.kind, told.occurred_at, told.recorded_at, told.actor,
        coalesce(told.stage, now.stage), coalesce(told.unit, now.unit),
        coalesce(told.supervisor, now.supervisor), now.participants, told.superseded
    FROM (
        SELECT position, agency, cycle, person, segment, number, hash FROM feed
        WHERE agency = (SELECT current_setting('siklus.agency')) AND position > %s
        ORDER BY position LIMIT %s
    ) AS next
    CROSS JOIN LATERAL (
        SELECT kind, occurred_at, recorded_at, actor, stage, unit, supervisor, false AS superseded
        FROM event WHERE agency = next.agency AND cycle = next.cycle AND person = next.person
            AND segment = next.segment AND number = next.number AND hash = next.hash
        UNION ALL
        SELECT kind, occurred_at, recorded_at, actor, stage, unit, supervisor, true
        FROM superseded WHERE agency = next.agency AND cycle = next.cycle
            AND person = next.person AND segment = next.segment AND number = next.number
            AND hash = next.hash
        OFFSET 0
    ) AS told
    CROSS JOIN LATERAL (
        SELECT stage, unit, supervisor, participants FROM evaluation
        WHERE agency = next.agency AND cycle = next.cycle AND person = next.person
            AND segment = next.segment
        OFFSET 0
    ) AS now
    ORDER BY next.position
"""
HEAD = """
    SELECT coalesce(max(position), 0) FROM feed
    WHERE agency = (SELECT current_setting('siklus.agency'))
"""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One recorded event at its position, as it may be told to others: ids alone, no texts."""

    position: int
    agency: AgencyId
    cycle: CycleId
    person: PersonId
    segment: int
    number: int
    hash: str
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    stage: str
    """This, unit and supervisor as they were when it was recorded."""
    unit: str
    supervisor: str
    participants: list[str]
    """Everybody who has, or had, a part in the evaluation by now: they may see this."""
    superseded: bool
    """Another event took its place since: what wrote this one was lost before it counted."""

    @property
    def key(self) -> EvaluationKey:
        """The evaluation that it belongs to."""
        return EvaluationKey(
            agency=self.agency, cycle=self.cycle, person=self.person, segment=self.segment
        )


async def after(connection: Connection, position: int, limit: int) -> list[FeedRow]:
    """Return the agency's next rows in their order; fewer than `limit` means that these are all."""
    async with connection.cursor(row_factory=args_row(FeedRow)) as cursor:
        return await (await cursor.execute(AFTER, (position, limit))).fetchall()


async def head(connection: Connection) -> int:
    """Return the agency's last position, 0 before its first."""
    row = await (await connection.execute(HEAD)).fetchone()
    return int(row[0]) if row else 0
