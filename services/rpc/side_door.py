"""Where those come in whom nobody knows: few at once, so that they never fill the house."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from siklus.services.rpc.pace import Meter, Pace
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

AT_ONCE: Final = 3
"""Of the pool's ten connections: whoever has a token finds one free, whatever comes in here."""
PATIENCE: Final = 0.5
"""Seconds; as long as a citizen does not notice."""
PACE: Final = Pace(100, 200)
"""Of all addresses together: a whole province rating at the end of a working day is below it."""


class SideDoor:
    """Lets calls without a token in, for one process; those of all addresses share it."""

    def __init__(self, *, limits: bool) -> None:
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._meter = Meter(PACE) if limits else None

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Hold a place until the block is left; raises RATE_LIMITED where none comes free soon."""
        wait = self._meter.wait("", time.monotonic()) if self._meter is not None else 0.0
        if wait:
            raise _crowded(wait)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._slots.acquire()
        except TimeoutError:
            raise _crowded(2 * PATIENCE) from None
        try:
            yield
        finally:
            self._slots.release()


def _crowded(wait: float) -> ServiceRefusal:
    return ServiceRefusal(
        ServiceReason.RATE_LIMITED,
        "too many rate at this moment; go on after the time that RetryInfo tells",
        details={"retry_after_seconds": f"{wait:.2f}"},
        retry_after=wait,
    )
