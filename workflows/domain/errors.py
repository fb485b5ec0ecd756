"""Every refusal of the rule book.

Refusal
├── reason   one of Reason: stable, documented, mapped to exactly one gRPC status
├── message  safe to show; says what is wrong and how to go on
├── details  machine-readable facts (the revision, the instant, the rule)
└── fields   which input was at fault, as field path → what is wrong with it
"""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why something was refused; the names are part of the contract."""

    # Who
    NOT_A_PARTICIPANT = "NOT_A_PARTICIPANT"
    NOT_YOUR_TASK = "NOT_YOUR_TASK"
    SELF_DECISION = "SELF_DECISION"
    MANDATE_NOT_VALID = "MANDATE_NOT_VALID"
    SEPARATION_OF_DUTIES = "SEPARATION_OF_DUTIES"
    ROLE_REQUIRED = "ROLE_REQUIRED"
    # Which request
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    REVISION_CHANGED = "REVISION_CHANGED"
    MALFORMED_MESSAGE = "MALFORMED_MESSAGE"
    # When
    WRONG_STAGE = "WRONG_STAGE"
    EVALUATION_CLOSED = "EVALUATION_CLOSED"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    NOTICE_TOO_SHORT = "NOTICE_TOO_SHORT"
    NOT_YET_OPEN = "NOT_YET_OPEN"
    RESPONSE_PENDING = "RESPONSE_PENDING"
    ALREADY_DONE = "ALREADY_DONE"
    RETURNS_EXHAUSTED = "RETURNS_EXHAUSTED"
    APPEAL_SPENT = "APPEAL_SPENT"
    APPEAL_DISABLED = "APPEAL_DISABLED"
    APPEAL_FINAL = "APPEAL_FINAL"
    CALIBRATION_CLOSED = "CALIBRATION_CLOSED"
    DISTRIBUTION_EXCEEDED = "DISTRIBUTION_EXCEEDED"
    SECOND_PERSON_REQUIRED = "SECOND_PERSON_REQUIRED"
    NOT_ALLOWED_BY_POLICY = "NOT_ALLOWED_BY_POLICY"
    # Which ticket
    TICKET_UNKNOWN = "TICKET_UNKNOWN"
    TICKET_USED = "TICKET_USED"
    TICKET_EXPIRED = "TICKET_EXPIRED"
    # What
    FIELD_INVALID = "FIELD_INVALID"
    FORM_TOO_LARGE = "FORM_TOO_LARGE"
    RATING_LOWERED = "RATING_LOWERED"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the rules, not a fault
    """A rule said no; nothing was changed."""

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        details: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.fields = dict(fields or {})


def invalid(field: str, problem: str) -> Refusal:
    """Return the refusal of one input field."""
    return Refusal(Reason.FIELD_INVALID, f"{field}: {problem}", fields={field: problem})
