"""What an answer must never be or hold, whatever was asked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from protos.publishing.contract import published
from protos.publishing.reasons import reasons_of
from siklus.services.rpc.status import ANSWERS, DOMAIN
from siklus.v1 import errors_pb2
from tests.fuzz.hostile import LIMIT

Code = grpc.StatusCode
INSIDE: Final = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|psycopg|sqlalchemy|asyncpg|protovalidate|pydantic"
    r"|temporal|workflow_|cygrpc|upb\b|\w+Error\b|\w+Exception\b|SQLSTATE|SELECT |INSERT "
    r"|UPDATE |DETAIL:|relation \"|<class|object at 0x|\bsiklus\.(services|activities|workflows)"
    r"|/usr/|/tmp/|/home/|NoneType|\bevaluation_view\b|siklus_app|siklus_owner|\b\d{18}\b"
)
"""How drivers, servers, files, our code and people's numbers look when they leak."""
DOCUMENTED: Final = frozenset(errors_pb2.Reason.keys())
_CODES: Final = {reason.value: answer.code for reason, answer in ANSWERS.items()}


@dataclass(frozen=True)
class Said:
    """An answer: its code, the reason of a refusal, and how long it took."""

    code: Code
    reason: str = ""
    seconds: float = 0.0
    retry_after: float = 0.0

    @property
    def past_the_rules(self) -> bool:
        """Tell whether the call came as far as the state of things: it was done, or it could not.

        Whatever is refused for its form, its token or its role was refused before that.
        """
        return self.code is Code.OK or self.code in {
            Code.FAILED_PRECONDITION,
            Code.ABORTED,
            Code.ALREADY_EXISTS,
        }


@dataclass(frozen=True)
class Asked:
    """What the verdict must know of a call."""

    body: bytes
    deadline: float
    streamed: bool
    marks: tuple[str, ...]
    """Words of another agency, which nobody here may read."""
    reasons: frozenset[str]
    """What the reference says that this method may answer with."""


@cache
def may_answer(method: str) -> frozenset[str]:
    """Return the reasons that the reference names for a method."""
    contract = published()
    return frozenset(reasons_of(contract, contract.methods[method]))


def faults_of_answer(answers: list[bytes], asked: Asked) -> Iterator[str]:
    """Yield what is wrong with a good answer."""
    for answer in answers:
        for mark in asked.marks:
            if mark.encode() in answer and mark.encode() not in asked.body:
                yield f"it shows another agency's {mark}"


def faults_of_refusal(error: grpc.aio.AioRpcError, asked: Asked, seconds: float) -> Iterator[str]:
    """Yield what is wrong with a refusal."""
    code = error.code()
    if code in {Code.INTERNAL, Code.UNKNOWN, Code.UNIMPLEMENTED, Code.DATA_LOSS}:
        yield f"{code.name}: {error.details()}"
    yield from _leaks(error, asked)
    info = info_of(error)
    if code is Code.DEADLINE_EXCEEDED and not info.reason:
        # The client's own clock; an honest one waits longer than the server ever does.
        if asked.deadline > 10:
            yield f"it hung for {seconds:.1f} s"
        return
    if code is Code.RESOURCE_EXHAUSTED and not info.reason:
        if len(asked.body) <= LIMIT:
            yield f"the transport stopped {len(asked.body)} bytes: {error.details()}"
        return
    if code is Code.CANCELLED and asked.streamed:
        return
    yield from _faults_of_form(error, info)
    if f"REASON_{info.reason}" in DOCUMENTED and info.reason not in asked.reasons:
        yield f"{info.reason} does not stand among the reasons of this method"


def _faults_of_form(error: grpc.aio.AioRpcError, info: ErrorInfo) -> Iterator[str]:
    if f"REASON_{info.reason}" not in DOCUMENTED:
        yield f"{error.code().name} with the reason {info.reason!r}: {error.details()}"
    elif _CODES[info.reason] is not error.code():
        yield f"{info.reason} is not answered by {error.code().name}"
    if info.domain != DOMAIN:
        yield f"the domain {info.domain!r}"
    if not any(key == "x-request-id" and value for key, value in error.trailing_metadata() or ()):
        yield f"{info.reason} without a request id"


def _leaks(error: grpc.aio.AioRpcError, asked: Asked) -> Iterator[str]:
    said = [error.details() or ""]
    said += [str(value) for key, value in error.trailing_metadata() or () if "-bin" not in key]
    given_up: Any = error
    status = rpc_status.from_call(given_up)
    said += [str(detail) for detail in status.details] if status else []
    given = asked.body.decode(errors="replace")
    for text in said:
        for found in INSIDE.finditer(text):
            if found.group().strip() not in given:
                yield f"it tells of the inside: {found.group()!r} in {text[:200]!r}"
        if any(mark in text and mark not in given for mark in asked.marks):
            yield f"it shows another agency's words: {text[:200]!r}"


def info_of(error: grpc.aio.AioRpcError) -> ErrorInfo:
    """Return the ErrorInfo of a refusal, an empty one when there is none."""
    given: Any = error
    status, info = rpc_status.from_call(given), ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            break
    return info
