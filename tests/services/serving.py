"""A server with the services of agencies and the real chain around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from temporalio.client import Client

from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.feed.watches import Watches
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.rpc.appeal_panels import AppealPanelServicer
from siklus.services.rpc.calibrations import CalibrationServicer
from siklus.services.rpc.cohorts import Cohorts
from siklus.services.rpc.cycles import Cycles
from siklus.services.rpc.feedback import Feedback
from siklus.services.rpc.pace import UNLIMITED
from siklus.services.rpc.policies import Policies
from siklus.services.rpc.reminders import ReminderServicer
from siklus.services.rpc.roster import Roster
from siklus.services.rpc.roster_import import RosterImport
from siklus.services.rpc.subscriptions import Subscriptions
from siklus.services.rpc.tasks import Tasks
from siklus.v1 import (
    appeal_panel_service_pb2_grpc,
    calibration_service_pb2_grpc,
    cohort_service_pb2_grpc,
    cycle_service_pb2_grpc,
    feedback_service_pb2_grpc,
    policy_service_pb2_grpc,
    reminder_service_pb2_grpc,
    roster_import_service_pb2_grpc,
    roster_service_pb2_grpc,
    subscription_service_pb2_grpc,
    task_service_pb2_grpc,
)
from tests.services.desk import verify
from tests.webhooks.mailroom import KEYRING, LOOPBACK


@asynccontextmanager
async def serving(store: Store, temporal: Client, clock: Clock) -> AsyncIterator[grpc.aio.Channel]:
    """Run the services of agencies over these parts; yield a channel to them."""
    server = grpc.aio.server(interceptors=chain(verify), options=list(SERVER_OPTIONS))
    policy_service_pb2_grpc.add_PolicyServiceServicer_to_server(Policies(store, clock), server)
    roster_service_pb2_grpc.add_RosterServiceServicer_to_server(
        Roster(store, temporal, clock), server
    )
    roster_import_service_pb2_grpc.add_RosterImportServiceServicer_to_server(
        RosterImport(store, clock), server
    )
    cycle_service_pb2_grpc.add_CycleServiceServicer_to_server(
        Cycles(store, temporal, clock, Watches(store, "", clock)), server
    )
    cohort_service_pb2_grpc.add_CohortServiceServicer_to_server(
        Cohorts(store, temporal, clock), server
    )
    task_service_pb2_grpc.add_TaskServiceServicer_to_server(Tasks(store, clock), server)
    subscription_service_pb2_grpc.add_SubscriptionServiceServicer_to_server(
        Subscriptions(store, KEYRING, LOOPBACK, clock), server
    )
    reminder_service_pb2_grpc.add_ReminderServiceServicer_to_server(
        ReminderServicer(store, clock), server
    )
    vault = Vault(KEYRING)
    archive = Archive(store, vault)
    feedback_service_pb2_grpc.add_FeedbackServiceServicer_to_server(
        Feedback(store, temporal, vault, archive, KEYRING, clock, UNLIMITED), server
    )
    engine = Engine(temporal, archive, clock)
    calibration_service_pb2_grpc.add_CalibrationServiceServicer_to_server(
        CalibrationServicer(store, archive, engine, clock, temporal), server
    )
    appeal_panel_service_pb2_grpc.add_AppealPanelServiceServicer_to_server(
        AppealPanelServicer(store, engine, clock), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(0)
