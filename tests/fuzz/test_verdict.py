"""The fuzzer finds what it is there to find: servers that are wrong in one way each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyDetail
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from siklus.v1 import task_service_pb2 as pb
from tests.fuzz.calls import Line, Request
from tests.fuzz.fuzzer import judged as verdict_of
from tests.fuzz.methods import methods
from tests.fuzz.verdict import Asked, Code

Handler = Callable[[bytes, Any], Awaitable[bytes]]
MARK: Final = "Rahasialain"
REQUEST_ID: Final = (("x-request-id", "1"),)
GOOD: Final = ErrorInfo(reason="NOT_FOUND", domain="siklus")


async def raises(request: bytes, context: Any) -> bytes:
    raise RuntimeError("psycopg.OperationalError: SELECT 1")


async def shows_others(request: bytes, context: Any) -> bytes:
    shown = pb.InboxTask(display_name=f"{MARK} Siti")
    return pb.ListTasksResponse(tasks=[shown]).SerializeToString()


async def hangs(request: bytes, context: Any) -> bytes:
    await asyncio.sleep(60)
    return b""


def refuses(
    message: str,
    info: ErrorInfo = GOOD,
    code: Code = Code.NOT_FOUND,
    trailing: tuple[tuple[str, str], ...] = REQUEST_ID,
) -> Handler:
    async def refusing(request: bytes, context: Any) -> bytes:
        detail = AnyDetail()
        detail.Pack(info)
        status = rpc_status.to_status(Status(code=code.value[0], message=message, details=[detail]))
        metadata = (*(status.trailing_metadata or ()), *trailing)
        await context.abort(status.code, status.details, metadata)
        return b""

    return refusing


WRONG: Final[dict[str, tuple[Handler, str]]] = {
    "an exception": (raises, "UNKNOWN"),
    "another agency's name": (shows_others, "another agency's"),
    "a hang": (hangs, "hung"),
    "a driver's word": (refuses("psycopg said so"), "of the inside"),
    "a place in the code": (refuses('File "x.py", line 3'), "of the inside"),
    "a number of somebody": (refuses("198609262015011001 is known"), "of the inside"),
    "another's name in a refusal": (refuses(f"{MARK} has it"), "another agency's words"),
    "a reason nobody knows": (refuses("no", ErrorInfo(reason="OH_NO", domain="siklus")), "OH_NO"),
    "a reason of another code": (refuses("no", code=Code.ABORTED), "not answered by"),
    "a reason of other methods": (
        refuses("no", ErrorInfo(reason="WRONG_STAGE", domain="siklus"), Code.FAILED_PRECONDITION),
        "does not stand among",
    ),
    "another domain": (refuses("no", ErrorInfo(reason="NOT_FOUND", domain="x")), "domain"),
    "no request id": (refuses("no", trailing=()), "without a request id"),
    "a fault": (refuses("no", code=Code.INTERNAL), "INTERNAL"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_wrong_is_found(what: str) -> None:
    handler, told = WRONG[what]
    async with answering(handler) as channel:
        (fault, *_) = await judged(channel, deadline=0.3 if what == "a hang" else 15.0)

    assert told in fault


async def test_what_is_right_is_not() -> None:
    async with answering(refuses("there is no such task")) as channel:
        assert await judged(channel, deadline=15.0) == []


async def judged(channel: grpc.aio.Channel, deadline: float) -> list[str]:
    (method,) = [each for each in methods() if each.name == "ListTasks"]
    asked = Asked(b"", 15.0, False, (MARK,), frozenset({"NOT_FOUND"}))
    answered = await Line([channel]).send(0, Request(method, b"", (), deadline))
    _, faults = verdict_of(answered, asked, deadline)
    return faults


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[grpc.aio.Channel]:
    """Serve one method by that handler, with nothing of ours around it."""
    server = grpc.aio.server()
    methods_of_it: Any = {"ListTasks": grpc.unary_unary_rpc_method_handler(handler)}
    service = grpc.method_handlers_generic_handler("siklus.v1.TaskService", methods_of_it)
    server.add_generic_rpc_handlers([service])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(0)
