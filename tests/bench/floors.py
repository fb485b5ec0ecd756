"""The floors: the least work in Temporal, grpc.aio and PostgreSQL that serves the same ends.

Nothing of Siklus is imported here, and a test asserts it. As a program this is the floor's worker
or its gRPC server; `Floor` drives them as `product.Product` drives Siklus, with equal payloads.
"""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from time import perf_counter
from typing import Any, Self

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import grpc
    import psycopg
    import uvloop
    from google.protobuf.wrappers_pb2 import StringValue
    from temporalio.client import Client
    from temporalio.worker import Worker

QUEUE = "floor"
CONNECTIONS = 10
LAUNCH_SECONDS = 900
PAGE_SIZE = 200
STARTS_AT_ONCE = 20
"""Page size and starts in flight of a launch, as in the product."""

TEXT_BYTES = 1500
"""Text of one form."""
START_BYTES = 1450
"""Input of a start, as the product's codec writes it."""
RECEIPT_BYTES = 345
"""Answer to a decision."""
DOCUMENT_BYTES = 2100
"""What the row of an evaluation holds."""
VIEW_BYTES = 260
"""What a read answers of it."""

READ = "/floor.Floor/Get"
TABLES = """
    CREATE TABLE IF NOT EXISTS decision (
        evaluation text, number int, body text, PRIMARY KEY (evaluation, number)
    );
    CREATE TABLE IF NOT EXISTS evaluation (name text PRIMARY KEY, document text);
"""
INSERT = "INSERT INTO decision VALUES (%s, %s, %s)"
SELECT = "SELECT document FROM evaluation WHERE name = %s"
FIRST_ROWS = """
    SELECT count(*) FROM decision WHERE evaluation > %s AND evaluation < %s AND number = 0
"""

Json = dict[str, Any]


@workflow.defn(name="FloorEvaluation")
class FloorEvaluation:
    """One INSERT at the start, one for each update."""

    def __init__(self) -> None:
        self.number = 0

    @workflow.run
    async def run(self, begin: Json) -> None:
        await self._insert(0, begin["first"])
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def decide(self, order: Json) -> Json:
        self.number += 1
        number = self.number
        await self._insert(number, order["text"])
        return {"number": number, "receipt": order["receipt"]}

    async def _insert(self, number: int, body: str) -> None:
        await workflow.execute_local_activity(
            "insert",
            args=[workflow.info().workflow_id, number, body],
            start_to_close_timeout=timedelta(seconds=10),
        )


@workflow.defn(name="FloorLaunch")
class FloorLaunch:
    """Starts evaluations from page activities, one page after the other."""

    @workflow.run
    async def run(self, prefix: str, count: int) -> None:
        for first in range(0, count, PAGE_SIZE):
            await workflow.execute_activity(
                "start_page",
                args=[prefix, first, min(PAGE_SIZE, count - first)],
                start_to_close_timeout=timedelta(minutes=5),
            )


class Database:
    """A handful of connections, handed out one by one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: asyncio.LifoQueue[psycopg.AsyncConnection[Any]] = asyncio.LifoQueue()

    async def open(self) -> Self:
        for _ in range(CONNECTIONS):
            connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, prepare_threshold=2
            )
            self._idle.put_nowait(connection)
        return self

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        connection = await self._idle.get()
        try:
            yield connection
        finally:
            self._idle.put_nowait(connection)


class Activities:
    """What the floor's worker does."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database

    @activity.defn
    async def insert(self, evaluation: str, number: int, body: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(INSERT, (evaluation, number, body))

    @activity.defn
    async def start_page(self, prefix: str, first: int, count: int) -> None:
        await start_all(self._client, [f"{prefix}{n}" for n in range(first, first + count)])


async def start_all(client: Client, names: Sequence[str]) -> None:
    """Start evaluations, a bounded number at once."""
    slots = asyncio.Semaphore(STARTS_AT_ONCE)
    begin = {"first": "x" * START_BYTES}

    async def start(name: str) -> None:
        async with slots:
            await client.start_workflow("FloorEvaluation", begin, id=name, task_queue=QUEUE)

    await asyncio.gather(*map(start, names))


class Floor:
    """Drives the floor from the load generator."""

    name = "floor"

    def __init__(self, client: Client, database: Database, channel: grpc.aio.Channel) -> None:
        self._client = client
        self._database = database
        self._read: Any = channel.unary_unary(READ)
        self._number = 0

    async def opened(self, count: int) -> list[str]:
        """Return evaluations that wait for their first decision."""
        prefix = self._prefix()
        names = [f"{prefix}{n}" for n in range(count)]
        await start_all(self._client, names)
        async with asyncio.timeout(LAUNCH_SECONDS):
            await self._rows(prefix, count)
        return names

    async def decide(self, evaluation: str, number: int, text: str) -> None:
        """Send one decision and wait for its answer."""
        receipt = "x" * RECEIPT_BYTES
        handle = self._client.get_workflow_handle(evaluation)
        await handle.execute_update(
            "decide", {"text": text, "receipt": receipt}, id=f"{evaluation}/{number}"
        )

    async def readable(self, count: int) -> list[bytes]:
        """Return requests for `count` rows that are there."""
        prefix = self._prefix()
        names = [f"{prefix}{n}" for n in range(count)]
        async with self._database.connection() as connection, connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO evaluation VALUES (%s, %s)",
                [(name, "x" * DOCUMENT_BYTES) for name in names],
            )
        return [StringValue(value=name).SerializeToString() for name in names]

    async def read(self, request: bytes) -> int:
        """Send one read; return the bytes of the answer."""
        return len(await self._read(request))

    async def enrol(self, count: int) -> None:
        """Have that many people ready to be launched: the floor has no people."""

    async def launch(self, count: int) -> float:
        """Start evaluations from page activities; return seconds to the last first row."""
        prefix, started = self._prefix(), perf_counter()
        await self._client.start_workflow(
            "FloorLaunch", args=[prefix, count], id=f"{prefix}launch", task_queue=QUEUE
        )
        async with asyncio.timeout(LAUNCH_SECONDS):
            await self._rows(prefix, count)
        return perf_counter() - started

    def _prefix(self) -> str:
        self._number += 1
        return f"{uuid.uuid4().hex[:12]}/{self._number}/"

    async def _rows(self, prefix: str, count: int) -> None:
        async with self._database.connection() as connection:
            while True:
                cursor = await connection.execute(FIRST_ROWS, (prefix, f"{prefix}~"))
                row = await cursor.fetchone()
                if row is not None and row[0] >= count:
                    return
                await asyncio.sleep(0.05)


async def work(temporal: str, url: str, _: str) -> None:
    """Serve the queue until killed."""
    client = await Client.connect(temporal)
    activities = Activities(client, await Database(url).open())
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[FloorEvaluation, FloorLaunch],
        activities=[activities.insert, activities.start_page],
    ):
        print("ready", flush=True)
        await asyncio.Event().wait()


async def serve(_: str, url: str, port: str) -> None:
    """Answer reads until killed."""
    database = await Database(url).open()

    async def get(request: StringValue, _: Any) -> StringValue:
        async with database.connection() as connection:
            cursor = await connection.execute(SELECT, (request.value,))
            row = await cursor.fetchone()
        return StringValue(value=row[0][:VIEW_BYTES] if row else "")

    handler = grpc.unary_unary_rpc_method_handler(
        get,
        request_deserializer=StringValue.FromString,
        response_serializer=StringValue.SerializeToString,
    )
    service, _, method = READ[1:].partition("/")
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {method: handler})]
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run({"worker": work, "server": serve}[sys.argv[1]](*sys.argv[2:]))
    os._exit(0)
