"""Launching a cycle: the workflow of its cohort, and how it is steered while it runs."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from temporalio.client import (
    Client,
    WorkflowHandle,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError

from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.steering import engine_away, steered
from siklus.workflows import names
from siklus.workflows.cycle import OVER, CycleWorkflow, Launch, Pace, Waiting
from siklus.workflows.ports.cycle import CohortRef

PATIENCE: Final = timedelta(seconds=4)
TO_STEER: Final = timedelta(seconds=8)
"""A worker that died with the launch in its hands is passed by after four seconds."""

log = structlog.get_logger(__name__)

Steering = Callable[["WorkflowHandle[CycleWorkflow, None]"], Awaitable[Any]]
"""One Update of a launch that is under way; applying it again changes nothing."""


def paused(handle: "WorkflowHandle[CycleWorkflow, None]") -> Awaitable[Any]:
    """Begin no further page."""
    return handle.execute_update(CycleWorkflow.pause, rpc_timeout=TO_STEER)


def resumed(handle: "WorkflowHandle[CycleWorkflow, None]") -> Awaitable[Any]:
    """Go on."""
    return handle.execute_update(CycleWorkflow.resume, rpc_timeout=TO_STEER)


def cancelled(handle: "WorkflowHandle[CycleWorkflow, None]") -> Awaitable[Any]:
    """Call it off."""
    return handle.execute_update(CycleWorkflow.cancel, rpc_timeout=TO_STEER)


def paced(pace: int) -> Steering:
    """Start so many a second."""
    return lambda handle: handle.execute_update(
        CycleWorkflow.set_pace, Pace(pace=pace), rpc_timeout=TO_STEER
    )


async def launch(
    client: Client,
    cohort: CohortRef,
    *,
    pace: int,
    paused: bool = False,
    joining: bool = False,
) -> None:
    """Have everybody started who waits; a launch that runs goes on for them when it is done.

    The pace, and whether it is paused, count where a launch begins, or begins again; for those
    who are `joining`, none begins again that is being called off. Needs no worker: a signal with
    start is kept until one comes. Raises ENGINE_UNAVAILABLE.
    """
    try:
        await client.start_workflow(
            CycleWorkflow.run,
            Launch(cohort=cohort, pace=pace, paused=paused),
            id=names.cycle_workflow_id(cohort.agency, cohort.cycle),
            task_queue=names.COHORT_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="somebody_waits",
            start_signal_args=[Waiting(pace=pace, joining=joining)],
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(names.AGENCY, cohort.agency),
                    SearchAttributePair(names.CYCLE, cohort.cycle),
                ]
            ),
            rpc_timeout=PATIENCE,
        )
    except (RPCError, RuntimeError) as error:
        # A client that cannot even connect says so by a bare RuntimeError.
        log.warning("launch_not_started", error=type(error).__name__)
        raise engine_away("nothing can be started right now") from error


async def steer(client: Client, cohort: CohortRef, steering: Steering) -> None:
    """Apply one Update to a launch; people can see it when this returns.

    Raises ServiceRefusal CYCLE_STATE where nothing is being launched, ENGINE_UNAVAILABLE and
    DEADLINE_EXCEEDED.
    """
    workflow = names.cycle_workflow_id(cohort.agency, cohort.cycle)
    handle = client.get_workflow_handle_for(CycleWorkflow.run, workflow)
    await steered(lambda: steering(handle), what="the launch", over=not_under_way(), over_type=OVER)


def not_under_way() -> ServiceRefusal:
    """Return the refusal of steering where nothing is being launched."""
    return ServiceRefusal(
        ServiceReason.CYCLE_STATE, "nothing is being launched; LaunchCycle begins or goes on"
    )
