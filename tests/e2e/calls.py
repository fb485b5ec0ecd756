"""Calls as any client makes them: a message, a token, a deadline; and what a refusal says."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from siklus.v1 import (
    appeal_panel_service_pb2,
    audit_service_pb2,
    calibration_service_pb2,
    cohort_service_pb2,
    cycle_service_pb2,
    document_service_pb2,
    evaluation_service_pb2,
    feedback_service_pb2,
    operation_service_pb2,
    outcome_service_pb2,
    policy_service_pb2,
    reminder_service_pb2,
    repair_service_pb2,
    roster_change_service_pb2,
    roster_service_pb2,
    subscription_service_pb2,
    task_service_pb2,
)

PATIENCE: Final = 15.0
"""Seconds; the server itself answers every call within ten."""

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Refused:
    """A refusal as its caller sees it."""

    code: grpc.StatusCode
    reason: str
    facts: dict[str, str]
    fields: list[str]
    message: str
    everything: str
    """Every text of the answer, for whoever looks for what should not be there."""
    retry_after: float = 0.0
    """Seconds that RetryInfo tells; 0 without one."""

    @property
    def revision(self) -> int:
        """The revision that the refusal tells."""
        return int(self.facts["revision"])


@dataclass
class Expected:
    """Holds the refusal once it was met."""

    met: list[Refused] = field(default_factory=list)

    @property
    def refusal(self) -> Refused:
        """The refusal."""
        (refusal,) = self.met
        return refusal


def bearer(token: str) -> Metadata:
    """Return the metadata of a token."""
    return (("authorization", f"Bearer {token}"),)


async def call(
    channel: grpc.aio.Channel, request: Message, metadata: Metadata, within: float = PATIENCE
) -> Any:
    """Send a request to the one method that takes it."""
    path, answer = _METHODS[request.DESCRIPTOR.full_name]
    rpc: Any = channel.unary_unary(
        path,
        request_serializer=type(request).SerializeToString,
        response_deserializer=answer.FromString,
    )
    return await rpc(request, metadata=metadata, timeout=within)


async def raw(
    channel: grpc.aio.Channel, path: str, body: bytes, metadata: Metadata, within: float = PATIENCE
) -> bytes:
    """Send bytes to any method, known or not."""
    rpc: Any = channel.unary_unary(path)
    answer: bytes = await rpc(body, metadata=metadata, timeout=within)
    return answer


def path_of(request: type[Message]) -> str:
    """Return the method that takes such a request."""
    return _METHODS[request.DESCRIPTOR.full_name][0]


@contextmanager
def refused(code: grpc.StatusCode, reason: str = "", **facts: str) -> Iterator[Expected]:
    """Expect a refusal with that code, that reason, and at least these facts."""
    expected = Expected()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield expected
    refusal = refusal_of(caught.value)
    expected.met.append(refusal)
    assert (refusal.code, refusal.reason) == (code, reason), refusal.message
    assert facts.items() <= refusal.facts.items()


async def outcome(answer: Awaitable[Any]) -> Any:
    """Return the answer, or the refusal in its place."""
    try:
        return await answer
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)


def refusal_of(error: grpc.aio.AioRpcError) -> Refused:
    """Read a refusal with all that it carries."""
    given: Any = error
    status = rpc_status.from_call(given)
    info, fields, again = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in status.details if status else ():
        detail.Unpack(info)
        detail.Unpack(fields)
        detail.Unpack(again)
    trailing = [(key, value) for key, value in error.trailing_metadata() or () if "-bin" not in key]
    return Refused(
        code=error.code(),
        reason=info.reason,
        facts=dict(info.metadata),
        fields=[violation.field for violation in fields.field_violations],
        message=error.details() or "",
        everything=f"{error.details()} {trailing} {status}",
        retry_after=again.retry_delay.ToTimedelta().total_seconds(),
    )


def _methods() -> Iterator[tuple[str, tuple[str, type[Message]]]]:
    for file in (
        appeal_panel_service_pb2,
        audit_service_pb2,
        calibration_service_pb2,
        cohort_service_pb2,
        cycle_service_pb2,
        document_service_pb2,
        evaluation_service_pb2,
        feedback_service_pb2,
        operation_service_pb2,
        outcome_service_pb2,
        policy_service_pb2,
        reminder_service_pb2,
        repair_service_pb2,
        roster_change_service_pb2,
        roster_service_pb2,
        subscription_service_pb2,
        task_service_pb2,
    ):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                answer = GetMessageClass(method.output_type)
                path = f"/{service.full_name}/{method.name}"
                yield method.input_type.full_name, (path, answer)


_METHODS: Final = dict(_methods())
