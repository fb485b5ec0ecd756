"""What tools and load balancers see: reflection under both names, health, a polite end."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from siklus.activities.keyring import Keyring
from siklus.services.auth.keys import (
    PUBLIC_FILE,
    FixedKeys,
    SigningKey,
    ensure_local_key,
    load_keys,
    local_key_file,
)
from siklus.services.auth.tokens import TokenVerifier, mint
from siklus.services.local.stack import LocalStack
from siklus.services.server import SERVICES, Parts, running_server
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.e2e.agency import Agency, launched_agency
from tests.e2e.calls import bearer, call, refusal_of

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
BUF = Path(sys.executable).with_name("buf")


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    async with launched_agency(stack, "alat", year=stack.clock.now().year + 1) as agency:
        yield agency


@pytest.mark.parametrize("protocol", ["grpc-v1", "grpc-v1alpha"])
async def test_buf_curl_calls_by_reflection_alone(agency: Agency, protocol: str) -> None:
    name = agency.person("siti").evaluation
    token = agency.stack.token(agency.id, "siti")

    said = await buf_curl(
        agency.stack, protocol, "siklus.v1.EvaluationService/GetEvaluation", token, {"name": name}
    )

    evaluation = json.loads(said)["evaluation"]
    assert (evaluation["name"], evaluation["stage"]) == (name, "STAGE_PLAN")


@pytest.mark.parametrize("protocol", ["grpc-v1", "grpc-v1alpha"])
async def test_reflection_lists_every_service_without_a_token(
    agency: Agency, protocol: str
) -> None:
    listed = await buf("--list-services", f"http://{agency.stack.grpc_address}", protocol=protocol)

    assert {*SERVICES, "grpc.health.v1.Health"} <= set(listed.split())


async def test_buf_curl_shows_a_refusal_with_its_reason(agency: Agency) -> None:
    token = agency.stack.token(agency.id, "wayan")
    body = {"name": agency.person("siti").evaluation}

    method = "siklus.v1.EvaluationService/GetEvaluation"

    with pytest.raises(BufError) as caught:
        await buf_curl(agency.stack, "grpc-v1", method, token, body)

    refusal = json.loads(str(caught.value))
    assert refusal["code"] == "permission_denied"
    (info,) = refusal["details"]
    assert b"NOT_A_PARTICIPANT" in base64.b64decode(info["value"] + "==")


@pytest.mark.parametrize("service", ["", *SERVICES])
async def test_each_service_is_healthy(agency: Agency, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(agency.channel)

    checked = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)

    assert checked.status == SERVING


async def test_a_service_that_is_not_ours_has_no_health(agency: Agency) -> None:
    stub: Any = health_pb2_grpc.HealthStub(agency.channel)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="siklus.v1.Guess"), timeout=5)

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_server_that_ends_says_so_first_and_answers_what_is_under_way(
    agency: Agency, tmp_path: Path
) -> None:
    key = ensure_local_key(tmp_path)
    slow = views.GetEvaluationRequest(name=agency.person("siti").evaluation, min_revision=99)
    ended = asyncio.Event()
    async with second_server(agency, key, tmp_path, ended) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        under_way = asyncio.ensure_future(call(channel, slow, token_of(agency, key)))
        await asyncio.sleep(0.2)

        ended.set()

        assert (await asyncio.wait_for(watch.read(), 5)).status == NOT_SERVING
        # It waits its two seconds for the revision, and is answered, not cut off.
        with pytest.raises(grpc.aio.AioRpcError) as answered:
            await under_way
        assert refusal_of(answered.value).reason == "STALE_READ"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, slow, token_of(agency, key), within=3)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@asynccontextmanager
async def second_server(
    agency: Agency, key: SigningKey, folder: Path, ended: asyncio.Event
) -> AsyncIterator[grpc.aio.Channel]:
    """Serve the same store once more, until told to end; yield a channel to it."""
    stack = agency.stack
    public = load_keys(local_key_file(folder).with_name(PUBLIC_FILE))
    verifier = TokenVerifier(FixedKeys(public), "siklus", "siklus", stack.clock)
    parts = Parts(stack.store, stack.client, Keyring.generate(), verifier, stack.clock)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with running_server(parts, "127.0.0.1:0") as port:
            listening.set_result(port)
            await ended.wait()

    serving = asyncio.create_task(serve())
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await listening}") as channel:
            yield channel
    finally:
        ended.set()
        await serving


def token_of(agency: Agency, key: SigningKey) -> Any:
    """Return the metadata of Siti's token for the second server."""
    now = agency.stack.clock.now()
    life = timedelta(hours=1)
    return bearer(mint(key, AgencyId(agency.id), PersonId("siti"), (Role.EMPLOYEE,), now, life))


class BufError(Exception):
    """buf ended with a fault; the message is what it said."""


async def buf_curl(
    stack: LocalStack, protocol: str, method: str, token: str, body: dict[str, str]
) -> str:
    """Call a method as the README tells."""
    return await buf(
        "--header",
        f"authorization: Bearer {token}",
        "--data",
        json.dumps(body),
        f"http://{stack.grpc_address}/{method}",
        protocol=protocol,
    )


async def buf(*arguments: str, protocol: str) -> str:
    """Run `buf curl`; raise BufError when it fails."""
    options = ("--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", protocol)
    running = await asyncio.create_subprocess_exec(
        BUF,
        "curl",
        *options,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(running.communicate(), 30)
    if running.returncode:
        raise BufError(complained.decode())
    return said.decode()
