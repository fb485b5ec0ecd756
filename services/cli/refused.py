"""What the API refused, as a fault of the command: its reason, its words, and how to go on."""

from typing import Any, Final

import grpc

from siklus.services.cli.output import Fault, Unanswered
from siklus.services.refusal_details import RefusalDetails, details_of

NOT_THE_CALLERS: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""The same call may succeed later: exit code 1. All else is the caller's to change: exit code 2."""
_MOST_FIELDS: Final = 5
_NOT_SENT: Final = "Internal error from Core"
"""What Python's client says when it could not send, in place of what the server answered."""


def as_fault(error: grpc.RpcError, server: str) -> Fault:
    """Return the fault that a failed call amounts to."""
    # Whatever the stubs say, an error of a call tells its code and words.
    call: Any = error
    code: grpc.StatusCode = call.code()
    told = details_of(error)
    if not told.reason and code is grpc.StatusCode.UNAVAILABLE:
        return no_server(server)
    if call.details() == _NOT_SENT:
        message = "the server ended the call before all of it was sent"
        return Unanswered("BROKEN_OFF", message, "try again")
    kind = Unanswered if code in NOT_THE_CALLERS else Fault
    message = " ".join((call.details() or "the API refused it").split())
    return kind(told.reason or code.name, message, _hint(code, told, message), fields=told.fields)


def seconds_to_wait(error: grpc.RpcError) -> float | None:
    """Return after how many seconds the API lets the same call in; None where it did not say.

    Nothing was done of a call that it sent away so.
    """
    call: Any = error
    if call.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
        return None
    return details_of(error).retry_after


def no_server(server: str) -> Fault:
    """Return the fault of a server that does not answer."""
    hint = f"is it {server}, and does it speak TLS (--tls, --tls-ca, --tls-certificate)?"
    return Unanswered("NO_SERVER", "the API does not answer", hint)


def _hint(code: grpc.StatusCode, told: RefusalDetails, message: str) -> str:
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return "give a token that is valid now by --token, SIKLUS_TOKEN or --token-file"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return "the server is older than this command"
    if told.retry_after is not None:
        return f"try again in {max(1, round(told.retry_after))} s"
    named = [f"{path}: {wrong}" for path, wrong in told.fields.items()]
    named = [each for each in named if each not in message]
    more = [f"and {len(named) - _MOST_FIELDS} more"] if len(named) > _MOST_FIELDS else []
    return ", ".join([*named[:_MOST_FIELDS], *more])
