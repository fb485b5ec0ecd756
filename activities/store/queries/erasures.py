"""Erasures of one person's texts: what may be erased, and that it was."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

# Locked, so that no projection brings one back to life, or adds a text, while its key goes.
EVALUATIONS = """
    SELECT cycle, segment, ended FROM evaluation WHERE agency = %s AND person = %s
    ORDER BY cycle, segment FOR UPDATE
"""
KNOWN = "SELECT EXISTS (SELECT FROM person WHERE agency = %s AND person = %s)"
KEEP = """
    INSERT INTO erasure (agency, person, evaluations, actor, reason, erased_at)
    VALUES (%s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """One evaluation of the person, and whether it has ended."""

    cycle: CycleId
    segment: int
    ended: bool

    def key(self, agency: AgencyId, person: PersonId) -> EvaluationKey:
        """Return its key."""
        return EvaluationKey(agency=agency, cycle=self.cycle, person=person, segment=self.segment)


async def evaluations_of(
    connection: Connection, agency: AgencyId, person: PersonId
) -> list[Standing]:
    """Return the person's evaluations, which stay as they are until the transaction ends."""
    async with connection.cursor(row_factory=args_row(Standing)) as cursor:
        return await (await cursor.execute(EVALUATIONS, (agency, person))).fetchall()


async def is_known(connection: Connection, agency: AgencyId, person: PersonId) -> bool:
    """Tell whether the roster has such a person."""
    row = await (await connection.execute(KNOWN, (agency, person))).fetchone()
    return bool(row and row[0])


async def keep(
    connection: Connection,
    agency: AgencyId,
    person: PersonId,
    *,
    evaluations: int,
    actor: str,
    reason: str,
    at: datetime,
) -> None:
    """Record an erasure, in the transaction that destroys the keys."""
    await connection.execute(KEEP, (agency, person, evaluations, actor, reason, at))
