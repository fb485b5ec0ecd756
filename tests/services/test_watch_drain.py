"""A server that shuts down: health says so first, streams end well, and that takes no time."""

import asyncio
from contextlib import AsyncExitStack
from time import monotonic
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from siklus.activities.store.pool import Store
from siklus.services.clock import Clock
from siklus.services.feed.watches import Watches
from siklus.services.local.postgres import LocalPostgres
from siklus.services.server import GRACE_SECONDS, Parts, running_server
from tests.keys import KEYS
from tests.services.desk import verify
from tests.services.watchers import connected, watching

pytestmark = pytest.mark.timeout(60)


async def test_health_says_so_then_streams_end_and_then_the_server(
    store: Store, database: LocalPostgres
) -> None:
    nothing: Any = None
    believing: Any = SimpleNamespace(verify=verify)
    parts = Parts(store, nothing, KEYS, believing, Clock(), feed_url=database.feed_url)
    async with AsyncExitStack() as serving:
        port = await serving.enter_async_context(running_server(parts, "127.0.0.1:0"))
        address = f"127.0.0.1:{port}"
        async with (
            connected(Watches(store, "", Clock()), address) as server,
            grpc.aio.insecure_channel(address) as channel,
        ):
            watch = await watching(server, f"a-{uuid4().hex[:12]}")
            health: Any = health_pb2_grpc.HealthStub(channel)
            told = health.Watch(health_pb2.HealthCheckRequest())
            assert (await told.read()).status == health_pb2.HealthCheckResponse.SERVING

            began = monotonic()
            stopping = asyncio.ensure_future(serving.aclose())
            last = await watch.message()
            with pytest.raises(EOFError):
                await watch.message()
            after = await told.read()
            told.cancel()
            await stopping

    assert last.closing
    assert last.resume_token
    assert after.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert await watch.call.code() == grpc.StatusCode.OK
    assert monotonic() - began < GRACE_SECONDS
