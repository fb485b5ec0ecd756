"""Operations under way: begun, and steered while they run."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from temporalio.client import (
    Client,
    WorkflowHandle,
)
from temporalio.service import RPCError

from siklus.activities.undertaking import undertake
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.steering import engine_away, steered
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.operation import OVER, OperationWorkflow

PATIENCE: Final = timedelta(seconds=4)

log = structlog.get_logger(__name__)

Steering = Callable[["WorkflowHandle[OperationWorkflow, None]"], Awaitable[Any]]
"""One Update of an operation that is under way; applying it again changes nothing."""


def paused(handle: "WorkflowHandle[OperationWorkflow, None]") -> Awaitable[Any]:
    """Begin no further page."""
    return handle.execute_update(OperationWorkflow.pause, rpc_timeout=PATIENCE)


def resumed(handle: "WorkflowHandle[OperationWorkflow, None]") -> Awaitable[Any]:
    """Go on."""
    return handle.execute_update(OperationWorkflow.resume, rpc_timeout=PATIENCE)


def cancelled(handle: "WorkflowHandle[OperationWorkflow, None]") -> Awaitable[Any]:
    """Call it off."""
    return handle.execute_update(OperationWorkflow.cancel, rpc_timeout=PATIENCE)


async def begin(client: Client, agency: AgencyId, operation: str, *, pace: int = 0) -> None:
    """Have an operation done that has been entered, once. Raises ENGINE_UNAVAILABLE."""
    try:
        await undertake(client, agency, operation, pace=pace)
    except (RPCError, RuntimeError) as error:
        # A client that cannot even connect says so by a bare RuntimeError.
        log.warning("operation_not_begun", error=type(error).__name__)
        raise engine_away("nothing can be begun right now") from error


async def steer(client: Client, agency: AgencyId, operation: str, steering: Steering) -> None:
    """Apply one Update to an operation; people can see it when this returns.

    Raises ServiceRefusal OPERATION_STATE where it is over, ENGINE_UNAVAILABLE and
    DEADLINE_EXCEEDED.
    """
    workflow = names.operation_workflow_id(agency, operation)
    handle = client.get_workflow_handle_for(OperationWorkflow.run, workflow)
    await steered(lambda: steering(handle), what="the operation", over=over(), over_type=OVER)


def over() -> ServiceRefusal:
    """Return the refusal of steering what is over."""
    return ServiceRefusal(ServiceReason.OPERATION_STATE, "this operation is over")
