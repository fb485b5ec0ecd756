"""Which exceptions of drivers mean that a part is away, not that something is broken."""

from typing import Final

import psycopg
import sqlalchemy.exc
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.store.outage import StoreUnavailable
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

_STORE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.TimeoutError,
)
_ENGINE_AWAY: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
    }
)


def as_refusal(error: Exception) -> ServiceRefusal | None:
    """Return the refusal that a known fault amounts to, or None for one that nobody foresaw."""
    match error:
        case StoreUnavailable():
            return ServiceRefusal(ServiceReason.STORE_UNAVAILABLE, str(error))
        case _ if isinstance(error, _STORE):
            return ServiceRefusal(
                ServiceReason.STORE_UNAVAILABLE, "the record cannot be read just now; try again"
            )
        case WorkflowUpdateRPCTimeoutOrCancelledError():
            return _engine_away()
        case RPCError() if error.status in _ENGINE_AWAY:
            return _engine_away()
        case TimeoutError():
            return ServiceRefusal(
                ServiceReason.DEADLINE_EXCEEDED,
                "no answer in time; a command may still apply: send it again unchanged",
            )
        case _:
            return None


def _engine_away() -> ServiceRefusal:
    return ServiceRefusal(
        ServiceReason.ENGINE_UNAVAILABLE,
        "decisions cannot be taken just now; send the command again unchanged",
    )
