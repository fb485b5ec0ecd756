"""How fast a caller may be: bursts, what a refusal tells, and what remembering callers costs."""

import asyncio
from collections.abc import AsyncIterator
from timeit import timeit
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from siklus.services.auth.caller import Caller
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.rpc.pace import UNLIMITED, Meter, Pace
from siklus.v1 import cycle_service_pb2, cycle_service_pb2_grpc
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.partial_servicers import partial

CYCLE = "agencies/palu/cycles/2027"


class Cycles(cycle_service_pb2_grpc.CycleServiceServicer):
    """Answers every call at once."""

    async def GetCycle(self, request: Any, context: Any) -> Any:  # noqa: N802
        return cycle_service_pb2.GetCycleResponse()

    async def PreviewLaunch(self, request: Any, context: Any) -> Any:  # noqa: N802
        return cycle_service_pb2.PreviewLaunchResponse()


def verify(token: str) -> Caller:
    """Take the token for `agency/person`."""
    agency, _, person = token.partition("/")
    return Caller(AgencyId(agency), PersonId(person), (Role.AGENCY_ADMIN,))


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(
        interceptors=chain(verify, pace=Pace(per_second=20, burst=30)), options=SERVER_OPTIONS
    )
    cycle_service_pb2_grpc.add_CycleServiceServicer_to_server(
        partial(Cycles),
        server,
    )
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


async def test_who_calls_too_often_is_told_when_to_go_on_and_then_may(
    channel: grpc.aio.Channel,
) -> None:
    refused = await refusals(channel, 40, "palu/p-1")

    assert 0 < len(refused) <= 10
    assert {each.code() for each in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {details_of(each, ErrorInfo).reason for each in refused} == {"RATE_LIMITED"}
    waits = [details_of(each, RetryInfo).retry_delay.ToMilliseconds() for each in refused]
    assert all(10 <= wait <= 100 for wait in waits)

    await asyncio.sleep(max(waits) / 1000)
    assert await refusals(channel, 1, "palu/p-1") == []


async def test_one_busy_caller_is_nobody_elses_fault(channel: grpc.aio.Channel) -> None:
    assert await refusals(channel, 60, "palu/p-1") != []

    assert await refusals(channel, 20, "palu/p-2") == []
    # Ids of people are unique within their agency alone.
    same_id = await refusals(channel, 20, "tubei/p-1")
    assert {each.code() for each in same_id} == {grpc.StatusCode.NOT_FOUND}


async def test_what_costs_much_may_be_called_less_often(channel: grpc.aio.Channel) -> None:
    # Ten a second by the contract, so twenty at once, of the thirty of the general pace.
    refused = await refusals(channel, 28, "palu/p-1", method="PreviewLaunch")

    assert 0 < len(refused) <= 8
    assert await refusals(channel, 28, "palu/p-2", method="GetCycle") == []


async def test_health_is_answered_however_often_it_is_asked(channel: grpc.aio.Channel) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)

    await asyncio.gather(*(stub.Check(health_pb2.HealthCheckRequest()) for _ in range(100)))


def test_a_steady_caller_at_the_pace_is_never_refused() -> None:
    meter = Meter(Pace(per_second=50, burst=1))

    assert {meter.wait("siti", n / 50) for n in range(10_000)} == {0.0}


def test_a_burst_refills_with_time_and_no_further() -> None:
    meter = Meter(Pace(per_second=10, burst=5))

    assert [meter.wait("siti", 0.0) > 0 for _ in range(6)] == [False] * 5 + [True]
    assert meter.wait("siti", 0.0) == pytest.approx(0.1)
    assert meter.wait("siti", 0.1) == 0.0
    # An hour of rest is worth one burst.
    assert [meter.wait("siti", 3600.0) > 0 for _ in range(6)] == [False] * 5 + [True]


def test_callers_without_number_take_no_memory_without_bound() -> None:
    meter = Meter(Pace(per_second=10, burst=5), most_callers=1000)

    for n in range(50_000):
        meter.wait(f"p-{n}", n / 1000)

    assert len(meter) == 1000
    assert not UNLIMITED.limits


def test_counting_a_call_takes_no_more_than_ten_microseconds() -> None:
    meter = Meter(Pace())
    callers = [f"agency/p-{n}" for n in range(5000)]
    for caller in callers:
        meter.wait(caller, 0.0)

    best = min(
        timeit(lambda: [meter.wait(who, 1.0) for who in callers], number=1) for _ in range(5)
    )

    assert best / len(callers) < 10e-6


async def refusals(
    channel: grpc.aio.Channel, calls: int, token: str, *, method: str = "GetCycle"
) -> list[grpc.aio.AioRpcError]:
    """Call as often at once; return what was refused."""
    stub = cycle_service_pb2_grpc.CycleServiceStub(channel)
    requests = {
        "GetCycle": cycle_service_pb2.GetCycleRequest(name=CYCLE),
        "PreviewLaunch": cycle_service_pb2.PreviewLaunchRequest(name=CYCLE),
    }
    metadata = (("authorization", f"Bearer {token}"),)
    under_way = [getattr(stub, method)(requests[method], metadata=metadata) for _ in range(calls)]
    ended = await asyncio.gather(*under_way, return_exceptions=True)
    return [each for each in ended if isinstance(each, grpc.aio.AioRpcError)]


def details_of(error: grpc.aio.AioRpcError, kind: type[Any]) -> Any:
    call: Any = error
    status = rpc_status.from_call(call)
    assert status is not None
    found = kind()
    assert any(each.Unpack(found) for each in status.details)
    return found
