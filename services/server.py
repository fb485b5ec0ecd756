"""The gRPC server: every service behind one chain, health, reflection, a polite end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from temporalio.client import Client

from siklus.activities.keyring import Keys
from siklus.activities.store.pool import Store
from siklus.activities.store.snapshots import Snapshots
from siklus.activities.vault import Vault
from siklus.activities.webhooks.targets import Targets
from siklus.services.archive import Archive
from siklus.services.auth.checkpoints import CheckpointKeys
from siklus.services.auth.tokens import TokenVerifier
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.feed.attendance import USUAL as USUAL_WATCHES
from siklus.services.feed.attendance import WatchLimits
from siklus.services.feed.watches import Watches
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.reflection import enable_reflection
from siklus.services.rpc.appeal_panels import AppealPanelServicer
from siklus.services.rpc.audit import Audit
from siklus.services.rpc.calibrations import CalibrationServicer
from siklus.services.rpc.cohorts import Cohorts
from siklus.services.rpc.cycles import Cycles
from siklus.services.rpc.documents import Documents
from siklus.services.rpc.evaluations import EvaluationServicer
from siklus.services.rpc.feedback import Feedback
from siklus.services.rpc.operations import Operations
from siklus.services.rpc.outcomes import Outcomes
from siklus.services.rpc.pace import USUAL, Pace
from siklus.services.rpc.policies import Policies
from siklus.services.rpc.reminders import ReminderServicer
from siklus.services.rpc.repairs import RepairServicer
from siklus.services.rpc.roster import Roster
from siklus.services.rpc.roster_changes import RosterChanges
from siklus.services.rpc.roster_import import RosterImport
from siklus.services.rpc.subscriptions import Subscriptions
from siklus.services.rpc.tasks import Tasks
from siklus.services.standing_in import StandIns
from siklus.services.tls import ServerTls
from siklus.v1 import (
    appeal_panel_service_pb2_grpc,
    audit_service_pb2_grpc,
    calibration_service_pb2_grpc,
    cohort_service_pb2_grpc,
    cycle_service_pb2_grpc,
    document_service_pb2_grpc,
    evaluation_service_pb2_grpc,
    feedback_service_pb2_grpc,
    operation_service_pb2_grpc,
    outcome_service_pb2_grpc,
    policy_service_pb2_grpc,
    reminder_service_pb2_grpc,
    repair_service_pb2_grpc,
    roster_change_service_pb2_grpc,
    roster_import_service_pb2_grpc,
    roster_service_pb2_grpc,
    subscription_service_pb2_grpc,
    task_service_pb2_grpc,
)

SERVICES: Final = (
    "siklus.v1.PolicyService",
    "siklus.v1.RepairService",
    "siklus.v1.RosterService",
    "siklus.v1.RosterImportService",
    "siklus.v1.RosterChangeService",
    "siklus.v1.CycleService",
    "siklus.v1.CohortService",
    "siklus.v1.OperationService",
    "siklus.v1.EvaluationService",
    "siklus.v1.OutcomeService",
    "siklus.v1.FeedbackService",
    "siklus.v1.CalibrationService",
    "siklus.v1.AppealPanelService",
    "siklus.v1.TaskService",
    "siklus.v1.ReminderService",
    "siklus.v1.AuditService",
    "siklus.v1.DocumentService",
    "siklus.v1.SubscriptionService",
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
    checkpoints: CheckpointKeys = field(default_factory=CheckpointKeys.generate)
    """By default one of this process's own, which nobody can ask for later: for tests."""
    webhook_targets: Targets = field(default_factory=Targets)
    feed_url: str = ""
    """The store's as the feed's role; without it streams show the past alone: for tests."""
    watch_limits: WatchLimits = USUAL_WATCHES

    def watches(self) -> Watches:
        """Return the streams of a server, not running yet."""
        return Watches(self.store, self.feed_url, self.clock, self.watch_limits)


def build_server(parts: Parts, watches: Watches | None = None) -> grpc.aio.Server:
    """Return a server with all services registered, not listening yet; nobody runs its streams."""
    watches = watches or parts.watches()
    server = grpc.aio.server(
        interceptors=chain(parts.verifier.verify, pace=parts.pace),
        options=(*SERVER_OPTIONS, ("grpc.so_reuseport", 1)),
    )
    registry = cast("grpc.aio.Server", _Registry(server))
    vault = Vault(parts.keyring)
    archive = Archive(parts.store, vault)
    stand_ins = StandIns(parts.store, archive, parts.clock)
    engine = Engine(parts.client, archive, parts.clock, stand_ins)
    snapshots = Snapshots(parts.store)
    evaluation_service_pb2_grpc.add_EvaluationServiceServicer_to_server(
        EvaluationServicer(parts.store, vault, archive, engine, parts.clock, watches, snapshots),
        registry,
    )
    policy_service_pb2_grpc.add_PolicyServiceServicer_to_server(
        Policies(parts.store, parts.clock), registry
    )
    roster_service_pb2_grpc.add_RosterServiceServicer_to_server(
        Roster(parts.store, parts.client, parts.clock), registry
    )
    roster_import_service_pb2_grpc.add_RosterImportServiceServicer_to_server(
        RosterImport(parts.store, parts.clock), registry
    )
    cycle_service_pb2_grpc.add_CycleServiceServicer_to_server(
        Cycles(parts.store, parts.client, parts.clock, watches), registry
    )
    cohort_service_pb2_grpc.add_CohortServiceServicer_to_server(
        Cohorts(parts.store, parts.client, parts.clock), registry
    )
    operation_service_pb2_grpc.add_OperationServiceServicer_to_server(
        Operations(parts.store, parts.client, archive, parts.clock), registry
    )
    outcome_service_pb2_grpc.add_OutcomeServiceServicer_to_server(
        Outcomes(parts.store, parts.client, vault, snapshots, parts.clock), registry
    )
    repair_service_pb2_grpc.add_RepairServiceServicer_to_server(
        RepairServicer(parts.store, engine, parts.clock), registry
    )
    calibration_service_pb2_grpc.add_CalibrationServiceServicer_to_server(
        CalibrationServicer(parts.store, archive, engine, parts.clock, parts.client), registry
    )
    appeal_panel_service_pb2_grpc.add_AppealPanelServiceServicer_to_server(
        AppealPanelServicer(parts.store, engine, parts.clock), registry
    )
    roster_change_service_pb2_grpc.add_RosterChangeServiceServicer_to_server(
        RosterChanges(parts.store, parts.client, archive, parts.clock), registry
    )
    task_service_pb2_grpc.add_TaskServiceServicer_to_server(
        Tasks(parts.store, parts.clock), registry
    )
    subscription_service_pb2_grpc.add_SubscriptionServiceServicer_to_server(
        Subscriptions(parts.store, parts.keyring, parts.webhook_targets, parts.clock), registry
    )
    feedback_service_pb2_grpc.add_FeedbackServiceServicer_to_server(
        Feedback(parts.store, parts.client, vault, archive, parts.keyring, parts.clock, parts.pace),
        registry,
    )
    reminder_service_pb2_grpc.add_ReminderServiceServicer_to_server(
        ReminderServicer(parts.store, parts.clock), registry
    )
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(
        Audit(parts.store, vault, archive, snapshots, parts.checkpoints, parts.clock), registry
    )
    document_service_pb2_grpc.add_DocumentServiceServicer_to_server(
        Documents(parts.store, vault, archive, snapshots, parts.clock), registry
    )
    enable_reflection(server, (*SERVICES, "grpc.health.v1.Health"))
    return server


class _Registry:
    """Takes what generated code registers, in the general way alone.

    For every method that is registered by itself, grpc.aio keeps a task waiting and looks at all
    of them at each call: with our number of methods a sixth of what a read costs.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Do nothing: the same handlers come by the general way."""


@asynccontextmanager
async def running_server(
    parts: Parts,
    address: str,
    *,
    tls: ServerTls | None = None,
    usable: AsyncIterator[bool] | None = None,
) -> AsyncIterator[int]:
    """Serve on the address, yield the port, and drain: unhealthy first, then no new calls.

    Without `tls` in plain text. `usable` tells whether anybody can be let in, again whenever that
    changes: until then, and while not, it is unhealthy. Raises PortInUseError when nothing can
    listen there.
    """
    watches = parts.watches()
    server = build_server(parts, watches)
    healthy = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    try:
        if tls is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, tls.credentials())
    except RuntimeError:
        raise PortInUseError(address) from None
    await server.start()
    await _tell(healthy, await anext(usable) if usable else True)
    following = asyncio.create_task(_follow(healthy, usable)) if usable else None
    async with watches.running():
        try:
            yield port
        finally:
            if following is not None:
                following.cancel()
            await healthy.enter_graceful_shutdown()
            # An open stream would hold the server until the end of the grace, and break off then.
            await asyncio.shield(_drain(server, watches))


async def _drain(server: grpc.aio.Server, watches: Watches) -> None:
    await watches.close()
    await server.stop(GRACE_SECONDS)


async def _follow(healthy: health.HealthServicer, usable: AsyncIterator[bool]) -> None:
    async for now in usable:
        await _tell(healthy, now)


async def _tell(healthy: health.HealthServicer, usable: bool) -> None:
    status = health_pb2.HealthCheckResponse
    for service in ("", *SERVICES):
        await healthy.set(service, status.SERVING if usable else status.NOT_SERVING)
