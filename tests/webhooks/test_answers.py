"""What strange answers count as, and that none of them is listened to for long."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from siklus.activities.webhooks import sender as sender_module
from siklus.activities.webhooks.lanes import PLACES
from siklus.activities.webhooks.sender import Fault, Outcome, Sender
from siklus.activities.webhooks.targets import Targets

OK = b"HTTP/1.1 200 OK\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
TIMEOUT = 1.0
Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(speak: Speak) -> AsyncIterator[str]:
    """Answer every request like that; yield the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(writer)
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def saying(said: bytes) -> Speak:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    return speak


async def hints_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(HINT * 1000)
        await writer.drain()


async def takes_late_and_goes_on(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(TIMEOUT - 0.3)
    writer.write(OK + b"content-length: 9\r\n\r\nx")
    await writer.drain()


async def sent_to(speak: Speak) -> Outcome:
    async with (
        speaking(speak) as url,
        Sender(Targets.of("127.0.0.0/8"), lambda: datetime.now(UTC), timeout=TIMEOUT) as sender,
    ):
        return await sender.post(url, {}, "{}")


@pytest.mark.parametrize(
    "said",
    [
        OK + b"content-length: 0\r\n\r\n",
        OK + b"content-length: 100\r\n\r\nthat is all",
        b"HTTP/1.1 100 Continue\r\n\r\n" + HINT + OK + b"content-length: 0\r\n\r\n",
    ],
    ids=["short", "cut off", "after interim answers"],
)
async def test_a_status_of_2xx_is_enough(said: bytes) -> None:
    outcome = await sent_to(saying(said))

    assert (outcome.status, outcome.fault) == (200, None)


@pytest.mark.parametrize(
    "said",
    [b"\x00\xffhello\r\n\r\n", b"HTTP/1.1 999999 OK\r\n\r\n", OK + b"x: y\r\n" * 10_000],
    ids=["no HTTP", "no status", "too many headers"],
)
async def test_what_is_no_answer_is_a_lost_connection(said: bytes) -> None:
    outcome = await sent_to(saying(said))

    assert (outcome.status, outcome.fault) == (0, Fault.CONNECTION_LOST)


async def test_interim_answers_without_end_are_not_listened_to() -> None:
    outcome = await sent_to(hints_without_end)

    assert (outcome.status, outcome.fault) == (0, Fault.CONNECTION_LOST)
    assert outcome.seconds < TIMEOUT


async def test_who_takes_it_in_time_may_say_the_rest_later() -> None:
    outcome = await sent_to(takes_late_and_goes_on)

    assert (outcome.status, outcome.fault) == (200, None)


async def test_names_that_are_never_found_hold_up_no_other_receiver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up, over = sender_module._addresses, threading.Event()

    def slow(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        if host.endswith(".invalid"):
            over.wait(10)
            raise OSError
        return look_up(host.replace("good.test", "127.0.0.1"), port, family)

    monkeypatch.setattr(sender_module, "_addresses", slow)
    async with (
        speaking(saying(OK + b"content-length: 0\r\n\r\n")) as url,
        Sender(Targets.of("127.0.0.0/8"), lambda: datetime.now(UTC), timeout=TIMEOUT) as sender,
    ):
        # As many as may be under way, and as many more whose time was up.
        lost = [
            asyncio.create_task(sender.post(f"http://n{each}.invalid/", {}, "{}"))
            for each in range(3 * PLACES)
        ]
        await asyncio.sleep(0)
        outcome = await sender.post(url.replace("127.0.0.1", "good.test"), {}, "{}")
        over.set()
        await asyncio.gather(*lost)

    assert (outcome.status, outcome.fault) == (200, None)
