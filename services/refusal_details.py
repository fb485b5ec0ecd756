"""What a refused call carries besides its code and words, read as any client reads it."""

from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status


@dataclass(slots=True)
class RefusalDetails:
    """The details of a refusal; empty where the server sent none."""

    reason: str = ""
    """As the page of reasons has it."""
    fields: dict[str, str] = field(default_factory=dict)
    """Path → what is wrong there."""
    retry_after: float | None = None
    """Seconds after which the same call is let in."""


def details_of(error: grpc.RpcError) -> RefusalDetails:
    """Read what the error of a call carries."""
    # Whatever grpc's stubs say, an error of a call has the call's status, with asyncio too.
    call: Any = error
    status = rpc_status.from_call(call)
    told = RefusalDetails()
    info, request, again = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            told.reason = info.reason
        elif detail.Unpack(request):
            told.fields = {each.field: each.description for each in request.field_violations}
        elif detail.Unpack(again):
            told.retry_after = again.retry_delay.ToTimedelta().total_seconds()
    return told
