"""Rounds in which floor and product take turns on the same servers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

import grpc
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from tests.bench.floors import Database, Floor
from tests.bench.measure import Measured, Round, Row, Side, Size
from tests.bench.product import Product
from tests.bench.servers import Servers

WARM_UP = Size(evaluations=30, alone=1, read_seconds=0.5, launched=60, launched_at_once=60)
"""Unmeasured: connections, prepared statements and caches belong to no round."""

Tell = Callable[[str], None]


class Contest:
    """Both sides, ready to be measured."""

    def __init__(self, servers: Servers, floor: Side, product: Side, tell: Tell) -> None:
        self._servers = servers
        self.floor = floor
        self.product = product
        self._tell = tell
        self._prepared: dict[tuple[str, str], Sequence[object]] = {}

    async def rounds(self, row: Row, count: int, size: Size) -> list[Round]:
        """Measure one row that many times."""
        done = []
        for side in (self.floor, self.product):
            await self._measure(row, side, WARM_UP if size == Size() else size)
        self._prepared.clear()
        count = min(count, row.rounds_at_most)
        for number in range(count):
            order = (self.floor, self.product)[:: 1 if number % 2 == 0 else -1]
            found = {side.name: await self._measure(row, side, size) for side in order}
            done.append(Round(order[0].name, found["floor"], found["product"]))
            self._tell(
                f"{row.name} {number + 1}/{count}: floor {done[-1].floor.value:.1f},"
                f" Siklus {done[-1].product.value:.1f} {row.unit}, ratio {done[-1].ratio:.2f}"
            )
        return done

    async def _measure(self, row: Row, side: Side, size: Size) -> Measured:
        prepared = self._prepared.get((row.name, side.name))
        if prepared is None or not row.prepared_once:
            prepared = await row.prepare(side, size)
            self._prepared[row.name, side.name] = prepared
        spent: dict[str, float] = {}
        started = perf_counter()
        async with self._servers.processor_time(spent):
            found = await row.measure(side, size, prepared)
        seconds = round(perf_counter() - started, 3)
        return Measured(found.value, found.operations, seconds, spent)


@asynccontextmanager
async def contest(servers: Servers, tell: Tell) -> AsyncIterator[Contest]:
    """Start both sides."""
    async with AsyncExitStack() as stack:
        tell("starting the worker and the gRPC server of the floor and of Siklus")
        floor_channel = grpc.aio.insecure_channel(await servers.start_floor())
        channel = grpc.aio.insecure_channel(await servers.start_product())
        await stack.enter_async_context(floor_channel)
        await stack.enter_async_context(channel)
        client = await Client.connect(servers.temporal.address)
        floor = Floor(client, await Database(servers.floor_url).open(), floor_channel)
        record = await stack.enter_async_context(await servers.superuser("siklus"))
        product = Product(channel, servers.signing_key, record)
        await product.prepare()
        yield Contest(servers, floor, product, tell)
        if product.behind:
            tell(f"{product.behind} decisions were answered before the record showed them")


async def versions(servers: Servers) -> dict[str, str]:
    """Return which servers the figures were measured on."""
    client = await Client.connect(servers.temporal.address)
    system = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    async with await servers.superuser("postgres") as connection:
        row = await (await connection.execute("SHOW server_version")).fetchone()
    return {"Temporal": system.server_version, "PostgreSQL": str(row[0]) if row else "?"}


def chosen(rows: Sequence[Row], only: str | None) -> list[Row]:
    """Return the rows of that name, or all."""
    return [row for row in rows if only in (None, row.name)]
