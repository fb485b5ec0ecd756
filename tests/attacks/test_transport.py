"""Bytes, connections and streams that shall exhaust the server: it goes on answering others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from time import monotonic
from typing import Any, Final

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from siklus.v1 import evaluation_reads_pb2 as views
from tests.attacks.conftest import Field
from tests.e2e.calls import bearer, path_of, raw, refusal_of, refused
from tests.e2e.world import KIB, get, tells_nothing_of_the_inside
from tests.fuzz.hostile import _groups, _nested, sized, tag
from tests.fuzz.methods import methods

Code = grpc.StatusCode
MIB: Final = KIB * KIB
GET: Final = path_of(views.GetEvaluationRequest)
REFLECTION: Final = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
SOON: Final = 3.0
"""Seconds in which an honest caller is answered, whatever goes on beside."""


@asynccontextmanager
async def unharmed(field: Field, *, most_mib: float) -> AsyncIterator[None]:
    """Fail unless the server answers others during and after it, and holds little more memory."""
    before = field.served.resident_mib
    yield
    started = monotonic()
    assert (await field.home.siti.reads()).name == field.home.siti.evaluation
    assert monotonic() - started < SOON
    assert field.served.resident_mib - before < most_mib
    assert field.served.child.running


async def refused_by_all(field: Field, body: bytes, *codes: Code) -> None:
    """Send a body to every method that takes one message, each time as somebody else."""
    for method in methods():
        token = field.served.stack.token("rumah", field.somebody())
        kind = "unary_stream" if method.streams_out else "unary_unary"
        asked = getattr(field.home.agency.channel, kind)(method.path)(
            body, metadata=bearer(token), timeout=15
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await (asked.read() if method.streams_out else asked)
        refusal = refusal_of(caught.value)
        assert refusal.code in codes, (method.path, refusal)
        tells_nothing_of_the_inside(refusal.everything)


@pytest.mark.parametrize("make", [_nested, _groups], ids=["messages", "groups"])
async def test_messages_in_messages_do_not_reach_the_bottom_of_the_stack(
    field: Field, make: Callable[[bytes, Random], bytes]
) -> None:
    """The attacker wants a parser to call itself until the process dies."""
    async with unharmed(field, most_mib=60):
        for seed in range(3):
            body = make(b"", Random(seed))
            await refused_by_all(field, body[:MIB], Code.INVALID_ARGUMENT)


async def test_a_million_unknown_fields_are_read_past(field: Field) -> None:
    """The attacker wants the server to keep a place for each of a million fields."""
    fields = tag(15, 0) + b"\x01"
    async with unharmed(field, most_mib=60):
        await refused_by_all(field, fields * 500_000, Code.INVALID_ARGUMENT)
        with refused(Code.RESOURCE_EXHAUSTED):
            token = bearer(field.home.siti.token())
            await raw(field.home.agency.channel, GET, fields * 1_000_000, token)


async def test_a_text_of_a_megabyte_is_refused_by_its_length(field: Field) -> None:
    """The attacker wants patterns and rules to chew on the longest text that a message holds."""
    async with unharmed(field, most_mib=60):
        for number in range(1, 9):
            long = tag(number, 2) + sized(b"a" * 900 * KIB)
            await refused_by_all(field, long, Code.INVALID_ARGUMENT)


async def test_a_small_message_that_grows_large_is_not_unpacked(field: Field) -> None:
    """The attacker sends 100 KB of gzip that would be 100 MB of zeros."""
    call: Any = field.home.agency.channel.unary_unary(GET)
    async with unharmed(field, most_mib=150):
        for megabytes in (2, 100):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(
                    bytes(megabytes * MIB),
                    metadata=bearer(field.home.siti.token()),
                    compression=grpc.Compression.Gzip,
                    timeout=20,
                )
            assert caught.value.code() is Code.RESOURCE_EXHAUSTED
            tells_nothing_of_the_inside(caught.value.details() or "")


async def test_metadata_without_end_is_stopped(field: Field) -> None:
    """The attacker fills the server's memory with keys and values around an empty message."""
    token = bearer(field.home.siti.token())
    many = tuple((f"x-kunci-{number}", "n" * 20) for number in range(800))
    large = (("x-besar", "n" * 100_000),)
    binary = (("x-biner-bin", b"\xff" * 100_000),)
    async with unharmed(field, most_mib=30):
        for extra in (many, large, binary):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await raw(field.home.agency.channel, GET, b"", (*token, *extra))
            assert caught.value.code() is Code.RESOURCE_EXHAUSTED
            tells_nothing_of_the_inside(caught.value.details() or "")


@pytest.mark.parametrize(
    "path",
    [
        "/grpc.health.v1.Health/../siklus.v1.EvaluationService/GetEvaluation",
        "/grpc.health.v1.Health/GetEvaluation",
        "/grpc.reflection.siklus.v1.EvaluationService/GetEvaluation",
        "/grpc.reflection.v1.ServerReflection/../../siklus.v1.EvaluationService/GetEvaluation",
        "//siklus.v1.EvaluationService/GetEvaluation",
        "/siklus.v1.EvaluationService//GetEvaluation",
        "/siklus.v1.EvaluationService/GetEvaluation/",
        "/siklus.v1.EvaluationService/GetEvaluation?token=x",
        "/siklus.v1.EvaluationService/GetEvaluation#x",
        "/siklus.v1.EvaluationService%2fGetEvaluation",
        "/SIKLUS.V1.EVALUATIONSERVICE/GETEVALUATION",
        "/siklus.v1.EvaluationService/getevaluation",
        "/siklus.v1.EvaluationService/GetEvaluation\u00a0",
        "/siklus.v1.EvaluationService/__init__",
        "/siklus.v1.EvaluationService/_servicer",
        "siklus.v1.EvaluationService/GetEvaluation",
        "/" + "x" * 7_000,
    ],
)
async def test_a_path_that_is_almost_ours_leads_nowhere(field: Field, path: str) -> None:
    """The attacker, without a token, wants a path that the gate takes for one it need not ask."""
    body = get(field.home.siti.evaluation).SerializeToString()

    with pytest.raises((grpc.aio.AioRpcError, UnicodeError, ValueError)) as caught:
        await raw(field.home.agency.channel, path, body, ())

    if isinstance(caught.value, grpc.aio.AioRpcError):
        refusal = refusal_of(caught.value)
        assert refusal.code in {Code.UNIMPLEMENTED, Code.UNAUTHENTICATED}, refusal
        tells_nothing_of_the_inside(refusal.everything)


async def test_streams_that_say_nothing_take_nothing_from_others(field: Field) -> None:
    """The attacker, without a token, opens streams by the hundred and leaves them open."""
    async with unharmed(field, most_mib=80), AsyncExitStack() as opened:
        silent = []
        for _ in range(10):
            channel = await opened.enter_async_context(field.served.stack.channel())
            reflection: Any = channel.stream_stream(REFLECTION)
            health: Any = health_pb2_grpc.HealthStub(channel)
            silent += [reflection(timeout=60) for _ in range(50)]
            silent += [health.Watch(health_pb2.HealthCheckRequest(), timeout=60) for _ in range(20)]
        await asyncio.gather(*(each.wait_for_connection() for each in silent))

        started = monotonic()
        reads = await asyncio.gather(*(field.home.siti.reads() for _ in range(20)))
        assert monotonic() - started < SOON
        assert len(reads) == 20
        for each in silent:
            each.cancel()


async def test_connections_that_say_nothing_take_nothing_from_others(field: Field) -> None:
    """The attacker opens connections, some of them half a handshake long, and waits."""
    host, port = field.served.stack.grpc_address.split(":")
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    async with unharmed(field, most_mib=80):
        writers = []
        for number in range(300):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write((b"", preface, preface[:9])[number % 3])
            writers.append(writer)
        started = monotonic()
        assert (await field.home.siti.reads()).name
        assert monotonic() - started < SOON
        for writer in writers:
            writer.close()


@pytest.mark.parametrize(
    "asked",
    [
        tag(3, 2) + sized(b"../../../../etc/passwd"),
        tag(3, 2) + sized(b"/etc/passwd"),
        tag(4, 2) + sized(b"os.system"),
        tag(4, 2) + sized(b"x" * 500 * KIB),
        tag(5, 2) + sized(b"\x08\xff"),
        b"\xff\xff\xff",
        b"",
    ],
    ids=["a path", "a root", "a symbol", "a long one", "an extension", "noise", "nothing"],
)
async def test_reflection_tells_of_protos_and_of_nothing_else(field: Field, asked: bytes) -> None:
    """The attacker, without a token, wants files that are no protos, or a fault that tells more."""
    stub: Any = field.home.agency.channel.stream_stream(REFLECTION)
    call = stub(timeout=10)
    await call.write(asked)
    await call.done_writing()
    said, refusal = b"", None
    try:
        while (read := await call.read()) is not grpc.aio.EOF:
            said += read
    except grpc.aio.AioRpcError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code() not in {Code.UNKNOWN, Code.INTERNAL}, refusal.details()
        tells_nothing_of_the_inside(refusal.details() or "")
    assert b"root:" not in said
    tells_nothing_of_the_inside(said.replace(asked, b"").decode(errors="replace"))


async def test_who_has_no_token_learns_nothing_of_what_exists(field: Field) -> None:
    """The attacker, without a token, asks for what exists and for what does not, and compares."""
    told = set()
    for name in (field.home.siti.evaluation, field.home.siti.evaluation + "9", "x", ""):
        with refused(Code.UNAUTHENTICATED, "TOKEN_MISSING") as expected:
            body = get(name).SerializeToString()
            await raw(field.home.agency.channel, GET, body, ())
        told.add(expected.refusal.message)

    assert len(told) == 1
