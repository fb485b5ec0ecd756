"""`siklus serve` with an identity provider behind a URL and certificates, while both change."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from joserfc.jwk import ECKey, OKPKey

from siklus.activities.keyring import Keyring
from siklus.services.auth.checkpoints import CHECKPOINT_FILE, CheckpointKeys
from siklus.services.auth.keys import FOLDER
from siklus.services.auth.tokens import mint
from siklus.services.cli.serve import serving as serve
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.processes import free_port
from siklus.services.local.temporal import LocalTemporal
from siklus.services.settings import Settings
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1 import roster_service_pb2_grpc
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.services.test_jwks import Issuer, document, serving

PALU = AgencyId("palu")
FIRST, SECOND = OKPKey.generate_key("Ed25519", {"kid": "1"}), ECKey.generate_key("P-256")


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with serving(Issuer()) as running:
        running.body = document(FIRST)
        yield running


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def settings(
    database: LocalPostgres,
    temporal_server: LocalTemporal,
    issuer: Issuer,
    authority: trustme.CA,
    tmp_path: Path,
) -> Settings:
    leaf = authority.issue_cert("localhost")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    Keyring.load_or_create(tmp_path / "text-keys.json")
    CheckpointKeys.load_or_create(tmp_path)
    given: dict[str, Any] = {
        "database_url": database.app_url,
        "feed_database_url": database.feed_url,
        "temporal_address": temporal_server.address,
        "text_keys": tmp_path / "text-keys.json",
        "checkpoint_keys": tmp_path / FOLDER / CHECKPOINT_FILE,
        "token_jwks_url": issuer.url,
        "tls_certificate": tmp_path / "chain.pem",
        "tls_key": tmp_path / "key.pem",
        "tls_client_ca": tmp_path / "ca.pem",
        "grpc_port": free_port(),
        "metrics_port": free_port(),
    }
    return Settings(**given)


@asynccontextmanager
async def running(settings: Settings, authority: trustme.CA) -> AsyncIterator[grpc.aio.Channel]:
    """Run `siklus serve` here and yield a channel of a client with a certificate."""
    server = asyncio.create_task(serve(settings))
    mine = authority.issue_cert("payroll")
    credentials = grpc.ssl_channel_credentials(
        authority.cert_pem.bytes(), mine.private_key_pem.bytes(), mine.cert_chain_pems[0].bytes()
    )
    try:
        async with grpc.aio.secure_channel(f"localhost:{settings.grpc_port}", credentials) as found:
            reached = asyncio.create_task(found.channel_ready())
            await asyncio.wait({server, reached}, return_when=asyncio.FIRST_COMPLETED)
            if server.done():
                server.result()
            yield found
    finally:
        server.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await server


async def units(channel: grpc.aio.Channel, token: str) -> str:
    """Read the agency's units; return `OK`, or what the call was refused with."""
    stub: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
    request = roster.ListUnitsRequest(parent="agencies/palu")
    metadata = (("authorization", f"Bearer {token}"),)
    try:
        await stub.ListUnits(request, metadata=metadata, timeout=10)
    except grpc.aio.AioRpcError as refused:
        return refused.code().name
    return "OK"


def program(key: Any, *scopes: str) -> str:
    hour = timedelta(hours=1)
    roles = (Role.INTEGRATOR,)
    return mint(key, PALU, None, roles, datetime.now(UTC), hour, program="payroll", scopes=scopes)


def auditor(key: Any) -> str:
    who, roles = PersonId("p-1"), (Role.AUDITOR,)
    return mint(key, PALU, who, roles, datetime.now(UTC), timedelta(hours=1))


async def test_people_and_programs_are_let_in_and_keys_rotate(
    settings: Settings,
    authority: trustme.CA,
    issuer: Issuer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with running(settings, authority) as channel:
        assert "mutual TLS" in capsys.readouterr().out
        assert await units(channel, auditor(FIRST)) == "OK"
        assert await units(channel, program(FIRST, "roster.read")) == "OK"
        assert await units(channel, program(FIRST, "cycles.read")) == "PERMISSION_DENIED"

        issuer.body = document(SECOND)
        assert await units(channel, auditor(SECOND)) == "OK"
        assert await units(channel, auditor(FIRST)) == "UNAUTHENTICATED"


async def test_a_server_starts_while_the_identity_provider_is_away(
    settings: Settings,
    authority: trustme.CA,
    issuer: Issuer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    issuer.status = 503
    async with running(settings, authority) as channel:
        assert "nobody is let in" in capsys.readouterr().out
        stub: Any = health_pb2_grpc.HealthStub(channel)
        told = aiter(stub.Watch(health_pb2.HealthCheckRequest(), timeout=10))
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert await units(channel, auditor(FIRST)) == "UNAUTHENTICATED"

        issuer.status = 200
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.SERVING
        assert await units(channel, auditor(FIRST)) == "OK"
