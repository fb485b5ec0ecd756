"""What a refused call leaves behind: nothing, at once, without the help of the collector."""

import gc
from collections.abc import Iterator

import grpc
import pytest

from siklus.services.auth.caller import Caller
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.interceptors.layer import Call
from siklus.v1 import task_service_pb2_grpc
from siklus.workflows.domain.values import AgencyId, PersonId
from tests.e2e.calls import bearer, raw
from tests.partial_servicers import partial

COUNT_TASKS = "/siklus.v1.TaskService/CountTasks"


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_a_refused_request_is_let_go_at_once(uncollected: None) -> None:
    layers = chain(lambda _: Caller(AgencyId("kota"), PersonId("siti"), ()))
    server = grpc.aio.server(interceptors=layers, options=list(SERVER_OPTIONS))
    servicer = partial(task_service_pb2_grpc.TaskServiceServicer)
    task_service_pb2_grpc.add_TaskServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for _ in range(5):
            with pytest.raises(grpc.aio.AioRpcError):
                await raw(channel, COUNT_TASKS, b"\x78\x01" * 1000, bearer("x"))
    await server.stop(0)

    # Calls of other tests may be held by what those keep of them.
    held = [each for each in gc.get_objects() if isinstance(each, Call)]
    assert [each for each in held if each.method.path == COUNT_TASKS] == []
