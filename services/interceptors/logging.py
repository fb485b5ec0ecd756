"""One line per call: method, code, milliseconds, request id. Nothing about people or content.

Good reads come by the thousand and change nothing: they are logged for debugging alone.
"""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final

import structlog
from grpc import StatusCode

from siklus.services.interceptors.layer import Around, Call

REQUEST_ID_KEY: Final = "x-request-id"
_SAFE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_READS: Final = ("Get", "List", "Count", "Describe", "Explain")
_request_id: ContextVar[str] = ContextVar("siklus_request_id", default="")

log = structlog.get_logger("siklus.rpc")


def request_id() -> str:
    """Return the id under which the current call is logged; empty outside a call."""
    return _request_id.get()


class Logging(Around):
    """Gives each call an id, its caller's or a new one, and logs how it ended."""

    name = "logging"

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        """Time the call; the id holds for everything logged inside."""
        known_as = _given(call) or f"{random.getrandbits(128):032x}"
        _request_id.set(known_as)
        structlog.contextvars.bind_contextvars(request_id=known_as)
        started = time.perf_counter()
        cancelled = False
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            cancelled = True
            raise
        finally:
            code = "CANCELLED" if cancelled else _code(call)
            ms = round((time.perf_counter() - started) * 1000, 1)
            write = log.debug if code == "OK" and _is_read(call) else log.info
            write("call", method=call.method.path, code=code, ms=ms)


def _is_read(call: Call) -> bool:
    return call.method.public or call.method.path.rpartition("/")[2].startswith(_READS)


def _given(call: Call) -> str | None:
    for key, value in call.context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _SAFE.fullmatch(value):
            return value
    return None


def _code(call: Call) -> str:
    # 0 until somebody sets one, whatever grpc's stubs say.
    code: Any = call.context.code()
    return code.name if isinstance(code, StatusCode) else "OK"
