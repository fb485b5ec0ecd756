"""The one place where an exception becomes an answer; nothing a driver or a bug says leaves it."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from grpc.aio import AbortError
from grpc_status import rpc_status

from siklus.services.interceptors.faults import as_refusal
from siklus.services.interceptors.layer import Around, Call
from siklus.services.interceptors.logging import REQUEST_ID_KEY, request_id
from siklus.services.rpc.status import ServiceReason, ServiceRefusal, to_status
from siklus.workflows.domain.errors import Refusal

HEARS_SECONDS: Final = 0.5
HEARS_MESSAGES: Final = 20
"""How much of a stream is still taken once it is refused; nobody gains by sending more."""

log = structlog.get_logger("siklus.rpc")


class Errors(Around):
    """Answers refusals by the table, known faults as UNAVAILABLE, and all else as INTERNAL."""

    name = "errors"

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        """Let an abort pass and turn every other exception into one."""
        try:
            yield
        except AbortError:
            raise
        except (Refusal, ServiceRefusal) as refusal:
            await _abort(call, refusal)
        except Exception as error:
            await _abort(call, as_refusal(error) or _fault(call, error))


async def _abort(call: Call, refusal: Refusal | ServiceRefusal) -> None:
    structlog.contextvars.bind_contextvars(reason=refusal.reason.value)
    if call.method.streams_in:
        await _hear_out(call.request)
    status = rpc_status.to_status(to_status(refusal))
    trailing = (*(status.trailing_metadata or ()), (REQUEST_ID_KEY, request_id()))
    try:
        await call.context.abort(status.code, status.details or "", trailing)
    except AbortError as aborted:
        aborted.__context__ = None
        asyncio.get_running_loop().call_soon(_let_go, aborted)
        raise


async def _hear_out(requests: AsyncIterator[object]) -> None:
    """Take the rest of what a client that streams has sent, if it is little.

    Python's client, when it fails to send because the call has ended, may tell that as an error of
    its own in place of the answer.
    """
    heard = 0
    with suppress(Exception):
        async with asyncio.timeout(HEARS_SECONDS):
            async for _ in requests:
                heard += 1
                if heard == HEARS_MESSAGES:
                    break


def _let_go(aborted: AbortError) -> None:
    # grpc keeps the exception with the context, and its traceback keeps the context and the
    # request: a circle that stays until Python looks for such, as large as its caller likes.
    aborted.__traceback__ = None


def _fault(call: Call, error: Exception) -> ServiceRefusal:
    # Only where, never what: messages of exceptions quote people's data.
    where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error(
        "fault",
        method=call.method.path,
        error=type(error).__qualname__,
        cause=type(error.__cause__).__qualname__ if error.__cause__ else None,
        where=where[-8:],
    )
    return ServiceRefusal(
        ServiceReason.INTERNAL_FAULT,
        f"a fault of Siklus; tell the operator the request id {request_id()}",
        details={"request_id": request_id()},
    )
