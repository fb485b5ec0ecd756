"""Bytes that are no message. grpc.aio parses them before any interceptor runs, and would answer
UNKNOWN with Python's own words: so the parser itself is wrapped, and its failure handed inside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from google.protobuf.message import DecodeError

from siklus.services.interceptors.layer import Call, Deserializer, Layer
from siklus.workflows.domain.errors import Reason, Refusal


class _Malformed:
    """Stands where a message should have come out of the bytes."""


_MALFORMED: Final = _Malformed()


class Malformed(Layer):
    """Answers MALFORMED_MESSAGE, in its place behind the token."""

    name = "malformed"

    def deserializer(self, given: Deserializer | None) -> Deserializer | None:
        """Return a parser that never raises."""
        if given is None:
            return None

        def parse(data: bytes) -> Any:
            try:
                return given(data)
            except (DecodeError, ValueError, RecursionError):
                return _MALFORMED

        return parse

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[object]:
        """Refuse what could not be parsed; in a stream, when it comes."""
        if hasattr(call.request, "__aiter__"):
            yield _parsed(call.request)
        else:
            yield _must_be_parsed(call.request)


async def _parsed(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _must_be_parsed(request)


def _must_be_parsed(request: Any) -> Any:
    if request is _MALFORMED:
        raise Refusal(
            Reason.MALFORMED_MESSAGE, "the bytes are not the message that this method takes"
        )
    return request
