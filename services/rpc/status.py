"""How each refusal is answered: one gRPC code and one kind of detail per reason.

ServiceRefusal is the services' own counterpart of the rule book's Refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from siklus.workflows.domain.errors import Reason, Refusal

DOMAIN: Final = "siklus"
MOST_FIELDS: Final = 16
LONGEST_TEXT: Final = 160
FIELDS_BYTES: Final = 3500
"""Details travel in HTTP/2 trailers, in base64, of which most clients accept 8 KiB in all."""
RETRY_AFTER: Final = Duration(seconds=1)


class ServiceReason(StrEnum):
    """Why the services refuse something that never reached the rule book."""

    TOKEN_MISSING = "TOKEN_MISSING"  # noqa: S105 - a name
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 - a name
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a name
    SCOPE_REQUIRED = "SCOPE_REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    CYCLE_STATE = "CYCLE_STATE"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a name
    RESUME_TOKEN_INVALID = "RESUME_TOKEN_INVALID"  # noqa: S105 - a name
    TARGET_NOT_ALLOWED = "TARGET_NOT_ALLOWED"
    EVALUATION_RUNNING = "EVALUATION_RUNNING"
    OPERATION_STATE = "OPERATION_STATE"
    COHORT_CHANGED = "COHORT_CHANGED"
    LIMIT_REACHED = "LIMIT_REACHED"
    RATE_LIMITED = "RATE_LIMITED"
    WATCHER_TOO_SLOW = "WATCHER_TOO_SLOW"
    POLICY_INVALID = "POLICY_INVALID"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    ENGINE_UNAVAILABLE = "ENGINE_UNAVAILABLE"
    STALE_READ = "STALE_READ"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INTERNAL_FAULT = "INTERNAL_FAULT"


class ServiceRefusal(Exception):  # noqa: N818 - an answer, not a fault
    """A service said no before any rule was asked; `message` is safe to show.

    `retry_after` is in seconds, where an answer that says when to try again should know better
    than one second.
    """

    def __init__(
        self,
        reason: ServiceReason,
        message: str,
        *,
        details: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.fields = dict(fields or {})
        self.retry_after = retry_after


class Detail(Enum):
    """What an answer carries besides its ErrorInfo."""

    NOTHING = auto()
    FIELDS = auto()
    STATE = auto()
    RETRY = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """How one reason is answered."""

    code: StatusCode
    detail: Detail = Detail.NOTHING


_WHO = Answer(StatusCode.UNAUTHENTICATED)
_DENIED = Answer(StatusCode.PERMISSION_DENIED)
_STATE = Answer(StatusCode.FAILED_PRECONDITION, Detail.STATE)
_FIELDS = Answer(StatusCode.INVALID_ARGUMENT, Detail.FIELDS)
_LATER = Answer(StatusCode.UNAVAILABLE, Detail.RETRY)

ANSWERS: Final[Mapping[Reason | ServiceReason, Answer]] = {
    ServiceReason.TOKEN_MISSING: _WHO,
    ServiceReason.TOKEN_INVALID: _WHO,
    ServiceReason.TOKEN_EXPIRED: _WHO,
    ServiceReason.NOT_FOUND: Answer(StatusCode.NOT_FOUND),
    ServiceReason.ALREADY_EXISTS: Answer(StatusCode.ALREADY_EXISTS),
    Reason.NOT_A_PARTICIPANT: _DENIED,
    Reason.NOT_YOUR_TASK: _DENIED,
    Reason.SELF_DECISION: _DENIED,
    Reason.MANDATE_NOT_VALID: _DENIED,
    Reason.SEPARATION_OF_DUTIES: _DENIED,
    Reason.ROLE_REQUIRED: _DENIED,
    ServiceReason.SCOPE_REQUIRED: _DENIED,
    Reason.REQUEST_ID_REUSED: Answer(StatusCode.ALREADY_EXISTS),
    # No RetryInfo: the caller must look again before deciding again.
    Reason.REVISION_CHANGED: Answer(StatusCode.ABORTED),
    # As what does not exist: whoever guesses learns nothing.
    Reason.TICKET_UNKNOWN: Answer(StatusCode.NOT_FOUND),
    Reason.TICKET_USED: _STATE,
    Reason.TICKET_EXPIRED: _STATE,
    Reason.WRONG_STAGE: _STATE,
    Reason.EVALUATION_CLOSED: _STATE,
    Reason.WINDOW_CLOSED: _STATE,
    Reason.DEADLINE_PASSED: _STATE,
    Reason.NOTICE_TOO_SHORT: _STATE,
    Reason.NOT_YET_OPEN: _STATE,
    Reason.RESPONSE_PENDING: _STATE,
    Reason.ALREADY_DONE: _STATE,
    Reason.RETURNS_EXHAUSTED: _STATE,
    Reason.APPEAL_SPENT: _STATE,
    Reason.APPEAL_DISABLED: _STATE,
    Reason.APPEAL_FINAL: _STATE,
    Reason.CALIBRATION_CLOSED: _STATE,
    Reason.DISTRIBUTION_EXCEEDED: _STATE,
    Reason.SECOND_PERSON_REQUIRED: _STATE,
    Reason.NOT_ALLOWED_BY_POLICY: _STATE,
    ServiceReason.CYCLE_STATE: _STATE,
    ServiceReason.EVALUATION_RUNNING: _STATE,
    ServiceReason.OPERATION_STATE: _STATE,
    # No RetryInfo: the caller must look at a preview before deciding again.
    ServiceReason.COHORT_CHANGED: Answer(StatusCode.ABORTED),
    ServiceReason.LIMIT_REACHED: _STATE,
    Reason.MALFORMED_MESSAGE: _FIELDS,
    Reason.FIELD_INVALID: _FIELDS,
    Reason.FORM_TOO_LARGE: _FIELDS,
    Reason.RATING_LOWERED: _FIELDS,
    ServiceReason.PAGE_TOKEN_INVALID: _FIELDS,
    ServiceReason.RESUME_TOKEN_INVALID: _FIELDS,
    ServiceReason.TARGET_NOT_ALLOWED: _FIELDS,
    ServiceReason.POLICY_INVALID: _FIELDS,
    ServiceReason.STORE_UNAVAILABLE: _LATER,
    ServiceReason.ENGINE_UNAVAILABLE: _LATER,
    ServiceReason.STALE_READ: _LATER,
    ServiceReason.SHUTTING_DOWN: _LATER,
    ServiceReason.RATE_LIMITED: Answer(StatusCode.RESOURCE_EXHAUSTED, Detail.RETRY),
    # No RetryInfo: the same call again would begin where it began; the watcher has a newer token.
    ServiceReason.WATCHER_TOO_SLOW: Answer(StatusCode.RESOURCE_EXHAUSTED),
    ServiceReason.DEADLINE_EXCEEDED: Answer(StatusCode.DEADLINE_EXCEEDED),
    ServiceReason.INTERNAL_FAULT: Answer(StatusCode.INTERNAL),
}
"""Complete over both enums; a test keeps it so."""


def to_status(refusal: Refusal | ServiceRefusal) -> Status:
    """Return what a refusal is answered with; small enough for every client's trailer limit."""
    answer = ANSWERS[refusal.reason]
    status = Status(code=answer.code.value[0], message=_short(refusal.message))
    facts = {key: _short(value) for key, value in refusal.details.items()}
    info = ErrorInfo(reason=refusal.reason.value, domain=DOMAIN, metadata=facts)
    status.details.add().Pack(info)
    match answer.detail:
        case Detail.FIELDS if refusal.fields:
            status.details.add().Pack(_bad_request(refusal.fields))
        case Detail.STATE:
            status.details.add().Pack(_precondition(refusal))
        case Detail.RETRY:
            status.details.add().Pack(RetryInfo(retry_delay=_retry_delay(refusal)))
    return status


def _retry_delay(refusal: Refusal | ServiceRefusal) -> Duration:
    seconds = refusal.retry_after if isinstance(refusal, ServiceRefusal) else None
    if seconds is None:
        return RETRY_AFTER
    whole = int(seconds)
    return Duration(seconds=whole, nanos=int((seconds - whole) * 1_000_000_000))


def _bad_request(fields: Mapping[str, str]) -> BadRequest:
    """Name the first fields, as many as fit."""
    request = BadRequest()
    for path, problem in list(fields.items())[:MOST_FIELDS]:
        request.field_violations.add(field=_short(path), description=_short(problem))
        if request.ByteSize() > FIELDS_BYTES:
            del request.field_violations[-1]
            break
    return request


def _precondition(refusal: Refusal | ServiceRefusal) -> PreconditionFailure:
    violation = PreconditionFailure.Violation(
        type=refusal.reason.value,
        subject=_short(refusal.details.get("name", "")),
        description=_short(refusal.message),
    )
    return PreconditionFailure(violations=[violation])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
