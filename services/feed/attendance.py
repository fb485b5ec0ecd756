"""Who watches now: how many may, and how all of them are sent away politely."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from siklus.services.auth.caller import Caller
from siklus.services.feed.stream import Ending, Stream
from siklus.services.rpc.status import ServiceReason, ServiceRefusal


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """What streams may cost a process."""

    per_process: int = 2000
    """Streams of one process: some 10,000 messages a second are all that it can send."""
    per_caller: int = 50
    """Streams of one caller; a program that follows many cycles needs some."""
    waiting: int = 5000
    """Changes that may wait for one client to read them."""
    heartbeat: float = 10.0
    """Seconds between checkpoints; the contract promises 15."""
    farewell: float = 2.0
    """Seconds in which a client may take the last message."""


USUAL: Final = WatchLimits()


class Attendance:
    """All open streams of this process."""

    def __init__(self, limits: WatchLimits) -> None:
        self.limits = limits
        self._streams: set[Stream] = set()
        self._callers: Counter[tuple[str, str]] = Counter()
        self._closing = False
        self._empty = asyncio.Event()

    @contextmanager
    def stream(self, caller: Caller, now: datetime) -> Iterator[Stream]:
        """Open a stream for the current task.

        Raises RATE_LIMITED beyond the limits and SHUTTING_DOWN when the server does. A stream that
        was cut off leaves with the refusal that says why.
        """
        who = (caller.agency, caller.subject)
        self._must_be_admitted(who)
        ends_in = (caller.until - now).total_seconds() if caller.until else None
        stream = Stream(
            heartbeat=self.limits.heartbeat,
            most=self.limits.waiting,
            ends_in=ends_in,
            patience=self.limits.farewell,
        )
        self._streams.add(stream)
        self._callers[who] += 1
        try:
            yield stream
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if stream.ending is None or task is None:
                raise
            task.uncancel()
        finally:
            stream.over()
            self._streams.discard(stream)
            self._callers[who] -= 1
            if not self._callers[who]:
                del self._callers[who]
            if not self._streams:
                self._empty.set()
        must_not_end(stream)

    async def close(self) -> None:
        """Take no new streams, send the open ones their last message, and wait for them."""
        self._closing = True
        self._empty.clear()
        for stream in self._streams:
            stream.end(Ending.CLOSING)
        if self._streams:
            await self._empty.wait()

    def _must_be_admitted(self, who: tuple[str, str]) -> None:
        if self._closing:
            raise ServiceRefusal(
                ServiceReason.SHUTTING_DOWN, "this server shuts down; connect again and resume"
            )
        if self._callers[who] >= self.limits.per_caller:
            raise _too_many("you watch", self.limits.per_caller)
        if len(self._streams) >= self.limits.per_process:
            raise _too_many("all together watch", self.limits.per_process)


def must_not_end(stream: Stream) -> None:
    """Raise the refusal with which a stream ends, if it is to end with one."""
    match stream.ending:
        case Ending.TOO_SLOW:
            raise ServiceRefusal(
                ServiceReason.WATCHER_TOO_SLOW,
                "changes come faster than they are read; resume with the token of the last message"
                " that was handled",
            )
        case Ending.EXPIRED:
            raise ServiceRefusal(
                ServiceReason.TOKEN_EXPIRED,
                "the token has expired; get another and resume with the token of the last message",
            )
        case _:
            return


def _too_many(who: str, most: int) -> ServiceRefusal:
    return ServiceRefusal(
        ServiceReason.RATE_LIMITED,
        f"{who} over {most} streams at once; close one, or try again later",
        details={"limit": str(most)},
        retry_after=5.0,
    )
