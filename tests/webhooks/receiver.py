"""A real HTTPS receiver on the loopback that keeps what it is sent and answers as it is told."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import trustme
from aiohttp import web
from standardwebhooks import Webhook

HOST = "127.0.0.1"
Answer = Callable[["Received"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: str
    request: web.Request = field(repr=False, compare=False)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def what(self) -> tuple[str, int]:
        """Whose event it is, and its number."""
        return self.event["data"]["name"].split("/")[-1].split(".")[0], self.event["data"]["seq"]

    def verified(self, secret: str) -> Any:
        return Webhook(secret).verify(self.body, self.headers)


def answering(status: int, **headers: str) -> Answer:
    async def answer(received: Received) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return answer


async def never(received: Received) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


class Receiver:
    """Takes everything until told otherwise."""

    def __init__(self, authority: trustme.CA | None = None) -> None:
        self.came: list[Received] = []
        self.answer: Answer = answering(204)
        self._authority = authority
        self._something = asyncio.Condition()

    @property
    def url(self) -> str:
        scheme = "https" if self._authority else "http"
        return f"{scheme}://{HOST}:{self.port}/events"

    async def got(self, count: int, *, within: float = 8.0) -> list[Received]:
        """Wait until so many requests have come."""
        async with asyncio.timeout(within), self._something:
            await self._something.wait_for(lambda: len(self.came) >= count)
        return self.came

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.path, headers, body, request)
        self.came.append(received)
        async with self._something:
            self._something.notify_all()
        return await self.answer(received)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        context = None
        if self._authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(HOST).configure_cert(context)
        site = web.TCPSite(self._runner, HOST, 0, ssl_context=context)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
