"""Steering what is under way: one Update of its workflow, with every way in which it can end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from siklus.services.rpc.status import ServiceReason, ServiceRefusal

ATTEMPTS: Final = 3
"""A run that continues as new may drop an Update."""
PAUSE_SECONDS: Final = 0.15


async def steered(
    update: Callable[[], Awaitable[Any]], *, what: str, over: ServiceRefusal, over_type: str
) -> None:
    """Apply an Update that changes nothing when it is applied again; people see it afterwards.

    Raises `over` where nothing runs, or where the workflow says so by a failure of that type;
    ENGINE_UNAVAILABLE and DEADLINE_EXCEEDED.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(PAUSE_SECONDS)
        try:
            await update()
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == over_type:
                raise over from error
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise ServiceRefusal(
                ServiceReason.DEADLINE_EXCEEDED,
                "no answer in time; it may have been applied: send it again",
            ) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise over from error
            raise engine_away(f"{what} cannot be steered right now") from error
        except RuntimeError as error:
            # A client that cannot even connect says so by a bare RuntimeError.
            raise engine_away(f"{what} cannot be steered right now") from error
        else:
            return
    raise engine_away(f"{what} cannot be steered right now")


def engine_away(what: str) -> ServiceRefusal:
    """Return the refusal while Temporal is away."""
    return ServiceRefusal(ServiceReason.ENGINE_UNAVAILABLE, f"{what}; send the same request again")
