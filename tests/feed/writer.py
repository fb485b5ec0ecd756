"""Events written by raw connections, without any of our own code that writes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import psycopg

EVALUATION = """
    INSERT INTO evaluation (agency, cycle, person, segment, unit, supervisor, participants, stage,
        revision, policy, policy_version, zone, ended, updated_at, document)
    VALUES (%(agency)s, '2026', %(person)s::text, 1, 'u', 'budi', ARRAY[%(person)s::text, 'budi'],
        'PLAN', 1, 'p', 1, 'Asia/Makassar', false, now(), '{}')
"""
EVENT = """
    INSERT INTO event (agency, cycle, person, segment, number, kind, occurred_at, recorded_at,
        actor, body, hash, run, stage, unit, supervisor)
    VALUES (%(agency)s, '2026', %(person)s, 1, %(number)s, 'plan_submitted', now(), now(), 'x',
        '{}', md5(random()::text), 'r', 'PLAN', 'u', 'budi')
"""

MANY = """
    INSERT INTO event (agency, cycle, person, segment, number, kind, occurred_at, recorded_at,
        actor, body, hash, run, stage, unit, supervisor)
    SELECT %(agency)s, '2026', %(person)s, 1, number, 'plan_submitted', now(), now(), 'x', '{}',
        md5(random()::text), 'r', 'PLAN', 'u', 'budi'
    FROM generate_series(%(first)s::int, %(last)s::int) AS number
"""


class Writer:
    """One connection that writes events of one agency."""

    def __init__(self, connection: psycopg.AsyncConnection, agency: str) -> None:
        self.connection = connection
        self.agency = agency

    async def opens(self, person: str) -> None:
        """Add an evaluation without events."""
        await self.connection.execute(EVALUATION, {"agency": self.agency, "person": person})

    async def writes(self, person: str, number: int) -> None:
        """Add an event; it counts when the transaction around it is committed."""
        values = {"agency": self.agency, "person": person, "number": number}
        await self.connection.execute(EVENT, values)

    async def writes_many(self, person: str, first: int, count: int) -> None:
        """Add so many events at once."""
        values = {"agency": self.agency, "person": person}
        await self.connection.execute(MANY, {**values, "first": first, "last": first + count - 1})


@asynccontextmanager
async def writer(url: str, agency: str) -> AsyncIterator[Writer]:
    """Connect as the application, past all of its code; without a transaction each write counts."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT set_config('siklus.agency', %s, false)", (agency,))
        yield Writer(connection, agency)


async def written_every(
    writer: Writer, person: str, count: int, every: float, *, first: int = 1
) -> dict[int, float]:
    """Write so many events at that pace; return when each was committed."""
    committed, began = {}, monotonic()
    for each in range(count):
        await asyncio.sleep(max(0.0, began + (each + 1) * every - monotonic()))
        await writer.writes(person, first + each)
        committed[first + each] = monotonic()
    return committed
