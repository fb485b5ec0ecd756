"""An export that is broken off ends with the thread that wrote for it."""

import asyncio
import threading

import pytest

from siklus.services.rpc.results_export import _beside


async def test_a_call_that_is_broken_off_waits_for_its_thread() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        may_end.wait(10)
        ended.set()

    writing = asyncio.create_task(_beside(write))
    await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    # Cancelled, and still waiting: the thread has not ended.
    await asyncio.wait([writing], timeout=0.01)
    assert not writing.done()
    may_end.set()

    with pytest.raises(asyncio.CancelledError):
        await writing
    assert ended.is_set()
