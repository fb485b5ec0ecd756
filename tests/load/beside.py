"""What the same machine does with next to nothing: the floor, asked as hard as the product.

Both are driven without pauses, one after the other and in turn, on the same servers.
"""

import asyncio
import itertools
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import psycopg
from temporalio.client import Client

from siklus.v1 import commands_year_pb2 as year
from tests.bench import floors
from tests.bench.servers import FLOOR_DATABASE, Program
from tests.e2e.people import Person
from tests.served import Served

AT_ONCE: Final = 50
ROUNDS: Final = 3
SECONDS: Final = 8.0

Decide = Callable[[int, int], Awaitable[object]]
"""Takes the number of an evaluation and of a decision on it."""


async def ratio_to_the_floor(served: Served, people: Sequence[Person]) -> str:
    """Return decisions a second of the product over those of the floor, told in a line."""
    async with floor(served) as bare:
        opened = await bare.opened(AT_ONCE)
        sides: tuple[Decide, Decide] = (
            lambda n, number: reported(people[n]),
            lambda n, number: bare.decide(opened[n], number, "x" * floors.TEXT_BYTES),
        )
        numbers = itertools.count(1)
        rates = [[await _rate(side, numbers) for side in sides] for _ in range(ROUNDS)]
    ratios = [product / least for product, least in rates]
    product, least = (statistics.median(each) for each in zip(*rates, strict=True))
    return (
        f"  beside the floor, {AT_ONCE} at once without a pause: {product:.0f} to {least:.0f} "
        f"decisions/s, {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


async def reported(person: Person) -> None:
    """Report progress with as much text as a form of the floor has."""
    report = year.ReportProgressRequest(indicator="antrean", note="x" * floors.TEXT_BYTES)
    await person.gives(report)


async def _rate(decide: Decide, numbers: "itertools.count[int]") -> float:
    until, started, done = monotonic() + SECONDS, monotonic(), 0

    async def one_after_another(n: int) -> None:
        nonlocal done
        while monotonic() < until:
            await decide(n, next(numbers))
            done += 1

    await asyncio.gather(*(one_after_another(n) for n in range(AT_ONCE)))
    return done / (monotonic() - started)


@asynccontextmanager
async def floor(served: Served) -> AsyncIterator[floors.Floor]:
    """Run the floor's worker on the servers of the stack, in a database of its own."""
    stack = served.stack
    async with await psycopg.AsyncConnection.connect(
        stack.postgres.superuser_url, autocommit=True
    ) as superuser:
        await superuser.execute(f"CREATE DATABASE {FLOOR_DATABASE} OWNER siklus_app".encode())
    url = stack.postgres.url("siklus_app", FLOOR_DATABASE)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(floors.TABLES)
    given = (stack.temporal.address, url, "0")
    log = stack.folder / "floor.log"
    worker = Program("floor worker", ("-m", "tests.bench.floors", "worker", *given), log, {})
    try:
        await worker.ready()
        client = await Client.connect(stack.temporal.address)
        database = await floors.Database(url).open()
        async with stack.channel() as channel:
            yield floors.Floor(client, database, channel)
    finally:
        await worker.stop()
