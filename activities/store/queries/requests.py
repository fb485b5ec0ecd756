"""Answers to requests that make something, kept for the same request sent again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId

KEPT_FOR = timedelta(days=30)
"""Nobody sends a request again after so long."""
LOCK = """
    SELECT pg_advisory_xact_lock(
        hashtextextended(concat_ws('/', %s::text, %s::text, %s::text, %s::text), 0)
    )
"""
FIND = """
    SELECT body_digest, response FROM request
    WHERE agency = %s AND principal = %s AND method = %s AND request_id = %s
"""
PRUNE = "DELETE FROM request WHERE agency = %s AND answered_at < %s"
KEEP = """
    INSERT INTO request (agency, principal, method, request_id, body_digest, response, answered_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Whose request it is; two people's equal ids are two requests."""

    agency: AgencyId
    principal: str
    method: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and the digest of what had been asked."""

    body_digest: str
    response: bytes


def _parts(key: RequestKey) -> tuple[str, str, str, str]:
    return key.agency, key.principal, key.method, key.request_id


async def find(connection: Connection, key: RequestKey) -> Answer | None:
    """Return the kept answer, None for a new request.

    In a transaction it also keeps the same request, sent twice at once, waiting until its end.
    """
    await connection.execute(LOCK, _parts(key))
    async with connection.cursor(row_factory=args_row(Answer)) as cursor:
        return await (await cursor.execute(FIND, _parts(key))).fetchone()


async def keep(connection: Connection, key: RequestKey, answer: Answer, *, at: datetime) -> None:
    """Keep an answer, in the transaction that makes what it speaks of; the agency's old ones go."""
    await connection.execute(PRUNE, (key.agency, at - KEPT_FOR))
    await connection.execute(KEEP, (*_parts(key), answer.body_digest, answer.response, at))
