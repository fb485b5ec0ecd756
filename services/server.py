"""The gRPC server: every service behind one chain, health, reflection, a polite end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from temporalio.client import Client

from siklus.activities.keyring import Keys
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.auth.tokens import TokenVerifier
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.reflection import enable_reflection
from siklus.services.rpc.cycles import Cycles
from siklus.services.rpc.evaluations import EvaluationServicer
from siklus.services.rpc.pace import USUAL, Pace
from siklus.services.rpc.policies import Policies
from siklus.services.rpc.roster import Roster
from siklus.services.rpc.tasks import Tasks
from siklus.v1 import (
    cycle_service_pb2_grpc,
    evaluation_service_pb2_grpc,
    policy_service_pb2_grpc,
    roster_service_pb2_grpc,
    task_service_pb2_grpc,
)

SERVICES: Final = (
    "siklus.v1.PolicyService",
    "siklus.v1.RosterService",
    "siklus.v1.CycleService",
    "siklus.v1.EvaluationService",
    "siklus.v1.TaskService",
)
GRACE_SECONDS: Final = 5.0
"""Calls under way at a shutdown may finish."""


class PortInUseError(Exception):
    """Somebody else listens on the address."""


@dataclass(frozen=True)
class Parts:
    """What the services stand on."""

    store: Store
    client: Client
    keyring: Keys
    verifier: TokenVerifier
    clock: Clock
    pace: Pace = USUAL


def build_server(parts: Parts) -> grpc.aio.Server:
    """Return a server with all services registered, not listening yet."""
    server = grpc.aio.server(
        interceptors=chain(parts.verifier.verify, pace=parts.pace),
        options=(*SERVER_OPTIONS, ("grpc.so_reuseport", 1)),
    )
    vault = Vault(parts.keyring)
    archive = Archive(parts.store, vault)
    engine = Engine(parts.client, archive, parts.clock)
    evaluation_service_pb2_grpc.add_EvaluationServiceServicer_to_server(
        EvaluationServicer(parts.store, vault, archive, engine, parts.clock), server
    )
    policy_service_pb2_grpc.add_PolicyServiceServicer_to_server(
        Policies(parts.store, parts.clock), server
    )
    roster_service_pb2_grpc.add_RosterServiceServicer_to_server(
        Roster(parts.store, parts.clock), server
    )
    cycle_service_pb2_grpc.add_CycleServiceServicer_to_server(
        Cycles(parts.store, parts.client, parts.clock), server
    )
    task_service_pb2_grpc.add_TaskServiceServicer_to_server(Tasks(parts.store, parts.clock), server)
    enable_reflection(server, (*SERVICES, "grpc.health.v1.Health"))
    return server


@asynccontextmanager
async def running_server(parts: Parts, address: str) -> AsyncIterator[int]:
    """Serve on the address, yield the port, and drain: unhealthy first, then no new calls.

    Raises PortInUseError when nothing can listen there.
    """
    server = build_server(parts)
    healthy = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        raise PortInUseError(address) from None
    await server.start()
    for service in ("", *SERVICES):
        await healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield port
    finally:
        await healthy.enter_graceful_shutdown()
        await asyncio.shield(server.stop(GRACE_SECONDS))
