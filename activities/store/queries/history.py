"""The events of one evaluation."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.values import EvaluationKey

COLUMNS = """
    number, kind, occurred_at, recorded_at, actor, principal, mandate, request_key, command_digest,
    body, hash
"""
PAGE = f"""
    SELECT {COLUMNS} FROM event
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s AND number > %s
    ORDER BY number LIMIT %s
"""  # noqa: S608 - constants alone


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; `body` is the canonical form of its entry, without the hash that covers it."""

    number: int
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    principal: str | None
    mandate: str | None
    request_key: str | None
    command_digest: str | None
    body: str
    hash: str

    def entry(self) -> Entry:
        """Return the entry as it was recorded."""
        return Entry.model_validate({**json.loads(self.body)["value"], "hash": self.hash})


@asynccontextmanager
async def at_one_instant(connection: Connection) -> AsyncIterator[None]:
    """Have several reads see the same instant."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


async def page(
    connection: Connection, key: EvaluationKey, *, after: int = 0, limit: int
) -> list[EventRow]:
    """Return the next events in their order; `after` is a number."""
    async with connection.cursor(row_factory=args_row(EventRow)) as cursor:
        return await (await cursor.execute(PAGE, (*key_parts(key), after, limit))).fetchall()
