"""What a server or a worker needs on this machine, looked at without a token or an agency.

It is what `siklus serve` and `siklus worker` check before they start, told all at once and with
what wears out: certificates and clocks.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import grpc
import psycopg
from grpc_health.v1 import health_pb2, health_pb2_grpc

from siklus.activities.store import clock
from siklus.services.auth.jwks import RemoteKeys
from siklus.services.cli import checks, trust
from siklus.services.cli.output import Fault
from siklus.services.cli.running import read_settings
from siklus.services.clock import Clock
from siklus.services.settings import Settings
from siklus.services.tls import valid_until

RENEW_WITHIN: Final = timedelta(days=30)
"""A certificate that ends so soon is worth knowing."""
APART_AT_MOST: Final = timedelta(seconds=2)
"""Two clocks of one installation; a deadline holds to the second."""
SECONDS: Final = 4.0


class Verdict(StrEnum):
    """What came of a check."""

    OK = "ok"
    NOTICE = "notice"
    """Worth knowing, and no fault."""
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Checked:
    """One check and what was found."""

    what: str
    verdict: Verdict
    found: str


Look = Callable[[Settings], Awaitable[Checked]]


async def look_at_setup() -> list[Checked]:
    """Return every check in its order; with settings that cannot be read, that alone."""
    try:
        settings = read_settings()
    except Fault as fault:
        return [_fault("settings", fault)]
    found = [Checked("settings", Verdict.OK, "can be read")]
    for what, look in _LOOKS.items():
        try:
            found.append(await look(settings))
        except Fault as fault:
            found.append(_fault(what, fault))
    return found


def _fault(what: str, fault: Fault) -> Checked:
    said = f"{fault.message}; {fault.hint}" if fault.hint else fault.message
    return Checked(what, Verdict.FAULT, said)


async def _token_keys(settings: Settings) -> Checked:
    source = trust.token_keys(settings)
    if isinstance(source, RemoteKeys):
        return Checked("token keys", Verdict.OK, f"behind {settings.token_jwks_url}")
    return Checked("token keys", Verdict.OK, f"{len(source.keys().keys)} in {settings.token_keys}")


async def _certificate(settings: Settings) -> Checked:
    tls = trust.server_tls(settings)
    if tls is None or settings.tls_certificate is None:
        return Checked("certificate", Verdict.NOTICE, trust.mode(tls))
    return _wears_out("certificate", valid_until(settings.tls_certificate.read_bytes()))


def _wears_out(what: str, until: datetime) -> Checked:
    left = until - Clock().now()
    if left <= timedelta(0):
        return Checked(what, Verdict.FAULT, f"it ended on {until.date().isoformat()}")
    verdict = Verdict.NOTICE if left < RENEW_WITHIN else Verdict.OK
    return Checked(what, verdict, f"valid until {until.date().isoformat()}")


async def _text_keys(settings: Settings) -> Checked:
    checks.text_keyring(settings.text_keys)
    return Checked("text keys", Verdict.OK, str(settings.text_keys))


async def _checkpoint_keys(settings: Settings) -> Checked:
    checks.checkpoint_keys(settings.checkpoint_keys)
    return Checked("checkpoint keys", Verdict.OK, str(settings.checkpoint_keys))


async def _database(settings: Settings) -> Checked:
    await checks.database_must_be_ready(settings.database_url.get_secret_value())
    return Checked("database", Verdict.OK, "answers, and has the schema that this program needs")


async def _clocks(settings: Settings) -> Checked:
    checks.wall_clock(settings)
    began = Clock().now()
    try:
        there = await asyncio.to_thread(clock.now, settings.database_url.get_secret_value())
    except psycopg.Error:
        return Checked("clock", Verdict.NOTICE, "nothing to compare it with: no database answers")
    ended = Clock().now()
    # Asked at some instant between the two.
    apart = max(began - there, there - ended, timedelta(0))
    said = f"{apart.total_seconds():.1f} s from the database's"
    return Checked("clock", Verdict.OK if apart <= APART_AT_MOST else Verdict.FAULT, said)


async def _temporal(settings: Settings) -> Checked:
    await checks.connected(settings, checks.text_keyring(settings.text_keys))
    return Checked("Temporal", Verdict.OK, f"answers at {settings.temporal_address}")


async def _server(settings: Settings) -> Checked:
    """Ask the server that these settings start, whether it serves; none need run yet."""
    host, port = settings.grpc_host, settings.grpc_port
    nobody = Checked("server", Verdict.NOTICE, f"nobody answers on {host} at port {port}")
    if trust.server_tls(settings) is not None:
        address = (host, port)
        try:
            shown = await asyncio.to_thread(ssl.get_server_certificate, address, timeout=SECONDS)
        except OSError:
            return nobody
        return _wears_out("server", valid_until(shown.encode()))
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    async with grpc.aio.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            told = await stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        except grpc.RpcError:
            return nobody
    if told.status != health_pb2.HealthCheckResponse.SERVING:
        return Checked("server", Verdict.FAULT, "it runs and serves nobody")
    return Checked("server", Verdict.OK, f"serves on {target}")


_LOOKS: Final[dict[str, Look]] = {
    "token keys": _token_keys,
    "certificate": _certificate,
    "text keys": _text_keys,
    "checkpoint keys": _checkpoint_keys,
    "database": _database,
    "clock": _clocks,
    "Temporal": _temporal,
    "server": _server,
}
