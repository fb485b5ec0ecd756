"""Votes of a calibration's panel: each is added, and the newest of a member counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, PersonId

VOTE = """
    INSERT INTO calibration_vote (agency, calibration, number, vote, member, agreed, reason,
        voted_at)
    SELECT %(agency)s::text, %(calibration)s::text, %(number)s::int, count(*) + 1,
        %(by)s::text, %(agreed)s::boolean, %(reason)s::text, %(at)s::timestamptz
    FROM calibration_vote
    WHERE agency = %(agency)s AND calibration = %(calibration)s AND number = %(number)s
"""
VOTES = """
    SELECT DISTINCT ON (number, member) number, member, agreed, reason, voted_at
    FROM calibration_vote WHERE agency = %s AND calibration = %s
    ORDER BY number, member, vote DESC
"""


@dataclass(frozen=True, slots=True)
class VoteRow:
    """What one member of the panel says of a proposal by now."""

    number: int
    """The proposal's."""
    member: PersonId
    agreed: bool
    reason: str
    voted_at: datetime


async def vote(
    connection: Connection,
    agency: AgencyId,
    calibration: str,
    number: int,
    *,
    agreed: bool,
    by: PersonId,
    at: datetime,
    said: str,
) -> None:
    """Add a member's vote; the caller holds the cycle's lock."""
    values = {
        "agency": agency,
        "calibration": calibration,
        "number": number,
        "agreed": agreed,
        "by": by,
        "at": at,
        "reason": said,
    }
    await connection.execute(VOTE, values)


async def votes(connection: Connection, agency: AgencyId, calibration: str) -> Sequence[VoteRow]:
    """Return the votes of a session that count, proposal by proposal."""
    async with connection.cursor(row_factory=args_row(VoteRow)) as cursor:
        return await (await cursor.execute(VOTES, (agency, calibration))).fetchall()
