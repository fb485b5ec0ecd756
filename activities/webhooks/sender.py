"""One request to one receiver: over TLS, to an address that was looked at, and never elsewhere.

Nothing of an answer is kept but its status. No redirect, proxy, cookie or password of the
environment counts.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from siklus.activities.webhooks.ladder import wish_of
from siklus.activities.webhooks.targets import TargetNotAllowed, Targets

TIMEOUT: Final = 15.0
"""Seconds for all of it: finding the host, connecting, sending, and the answer's status."""
READ_BYTES: Final = 4096
"""Of an answer's body, so that its connection can be used again; a longer one is cut off."""
READ_SECONDS: Final = 0.5
INTERIM_ANSWERS: Final = 8
"""Of 100 to 199, before the one that counts."""
FIND_SECONDS: Final = 2.0
LOOKUPS_AT_ONCE: Final = 256
"""A name that nobody answers for keeps its thread longer than its attempt lasts, and all attempts
together shall not keep every thread from others: both lanes, and once more what was given up."""
_FINDERS: Final = ThreadPoolExecutor(8, thread_name_prefix="webhook-host")
CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
AGENT: Final = "Siklus-Webhooks/1"
GONE: Final = 410


class Fault(StrEnum):
    """Why an attempt failed."""

    TIMEOUT = "TIMEOUT"
    TARGET_NOT_ALLOWED = "TARGET_NOT_ALLOWED"
    HOST_UNKNOWN = "HOST_UNKNOWN"
    NO_CONNECTION = "NO_CONNECTION"
    TLS_FAILED = "TLS_FAILED"
    CONNECTION_LOST = "CONNECTION_LOST"
    REDIRECT = "REDIRECT"
    """Redirects are not followed: the subscription names where events go."""
    NOT_TAKEN = "NOT_TAKEN"
    """The receiver answered with a status that is not 2xx."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: an HTTP status, 0 for none, and why it failed, None for a success."""

    status: int
    fault: Fault | None
    seconds: float
    wish: timedelta | None = None
    """The pause that the receiver asked for."""

    @property
    def delivered(self) -> bool:
        """Tell whether the receiver took it."""
        return self.fault is None


class LookedAt(AbstractResolver):
    """Finds a host's addresses, and refuses it if one of them may not be connected to."""

    def __init__(self, targets: Targets, *, plain: bool) -> None:
        self._targets = targets
        self._plain = plain
        # Threads of its own: a slow name server must not hold up what else runs in threads.
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="webhook-host")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses; raises TargetNotAllowed, or OSError when there are none."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _addresses, host, port, family
        )
        addresses = [str(each[4][0]) for each in found]
        self._targets.must_permit(addresses, plain=self._plain)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=each[0],
                proto=each[2],
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for each, address in zip(found, addresses, strict=True)
        ]

    async def close(self) -> None:
        """Let go of the threads; what they still look up counts no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def found_at(url: URL) -> list[str]:
    """Return the addresses of a URL's host as they are now; none if they are not to be found."""
    host, port = url.raw_host or "", url.port or 0
    loop = asyncio.get_running_loop()
    lookup = loop.run_in_executor(_FINDERS, _addresses, host, port, socket.AF_UNSPEC)
    try:
        return [str(each[4][0]) for each in await asyncio.wait_for(lookup, FIND_SECONDS)]
    except (OSError, UnicodeError):
        return []


def _addresses(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
    return list(socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM))


class Answer(aiohttp.ClientResponse):
    """An answer, before which few interim ones (1xx) are read: a flood of them stops the loop."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read until the answer itself; raises ClientPayloadError after too many others."""
        # The library reads interim answers without end and offers no limit: its reader counts here.
        protocol: Any = connection.protocol
        if protocol is None:
            return await super().start(connection)
        read, came = protocol.read, 0

        async def read_few() -> tuple[RawResponseMessage, StreamReader]:
            nonlocal came
            came += 1
            if came > INTERIM_ANSWERS + 1:
                raise aiohttp.ClientPayloadError("too many interim answers")
            first: tuple[RawResponseMessage, StreamReader] = await read()
            return first

        protocol.read = read_few
        try:
            return await super().start(connection)
        finally:
            protocol.read = read


class Sender:
    """Sends while its block is open; `tls` is for tests, others trust what the system trusts."""

    def __init__(
        self,
        targets: Targets,
        now: Callable[[], datetime],
        *,
        timeout: float = TIMEOUT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._targets = targets
        self._now = now
        self._timeout = timeout
        self._tls = tls
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        tls = self._tls or ssl.create_default_context()
        self._secure = await self._open.enter_async_context(self._session(tls, plain=False))
        self._plain = await self._open.enter_async_context(self._session(False, plain=True))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def post(self, target: str, headers: Mapping[str, str], body: str) -> Outcome:
        """Send it once, and tell what came of it; raises nothing but CancelledError."""
        began = monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                url = self._targets.checked(target)
                session = self._plain if url.scheme == "http" else self._secure
                answer = await session.post(
                    url, data=body.encode(), headers=headers, allow_redirects=False
                )
            # Its status came in time, and that alone counts.
            async with answer:
                seconds = monotonic() - began
                await _drain(answer)
                wish = wish_of(answer.headers.get("retry-after"), self._now())
                return Outcome(answer.status, _fault_of(answer.status), seconds, wish)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(0, _fault(error), monotonic() - began)

    def _session(self, tls: ssl.SSLContext | bool, *, plain: bool) -> aiohttp.ClientSession:
        targets = self._targets

        def socket_to(info: tuple[Any, ...]) -> socket.socket:
            # The last look, at the very address: what a URL names by number was not resolved.
            targets.must_permit([str(info[4][0])], plain=plain)
            return socket.socket(info[0], info[1], info[2])

        resolver = LookedAt(targets, plain=plain)
        self._open.push_async_callback(resolver.close)
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            use_dns_cache=False,
            ssl=tls,
            limit=0,
            socket_factory=socket_to,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            response_class=Answer,
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"user-agent": AGENT, "content-type": CONTENT_TYPE},
        )


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Read a short body to its end; a longer or slower one costs its connection alone."""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with asyncio.timeout(READ_SECONDS):
            left = READ_BYTES
            while left > 0 and (read := await answer.content.read(left)):
                left -= len(read)


def _fault_of(status: int) -> Fault | None:
    if 200 <= status < 300:
        return None
    return Fault.REDIRECT if 300 <= status < 400 else Fault.NOT_TAKEN


def _fault(error: Exception) -> Fault:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        refused = isinstance(error.os_error, TargetNotAllowed)
        return Fault.TARGET_NOT_ALLOWED if refused else Fault.HOST_UNKNOWN
    match error:
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Fault.TLS_FAILED
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, TargetNotAllowed):
            return Fault.TARGET_NOT_ALLOWED
        case TargetNotAllowed() | aiohttp.InvalidURL():
            return Fault.TARGET_NOT_ALLOWED
        case TimeoutError():
            return Fault.TIMEOUT
        case aiohttp.ClientConnectorError():
            return Fault.NO_CONNECTION
        case _:
            return Fault.CONNECTION_LOST
