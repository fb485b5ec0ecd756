"""Bytes to any method of any shape, and what came back."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from tests.fuzz.callers import Metadata
from tests.fuzz.methods import Method

LISTENS_SECONDS: Final = 0.15
"""How long somebody listens to a stream that says nothing before leaving it."""

NOT_SENT: Final = "Internal error from Core"
"""What Python's client says where a stream was refused while it was sending, in place of what the
server answered; the server never says it. The call is sent again, to hear the refusal."""


@dataclass(frozen=True)
class Request:
    """One call as it goes out."""

    method: Method
    body: bytes
    metadata: Metadata
    deadline: float
    """Seconds."""
    messages: int = 2
    """How many are read of a stream, and sent in one, before it is left."""


@dataclass
class Answered:
    """What came back, and how it ended: no error for a good answer or a stream that was left."""

    answers: list[bytes] = field(default_factory=list)
    error: grpc.aio.AioRpcError | None = None


class Line:
    """Several channels to one server, used in turn."""

    def __init__(self, channels: list[grpc.aio.Channel]) -> None:
        self._channels = channels
        self._stubs: dict[tuple[int, str], Any] = {}

    async def send(self, number: int, request: Request) -> Answered:
        """Send one call and read what it gives."""
        while True:
            answered = Answered()
            try:
                await self._sent(number % len(self._channels), request, answered.answers)
            except grpc.aio.AioRpcError as error:
                if error.details() == NOT_SENT and not error.trailing_metadata():
                    continue
                answered.error = error
            return answered

    async def _sent(self, channel: int, request: Request, answers: list[bytes]) -> None:
        method = request.method
        stub = self._stub(channel, method)
        given = [request.body] * request.messages if method.streams_in else request.body
        call = stub(
            _each(given) if method.streams_in else given,
            metadata=request.metadata,
            timeout=request.deadline,
        )
        if not method.streams_out:
            answers.append(await call)
            return
        try:
            for _ in range(request.messages):
                read = await asyncio.wait_for(call.read(), LISTENS_SECONDS)
                if read is grpc.aio.EOF:
                    await call.code()
                    break
                answers.append(read)
        except TimeoutError:
            pass
        finally:
            call.cancel()

    def _stub(self, channel: int, method: Method) -> Any:
        stub = self._stubs.get((channel, method.path))
        if stub is None:
            sides = (
                "stream" if each else "unary" for each in (method.streams_in, method.streams_out)
            )
            make = getattr(self._channels[channel], "_".join(sides))
            stub = self._stubs[channel, method.path] = make(method.path)
        return stub


async def _each(bodies: Any) -> Any:
    for body in bodies:
        yield body
