"""What the interceptors promise, through a real server: who gets which answer, and what leaks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import psycopg
import pytest
import structlog
from google.protobuf.struct_pb2 import Struct
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from temporalio.service import RPCError, RPCStatusCode

from siklus.services.auth.caller import Caller, current_caller, reset_caller, set_caller
from siklus.services.interceptors.chain import (
    MESSAGE_BYTES,
    SERVER_OPTIONS,
    WrongOrderError,
    chain,
    must_be_in_order,
)
from siklus.services.interceptors.layer import Call, Method
from siklus.services.interceptors.tenancy import Tenancy
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import commands_plan_pb2 as plan_pb2
from siklus.v1 import evaluation_pb2, evaluation_reads_pb2, evaluation_service_pb2_grpc
from siklus.v1.values_pb2 import INDICATOR_KIND_QUALITATIVE
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId, PersonId
from tests.partial_servicers import partial

NAME = "agencies/palu/cycles/2027/evaluations/p-1.1"
GOOD = (("authorization", "Bearer good"),)
SECRET = "198609262015051001 Siti Rahma"
SERVICE = "/siklus.v1.EvaluationService"


class Evaluations(evaluation_service_pb2_grpc.EvaluationServiceServicer):
    """Does what a test tells it to."""

    raises: BaseException | None = None
    takes_seconds: float = 0
    seen: Caller | None = None

    async def GetEvaluation(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.seen = current_caller()
        await asyncio.sleep(self.takes_seconds)
        if self.raises is not None:
            raise self.raises
        evaluation = evaluation_pb2.Evaluation(name=request.name)
        return evaluation_reads_pb2.GetEvaluationResponse(evaluation=evaluation)

    async def SubmitPlan(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plan_pb2.SubmitPlanResponse()


class Streams:
    """The kinds of method that the contract will have one day."""

    async def watch(self, request: Struct, context: Any) -> AsyncIterator[Struct]:
        yield request
        raise Refusal(Reason.WRONG_STAGE, "no further")

    async def collect(self, requests: AsyncIterator[Struct], context: Any) -> Struct:
        return [request async for request in requests][-1]

    async def echo(self, requests: AsyncIterator[Struct], context: Any) -> AsyncIterator[Struct]:
        async for request in requests:
            yield request


def verify(token: str) -> Caller:
    if token != "good":
        raise ServiceRefusal(ServiceReason.TOKEN_INVALID, "not a token of ours")
    return Caller(AgencyId("palu"), PersonId("p-1"), ())


@pytest.fixture
def evaluations() -> Evaluations:
    return partial(Evaluations)


@pytest.fixture
async def channel(evaluations: Evaluations) -> AsyncIterator[grpc.aio.Channel]:
    layers = chain(verify, limit_seconds=0.3)
    server = grpc.aio.server(interceptors=layers, options=list(SERVER_OPTIONS))
    evaluation_service_pb2_grpc.add_EvaluationServiceServicer_to_server(evaluations, server)
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    streams, wire = Streams(), (Struct.FromString, Struct.SerializeToString)
    handlers: dict[str, Any] = {
        "Watch": grpc.unary_stream_rpc_method_handler(streams.watch, *wire),
        "Collect": grpc.stream_unary_rpc_method_handler(streams.collect, *wire),
        "Echo": grpc.stream_stream_rpc_method_handler(streams.echo, *wire),
    }
    # Streams have no agency in their messages yet, so they stand under a public name here.
    name = "grpc.reflection.streams"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


async def test_a_good_call_is_answered_and_knows_its_caller(
    channel: grpc.aio.Channel, evaluations: Evaluations
) -> None:
    answer = await get(channel)

    assert answer.evaluation.name == NAME
    assert evaluations.seen == Caller(AgencyId("palu"), PersonId("p-1"), ())


async def test_bytes_that_are_no_message_are_malformed(channel: grpc.aio.Channel) -> None:
    error = await refused(raw(channel, "GetEvaluation", b"\xff\xff\xff\xff", GOOD))

    assert code_and_reason(error) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    assert "Error parsing" not in (error.details() or "")


async def test_text_that_is_not_utf8_is_malformed(channel: grpc.aio.Channel) -> None:
    error = await refused(raw(channel, "GetEvaluation", b"\x0a\x02\xc3\x28", GOOD))

    assert code_and_reason(error) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "TOKEN_MISSING"),
        ((("authorization", "Bearer bad"),), "TOKEN_INVALID"),
        ((("authorization", "Basic good"),), "TOKEN_INVALID"),
        ((("authorization", "Bearer"),), "TOKEN_INVALID"),
        ((*GOOD, *GOOD), "TOKEN_INVALID"),
    ],
)
async def test_a_stranger_learns_nothing_else(
    channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...], reason: str
) -> None:
    for body in (b"\xff\xff\xff\xff", b"", request_bytes("agencies/serang")):
        error = await refused(raw(channel, "GetEvaluation", body, metadata))

        assert code_and_reason(error) == (grpc.StatusCode.UNAUTHENTICATED, reason)


async def test_wrong_fields_are_named_with_their_paths(channel: grpc.aio.Channel) -> None:
    good = plan_pb2.Indicator(id="a", kind=INDICATOR_KIND_QUALITATIVE, description="x")
    unknown: Any = 9
    bad = plan_pb2.Indicator(id="B!", description="x", kind=unknown)
    request = plan_pb2.SubmitPlanRequest(name=NAME, request_id="r 1", indicators=[good, bad])

    error = await refused(call(channel, "SubmitPlan", request, plan_pb2.SubmitPlanResponse))

    assert code_and_reason(error) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    paths = [violation.field for violation in detail(error, BadRequest()).field_violations]
    assert paths == ["request_id", "indicators[1].id", "indicators[1].kind"]


async def test_a_rule_over_several_fields_blames_one(channel: grpc.aio.Channel) -> None:
    request = plan_pb2.DecidePlanChangeRequest(name=NAME, request_id="r-1")

    error = await refused(
        call(channel, "DecidePlanChange", request, plan_pb2.DecidePlanChangeResponse)
    )

    (violation,) = detail(error, BadRequest()).field_violations
    assert (violation.field, violation.description) == ("reason", "a refusal needs a reason")


async def test_another_agencys_things_do_not_exist(
    channel: grpc.aio.Channel, evaluations: Evaluations
) -> None:
    error = await refused(get(channel, NAME.replace("palu", "serang")))

    assert code_and_reason(error) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    assert evaluations.seen is None


async def test_a_stream_of_requests_ends_at_the_first_that_names_another_agency() -> None:
    method = Method("/siklus.v1.X/Y", public=False, streams_in=True, streams_out=False)
    names = [NAME, NAME.replace("palu", "serang"), NAME]

    async def requests() -> AsyncIterator[Any]:
        for name in names:
            yield evaluation_reads_pb2.GetEvaluationRequest(name=name)

    before = set_caller(verify("good"))
    no_context: Any = None
    admitted = aiter(Tenancy().admit(Call(method, requests(), no_context)))
    assert (await anext(admitted)).name == NAME
    with pytest.raises(ServiceRefusal) as refusal:
        await anext(admitted)
    reset_caller(before)

    assert refusal.value.reason is ServiceReason.NOT_FOUND


async def test_a_refusal_of_the_rule_book_is_answered_by_the_table(
    channel: grpc.aio.Channel, evaluations: Evaluations
) -> None:
    evaluations.raises = Refusal(Reason.REVISION_CHANGED, "read again", details={"revision": "9"})

    error = await refused(get(channel))

    assert code_and_reason(error) == (grpc.StatusCode.ABORTED, "REVISION_CHANGED")
    assert detail(error, ErrorInfo()).metadata == {"revision": "9"}


@pytest.mark.parametrize(
    ("raised", "code", "reason"),
    [
        (psycopg.OperationalError(SECRET), grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
        (
            RPCError(SECRET, RPCStatusCode.UNAVAILABLE, b""),
            grpc.StatusCode.UNAVAILABLE,
            "ENGINE_UNAVAILABLE",
        ),
        (TimeoutError(SECRET), grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
        (KeyError(SECRET), grpc.StatusCode.INTERNAL, "INTERNAL_FAULT"),
        (ExceptionGroup(SECRET, [ValueError(SECRET)]), grpc.StatusCode.INTERNAL, "INTERNAL_FAULT"),
    ],
)
async def test_nothing_that_a_driver_or_a_bug_says_leaves_the_server(
    channel: grpc.aio.Channel,
    evaluations: Evaluations,
    raised: BaseException,
    code: grpc.StatusCode,
    reason: str,
) -> None:
    evaluations.raises = raised

    with structlog.testing.capture_logs() as logged:
        error = await refused(get(channel))

    assert code_and_reason(error) == (code, reason)
    assert SECRET not in f"{error!r} {error.trailing_metadata()} {logged}"


async def test_a_bug_is_logged_once_with_the_request_id_and_where_it_was(
    channel: grpc.aio.Channel, evaluations: Evaluations
) -> None:
    evaluations.raises = KeyError(SECRET)

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logged:
        error = await refused(get(channel, metadata=(*GOOD, ("x-request-id", "mine-1"))))

    (fault,) = [line for line in logged if line["event"] == "fault"]
    assert (fault["error"], fault["request_id"]) == ("KeyError", "mine-1")
    assert fault["where"][-1].startswith("GetEvaluation:")
    (line,) = [line for line in logged if line["event"] == "call"]
    assert (line["code"], line["reason"]) == ("INTERNAL", "INTERNAL_FAULT")
    assert ("x-request-id", "mine-1") in tuple(error.trailing_metadata())


async def test_a_request_id_that_is_not_safe_to_log_is_replaced(channel: grpc.aio.Channel) -> None:
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logged:
        await get(channel, metadata=(*GOOD, ("x-request-id", "a b")))

    (line,) = [line for line in logged if line["event"] == "call"]
    assert len(line["request_id"]) == 32
    assert (line["code"], line["method"]) == ("OK", f"{SERVICE}/GetEvaluation")
    assert line["log_level"] == "debug"


async def test_a_handler_that_takes_too_long_is_ended(
    channel: grpc.aio.Channel, evaluations: Evaluations
) -> None:
    evaluations.takes_seconds = 30

    error = await refused(get(channel))

    assert code_and_reason(error) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


async def test_a_message_over_the_limit_is_answered_by_the_transport(
    channel: grpc.aio.Channel,
) -> None:
    error = await refused(raw(channel, "GetEvaluation", b"\x0a" * (MESSAGE_BYTES + 1), GOOD))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert rpc_status.from_call(as_call(error)) is None


async def test_health_answers_without_a_token(channel: grpc.aio.Channel) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)

    checked = await stub.Check(health_pb2.HealthCheckRequest())
    watched = await anext(aiter(stub.Watch(health_pb2.HealthCheckRequest())))

    assert checked.status == watched.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_unknown_method_is_unimplemented(channel: grpc.aio.Channel) -> None:
    error = await refused(raw(channel, "GuessEvaluation", b"", GOOD))

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_all_four_kinds_of_method_are_wrapped(channel: grpc.aio.Channel) -> None:
    path, wire = "/grpc.reflection.streams", (Struct.SerializeToString, Struct.FromString)
    one, two = Struct(fields={}), Struct()
    two.update({"n": 2})

    watch = channel.unary_stream(f"{path}/Watch", *wire)(two)
    assert await watch.read() == two
    with pytest.raises(grpc.aio.AioRpcError) as stopped:
        await watch.read()
    assert code_and_reason(stopped.value)[1] == "WRONG_STAGE"
    assert await channel.stream_unary(f"{path}/Collect", *wire)(iter([one, two])) == two
    echoed = channel.stream_stream(f"{path}/Echo", *wire)(iter([one, two]))
    assert [struct async for struct in echoed] == [one, two]
    collect: Any = channel.stream_unary(f"{path}/Collect")
    assert code_and_reason(await refused(collect(iter([b"\xff\xff"]))))[1] == "MALFORMED_MESSAGE"


def test_the_order_is_asserted() -> None:
    layers = chain(verify)

    with pytest.raises(WrongOrderError):
        must_be_in_order(layers[::-1])
    with pytest.raises(WrongOrderError):
        must_be_in_order(layers[:-1])


async def call(
    channel: grpc.aio.Channel, method: str, request: Any, answer: Any, metadata: Any = GOOD
) -> Any:
    rpc = channel.unary_unary(
        f"{SERVICE}/{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=answer.FromString,
    )
    return await rpc(request, metadata=metadata, timeout=5)


async def get(channel: grpc.aio.Channel, name: str = NAME, metadata: Any = GOOD) -> Any:
    request = evaluation_reads_pb2.GetEvaluationRequest(name=name)
    answer = evaluation_reads_pb2.GetEvaluationResponse
    return await call(channel, "GetEvaluation", request, answer, metadata)


async def raw(channel: grpc.aio.Channel, method: str, body: bytes, metadata: Any) -> Any:
    rpc: Any = channel.unary_unary(f"{SERVICE}/{method}")
    return await rpc(body, metadata=metadata, timeout=5)


def request_bytes(prefix: str) -> bytes:
    name = NAME.replace("agencies/palu", prefix)
    return evaluation_reads_pb2.GetEvaluationRequest(name=name).SerializeToString()


async def refused(answer: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await answer
    return error.value


def as_call(error: grpc.aio.AioRpcError) -> Any:
    """The stubs of grpc_status know no asynchronous errors."""
    return error


def detail(error: grpc.aio.AioRpcError, kind: Any) -> Any:
    status = rpc_status.from_call(as_call(error))
    assert status is not None
    assert any(each.Unpack(kind) for each in status.details)
    return kind


def code_and_reason(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    return error.code(), detail(error, ErrorInfo()).reason
