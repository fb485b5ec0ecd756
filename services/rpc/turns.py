"""Turns at work that costs processor time, so that one caller's crowd keeps nobody else waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from siklus.services.auth.caller import Caller


class Turns:
    """Lets a few callers work at once, and each of them on one thing at a time."""

    def __init__(self, seats: int) -> None:
        self._seats = asyncio.Semaphore(seats)
        self._callers = WeakValueDictionary[tuple[str, str], asyncio.Lock]()

    @asynccontextmanager
    async def of(self, caller: Caller) -> AsyncIterator[None]:
        """Wait for the caller's turn, and hold it."""
        who = (caller.agency, caller.subject)
        own = self._callers.setdefault(who, asyncio.Lock())
        async with own, self._seats:
            yield
