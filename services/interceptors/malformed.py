"""Bytes that are no message. grpc.aio parses them before any interceptor runs, and would answer
UNKNOWN with Python's own words: so the parser itself is wrapped, and its failure handed inside."""

from collections.abc import AsyncIterator
from typing import Any, Final

from google.protobuf.message import DecodeError

from siklus.services.interceptors.layer import Call, Deserializer, Gate
from siklus.workflows.domain.errors import Reason, Refusal


class _Malformed:
    """Stands where a message should have come out of the bytes."""


_MALFORMED: Final = _Malformed()


class Malformed(Gate):
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

    def admit(self, call: Call) -> Any:
        """Refuse what could not be parsed; in a stream, when it comes."""
        parsed = _parsed if call.method.streams_in else _must_be_parsed
        return parsed(call.request)


async def _parsed(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _must_be_parsed(request)


def _must_be_parsed(request: Any) -> Any:
    if request is _MALFORMED:
        raise Refusal(
            Reason.MALFORMED_MESSAGE, "the bytes are not the message that this method takes"
        )
    return request
