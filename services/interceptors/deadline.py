"""No call waits for ever: each has its client's deadline or ours, whichever comes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from siklus.services.interceptors.layer import Around, Call
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

LIMIT_SECONDS: Final = 10.0
"""Longer than the slowest honest call, an import of 1,000 rows, by some margin."""


class Deadline(Around):
    """Ends a call after `limit` seconds at the latest; streams live as long as they like."""

    name = "deadline"

    def __init__(self, limit: float = LIMIT_SECONDS) -> None:
        super().__init__()
        self._limit = limit

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        """Cancel the handler when time is up and answer DEADLINE_EXCEEDED."""
        if call.method.streams:
            yield
            return
        # None without a deadline of the client; grpc's stubs leave that out.
        remaining: float | None = call.context.time_remaining()
        limit = self._limit if remaining is None else min(remaining, self._limit)
        try:
            async with asyncio.timeout(limit) as timer:
                yield
        except TimeoutError:
            if not timer.expired():
                raise
            raise ServiceRefusal(
                ServiceReason.DEADLINE_EXCEEDED,
                "no answer in time; a command may still apply: send it again unchanged",
                details={"limit_seconds": f"{limit:.3f}"},
            ) from None
