"""Operations under way: begun, and steered while they run."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.undertaking import undertake
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.operation import OVER, OperationWorkflow

PATIENCE: Final = timedelta(seconds=4)
ATTEMPTS: Final = 3
"""A run that continues as new may drop an Update."""
PAUSE_SECONDS: Final = 0.15

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
        raise _engine_away("nothing can be begun right now") from error


async def steer(client: Client, agency: AgencyId, operation: str, steering: Steering) -> None:
    """Apply one Update to an operation; people can see it when this returns.

    Raises ServiceRefusal OPERATION_STATE where it is over, ENGINE_UNAVAILABLE and
    DEADLINE_EXCEEDED.
    """
    workflow = names.operation_workflow_id(agency, operation)
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(PAUSE_SECONDS)
        handle = client.get_workflow_handle_for(OperationWorkflow.run, workflow)
        try:
            await steering(handle)
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == OVER:
                raise over() from error
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise ServiceRefusal(
                ServiceReason.DEADLINE_EXCEEDED,
                "no answer in time; it may have been applied: send it again",
            ) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise over() from error
            raise _engine_away("the operation cannot be steered right now") from error
        except RuntimeError as error:
            raise _engine_away("the operation cannot be steered right now") from error
        else:
            return
    raise _engine_away("the operation cannot be steered right now")


def over() -> ServiceRefusal:
    """Return the refusal of steering what is over."""
    return ServiceRefusal(ServiceReason.OPERATION_STATE, "this operation is over")


def _engine_away(what: str) -> ServiceRefusal:
    return ServiceRefusal(ServiceReason.ENGINE_UNAVAILABLE, f"{what}; send the same request again")
