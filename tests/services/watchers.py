"""A server of streams over the shared store, and clients who watch."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.clock import Clock
from siklus.services.feed.attendance import USUAL, WatchLimits
from siklus.services.feed.watches import Watches
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.rpc.cycles import Cycles
from siklus.services.rpc.evaluations import EvaluationServicer
from siklus.v1 import (
    cycle_service_pb2_grpc,
    evaluation_service_pb2_grpc,
    watch_pb2,
)
from tests.keys import KEYS
from tests.services.desk import token, verify

SOON = 10.0


class WatchedServer:
    """A server that runs, the channel to it, and its streams."""

    def __init__(self, watches: Watches, channel: grpc.aio.Channel, address: str) -> None:
        self.watches = watches
        self.address = address
        self.evaluations: Any = evaluation_service_pb2_grpc.EvaluationServiceStub(channel)
        self.cycles: Any = cycle_service_pb2_grpc.CycleServiceStub(channel)


@asynccontextmanager
async def watched_server(
    store: Store, feed_url: str, limits: WatchLimits = USUAL, verifier: Any = verify
) -> AsyncIterator[WatchedServer]:
    """Serve streams; nobody decides anything here, so there is no engine."""
    nothing: Any = None
    clock = Clock()
    watches = Watches(store, feed_url, clock, limits)
    server = grpc.aio.server(interceptors=chain(verifier), options=list(SERVER_OPTIONS))
    evaluation_service_pb2_grpc.add_EvaluationServiceServicer_to_server(
        EvaluationServicer(store, Vault(KEYS), nothing, nothing, clock, watches, nothing), server
    )
    cycle_service_pb2_grpc.add_CycleServiceServicer_to_server(
        Cycles(store, nothing, clock, watches), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with watches.running():
        try:
            async with connected(watches, f"127.0.0.1:{port}") as running:
                yield running
        finally:
            await server.stop(0)


@asynccontextmanager
async def connected(
    watches: Watches, address: str, options: Sequence[tuple[str, int]] = ()
) -> AsyncIterator[WatchedServer]:
    """Connect to a server that runs."""
    async with grpc.aio.insecure_channel(address, options=list(options)) as channel:
        yield WatchedServer(watches, channel, address)


class Watching:
    """One client's stream; it keeps the last token."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.token = ""

    async def message(self, within: float = SOON) -> Any:
        """Return the next message, whatever it is."""
        async with asyncio.timeout(within):
            message = await self.call.read()
        if message is grpc.aio.EOF:
            raise EOFError
        self.token = message.resume_token
        return message

    async def change(self, within: float = SOON) -> Any:
        """Return the next change, past checkpoints."""
        async with asyncio.timeout(within):
            while not (message := await self.message(within)).HasField("change"):
                pass
        return message.change

    async def seen(self, count: int) -> list[tuple[str, int, str]]:
        """Return person, number and kind of the next changes."""
        changes = [await self.change() for _ in range(count)]
        return [(_person(each.name), each.seq, each.kind) for each in changes]


def _person(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


async def watching(
    server: WatchedServer,
    agency: str,
    who: str = "admin",
    roles: Sequence[str] = ("agency_admin",),
    *,
    resume: str = "",
    **filters: Any,
) -> Watching:
    """Open a stream and return it once the server has told where it begins."""
    request = watch_pb2.WatchEvaluationsRequest(
        parent=f"agencies/{agency}", resume_token=resume, **filters
    )
    metadata = (("authorization", f"Bearer {token(agency, who, *roles)}"),)
    opened = Watching(server.evaluations.WatchEvaluations(request, metadata=metadata))
    first = await opened.message()
    assert not first.HasField("change")
    return opened
