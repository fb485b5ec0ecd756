"""One line per call: method, code, milliseconds, request id. Nothing about people or content."""

import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

import structlog
from grpc import StatusCode

from siklus.services.interceptors.layer import Call, Layer

REQUEST_ID_KEY: Final = "x-request-id"
_SAFE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_request_id: ContextVar[str] = ContextVar("siklus_request_id", default="")

log = structlog.get_logger("siklus.rpc")


def request_id() -> str:
    """Return the id under which the current call is logged; empty outside a call."""
    return _request_id.get()


class Logging(Layer):
    """Gives each call an id, its own or a new one, answers with it, and logs how it ended."""

    name = "logging"

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[object]:
        """Time the call; the id holds for everything logged inside."""
        known_as = _given(call) or uuid.uuid4().hex
        _request_id.set(known_as)
        structlog.contextvars.bind_contextvars(request_id=known_as)
        call.context.set_trailing_metadata(((REQUEST_ID_KEY, known_as),))
        started = time.perf_counter()
        cancelled = True
        try:
            yield call.request
            cancelled = False
        except Exception:
            cancelled = False
            raise
        finally:
            code = "CANCELLED" if cancelled else _code(call)
            ms = round((time.perf_counter() - started) * 1000, 1)
            # Probes and tools call all the time and tell nothing.
            write = log.debug if call.public else log.info
            write("call", method=call.method, code=code, ms=ms)


def _given(call: Call) -> str | None:
    for key, value in call.context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _SAFE.fullmatch(value):
            return value
    return None


def _code(call: Call) -> str:
    # grpc.aio holds the number until somebody set a code, and 0 when nobody did.
    code = call.context.code()
    if isinstance(code, StatusCode):
        return code.name
    return next((known.name for known in StatusCode if known.value[0] == (code or 0)), "UNKNOWN")
