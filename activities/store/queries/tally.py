"""Counting what a cycle came to, so that what people were told can be held against the record.

Every function works on a connection that one agency was set on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, Digest, EvaluationKey

EVALUATIONS = """
    SELECT count(*), count(*) FILTER (WHERE stage = 'COMPLETED')
    FROM evaluation WHERE agency = %s AND cycle = %s
"""
MEMBERS = """
    SELECT count(*) FILTER (WHERE started_at IS NOT NULL) FROM member
    WHERE agency = %s AND cycle = %s
"""
APPEALS = """
    SELECT count(*) FROM event WHERE agency = %s AND cycle = %s AND kind = 'appeal_filed'
"""
MAILS = """
    SELECT count(DISTINCT mail_key) FILTER (WHERE state = 'SENT'),
           count(*) FILTER (WHERE state = 'SENT'),
           count(*) FILTER (WHERE state = 'PLANNED')
    FROM notice WHERE agency = %s AND cycle = %s
"""
UNKNOWN = """
    SELECT count(*)
    FROM unnest(%s::text[], %s::int[], %s::int[], %s::text[])
        AS receipt (person, segment, number, digest)
    WHERE NOT EXISTS (
        SELECT 1 FROM event
        WHERE event.agency = %s AND event.cycle = %s AND event.person = receipt.person
          AND event.segment = receipt.segment AND event.number = receipt.number
          AND event.command_digest = receipt.digest
    )
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """A cycle in numbers, as the record has it."""

    members: int
    """People of the frozen cohort whose evaluation was started."""
    evaluations: int
    completed: int
    appeals: int
    mails: int
    """Different mails that the ledger has as sent."""
    notices: int
    """Things told in them."""
    waiting: int
    """Things that wait to be told."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a caller was told: this command is that number of that evaluation."""

    key: EvaluationKey
    number: int
    digest: Digest


async def tally(connection: Connection, agency: AgencyId, cycle: CycleId) -> Tally:
    """Return the cycle in numbers."""
    evaluations, completed = await _row(connection, EVALUATIONS, agency, cycle)
    (members,) = await _row(connection, MEMBERS, agency, cycle)
    (appeals,) = await _row(connection, APPEALS, agency, cycle)
    mails, notices, waiting = await _row(connection, MAILS, agency, cycle)
    return Tally(members, evaluations, completed, appeals, mails, notices, waiting)


async def lost(
    connection: Connection, agency: AgencyId, cycle: CycleId, told: Sequence[Acknowledged]
) -> int:
    """Return how many of the things that callers were told are not in the event table."""
    columns = (
        [each.key.person for each in told],
        [each.key.segment for each in told],
        [each.number for each in told],
        [each.digest for each in told],
    )
    (missing,) = await _row(connection, UNKNOWN, *columns, agency, cycle)
    return missing


async def _row(connection: Connection, query: str, *values: object) -> tuple[int, ...]:
    row = await (await connection.execute(query.encode(), values)).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has one
    return tuple(row)
