"""Telling Temporal that a long activity lives, by time and not by how much it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from temporalio import activity

from siklus.workflows.ports import limits

EVERY_SECONDS: Final = limits.HEARTBEAT.total_seconds() / 4
"""A quarter of what workflows wait for a sign of life."""


class Heartbeat:
    """A sign of life with how far the activity is, for an attempt that takes it over."""

    def __init__(self) -> None:
        details = activity.info().heartbeat_details
        self.reached = str(details[0]) if details else ""
        """At first, how far an interrupted attempt had come."""

    def beat(self) -> None:
        """Give a sign now."""
        activity.heartbeat(self.reached)


@asynccontextmanager
async def heartbeat() -> AsyncIterator[Heartbeat]:
    """Give a sign of life every few seconds until the block is left."""
    heart = Heartbeat()

    async def beat_on() -> None:
        while True:
            heart.beat()
            await asyncio.sleep(EVERY_SECONDS)

    beating = asyncio.create_task(beat_on())
    try:
        yield heart
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
