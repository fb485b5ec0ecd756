"""Which reasons a method may answer with, and what a client does about each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import siklus.workflows.domain.decide  # noqa: F401 - enters every rule of a command
from protos.publishing.contract import Contract, Method
from siklus.services.rpc.status import ANSWERS, Detail
from siklus.v1.annotations_pb2 import CONSISTENCY_FEED
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.decide.rules import RULES, Rule

ANY_CALL: Final = (
    "TOKEN_MISSING",
    "TOKEN_INVALID",
    "TOKEN_EXPIRED",
    "RATE_LIMITED",
    "MALFORMED_MESSAGE",
    "FIELD_INVALID",
    "NOT_FOUND",
    "ROLE_REQUIRED",
    "STORE_UNAVAILABLE",
    "SHUTTING_DOWN",
    "DEADLINE_EXCEEDED",
    "INTERNAL_FAULT",
)
"""What every method may answer with; its own section does not repeat them."""

BY_FIELD: Final = {
    "page_token": "PAGE_TOKEN_INVALID",
    "resume_token": "RESUME_TOKEN_INVALID",
    "min_revision": "STALE_READ",
    "request_id": "REQUEST_ID_REUSED",
    "expected_revision": "REVISION_CHANGED",
}

OF_A_METHOD: Final[Mapping[str, tuple[str, ...]]] = {
    "SetPlan": ("NOT_ALLOWED_BY_POLICY", "NOT_YET_OPEN"),
    "ReturnPlan": ("RETURNS_EXHAUSTED",),
    "RequestPlanChange": ("NOT_ALLOWED_BY_POLICY", "ALREADY_DONE"),
    "DecidePlanChange": ("ALREADY_DONE",),
    "RecordPeriodicEvaluation": ("NOT_YET_OPEN", "ALREADY_DONE"),
    "SubmitMidyearAccount": ("ALREADY_DONE",),
    "RecordMidyearReview": ("NOT_YET_OPEN",),
    "SubmitSelfEvaluation": ("ALREADY_DONE", "WINDOW_CLOSED"),
    "Rate": ("NOT_YET_OPEN", "DISTRIBUTION_EXCEEDED"),
    "ReturnRating": ("RETURNS_EXHAUSTED", "APPEAL_FINAL"),
    "ReleaseRating": ("ALREADY_DONE",),
    "SendBackRating": (
        "RETURNS_EXHAUSTED",
        "APPEAL_FINAL",
        "CALIBRATION_CLOSED",
    ),
    "SeatPanel": ("NOT_ALLOWED_BY_POLICY", "SEPARATION_OF_DUTIES", "ALREADY_DONE"),
    "AppointAppealPanel": ("NOT_ALLOWED_BY_POLICY",),
    "GetRatingGuide": ("NOT_YOUR_TASK",),
    "OpenCalibration": ("ALREADY_EXISTS", "NOT_ALLOWED_BY_POLICY"),
    "GetCalibration": ("NOT_A_PARTICIPANT",),
    "ProposeRating": ("CALIBRATION_CLOSED", "SELF_DECISION", "ALREADY_DONE", "LIMIT_REACHED"),
    "DecideProposal": (
        "CALIBRATION_CLOSED",
        "SELF_DECISION",
        "SEPARATION_OF_DUTIES",
        "NOT_YOUR_TASK",
        "ALREADY_DONE",
    ),
    "CloseCalibration": (
        "CALIBRATION_CLOSED",
        "DISTRIBUTION_EXCEEDED",
        "WRONG_STAGE",
        "ENGINE_UNAVAILABLE",
    ),
    "AcknowledgeResult": ("ALREADY_DONE",),
    "FileAppeal": ("APPEAL_DISABLED", "APPEAL_SPENT", "WINDOW_CLOSED"),
    "RespondToAppeal": ("ALREADY_DONE",),
    "DecideAppeal": (
        "SEPARATION_OF_DUTIES",
        "RESPONSE_PENDING",
        "RATING_LOWERED",
        "ALREADY_DONE",
    ),
    "ReferEvaluation": ("ALREADY_DONE",),
    "Reassign": ("SEPARATION_OF_DUTIES", "NOT_ALLOWED_BY_POLICY"),
    "MoveDeadline": (
        "ALREADY_DONE",
        "DEADLINE_PASSED",
        "NOTICE_TOO_SHORT",
        "SECOND_PERSON_REQUIRED",
    ),
    "ExtendForOutage": ("ALREADY_DONE", "SECOND_PERSON_REQUIRED"),
    "ReplacePerson": ("ALREADY_DONE", "SEPARATION_OF_DUTIES", "SECOND_PERSON_REQUIRED"),
    "RecordDeparture": ("ALREADY_DONE", "SECOND_PERSON_REQUIRED"),
    "RecordLeave": ("ALREADY_DONE", "NOT_ALLOWED_BY_POLICY"),
    "ReturnToStage": (
        "APPEAL_DISABLED",
        "APPEAL_FINAL",
        "APPEAL_SPENT",
        "NOT_ALLOWED_BY_POLICY",
        "SECOND_PERSON_REQUIRED",
    ),
    "CorrectEntry": ("SECOND_PERSON_REQUIRED",),
    "Reopen": ("CYCLE_STATE", "SECOND_PERSON_REQUIRED", "APPEAL_FINAL"),
    "ListNotices": ("NOT_A_PARTICIPANT",),
    "PublishPolicy": ("POLICY_INVALID",),
    "CreateCycle": ("ALREADY_EXISTS",),
    "LaunchCycle": ("CYCLE_STATE", "ENGINE_UNAVAILABLE"),
    "PauseLaunch": ("CYCLE_STATE", "ENGINE_UNAVAILABLE"),
    "ResumeLaunch": ("CYCLE_STATE", "ENGINE_UNAVAILABLE"),
    "SetLaunchPace": ("CYCLE_STATE", "ENGINE_UNAVAILABLE"),
    "CancelLaunch": ("CYCLE_STATE", "ENGINE_UNAVAILABLE"),
    "AddMembers": ("CYCLE_STATE", "ENGINE_UNAVAILABLE"),
    "CloseCycle": ("CYCLE_STATE",),
    "EraseTexts": ("SELF_DECISION", "EVALUATION_RUNNING"),
    "CreateSubscription": ("ALREADY_EXISTS", "TARGET_NOT_ALLOWED", "LIMIT_REACHED"),
    "PreviewOperation": ("CYCLE_STATE",),
    "ApplyOperation": ("COHORT_CHANGED", "CYCLE_STATE", "ENGINE_UNAVAILABLE"),
    "SetHolidays": ("ENGINE_UNAVAILABLE",),
    "ListOutcomes": ("NOT_A_PARTICIPANT", "NOT_FOUND"),
    "RecordCheckIn": (
        "NOT_YOUR_TASK",
        "SELF_DECISION",
        "ALREADY_DONE",
        "FORM_TOO_LARGE",
        "ENGINE_UNAVAILABLE",
    ),
    "CloseImprovementPlan": (
        "NOT_YOUR_TASK",
        "SELF_DECISION",
        "ALREADY_DONE",
        "WRONG_STAGE",
        "FORM_TOO_LARGE",
        "ENGINE_UNAVAILABLE",
    ),
    "ExportOutcomes": ("NOT_FOUND",),
    "PauseOperation": ("OPERATION_STATE", "ENGINE_UNAVAILABLE"),
    "ResumeOperation": ("OPERATION_STATE", "ENGINE_UNAVAILABLE"),
    "CancelOperation": ("OPERATION_STATE", "ENGINE_UNAVAILABLE"),
    "RecordRosterChange": ("ALREADY_DONE", "LIMIT_REACHED"),
    "WithdrawRosterChange": ("ALREADY_DONE",),
    "IssueTickets": ("ALREADY_EXISTS",),
    "RateContact": ("TICKET_UNKNOWN", "TICKET_USED", "TICKET_EXPIRED"),
    "ModerateComment": ("SELF_DECISION",),
    "InviteColleagues": (
        "SELF_DECISION",
        "NOT_YOUR_TASK",
        "NOT_ALLOWED_BY_POLICY",
        "EVALUATION_CLOSED",
        "ALREADY_DONE",
    ),
    "AnswerInvitation": ("SELF_DECISION", "NOT_A_PARTICIPANT", "WINDOW_CLOSED", "ALREADY_DONE"),
    "AddNote": ("NOT_YOUR_TASK",),
    "CreateMandate": ("SEPARATION_OF_DUTIES", "LIMIT_REACHED"),
    "GetDocument": ("LIMIT_REACHED",),
    "ExportResults": ("LIMIT_REACHED",),
}
"""What a method refuses for beyond what its shape tells."""

_OF_COMMANDS: Final = frozenset(
    {"EvaluationService", "RepairService", "CalibrationService", "AppealPanelService"}
)
_COMMANDS: Final[Mapping[str, Rule]] = {each.__name__: rule for each, rule in RULES.items()}


@dataclass(frozen=True)
class Advice:
    """What to do about a refusal, and which facts its ErrorInfo carries beside the usual ones."""

    do: str
    facts: str = ""


_AGAIN: Final = "Send the same call again after the time in RetryInfo."
_STATE: Final = "Read the evaluation again and show where it stands."
_FIX: Final = "Mend the fields that BadRequest names; the same call fails again."

ADVICE: Final[Mapping[str, Advice]] = {
    "TOKEN_MISSING": Advice("Send `authorization: Bearer TOKEN` as metadata."),
    "TOKEN_INVALID": Advice("Get a token of the issuer and for the audience of this server."),
    "TOKEN_EXPIRED": Advice("Get a fresh token, then send the same call again."),
    "NOT_FOUND": Advice("Check the name, and that the token is one of its agency.", "`name`"),
    "ALREADY_EXISTS": Advice("Choose another id, or read what is there.", "`name`"),
    "NOT_A_PARTICIPANT": Advice("Nothing: this person has no part in it."),
    "NOT_YOUR_TASK": Advice("Ask ExplainWaiting who holds it.", "`command`"),
    "SELF_DECISION": Advice("Somebody else must do this."),
    "MANDATE_NOT_VALID": Advice("Have the mandate mended, or let the principal act."),
    "SEPARATION_OF_DUTIES": Advice("Another person must do this."),
    "ROLE_REQUIRED": Advice("Use a token with one of the roles.", "`roles`, comma between them"),
    "SCOPE_REQUIRED": Advice("Have the scope added to the program's token.", "`scope`"),
    "REQUEST_ID_REUSED": Advice("Take a new `request_id` for a new request."),
    "REVISION_CHANGED": Advice(
        "Read it again, show what changed, and let a person decide anew.", "`revision`"
    ),
    "WRONG_STAGE": Advice(_STATE),
    "EVALUATION_CLOSED": Advice("Nothing, unless the team reopens it."),
    "WINDOW_CLOSED": Advice("Nothing: the time is over.", "`closed_at`, `rule`"),
    "DEADLINE_PASSED": Advice(
        "Set `reopen_passed` if it is to run again on purpose.", "`due_at`, `rule`"
    ),
    "NOTICE_TOO_SHORT": Advice("Set that day or a later one.", "`earliest_on`, `rule`"),
    "NOT_YET_OPEN": Advice("Come back then.", "`opens_at` or `ends_on`, `rule`"),
    "RESPONSE_PENDING": Advice("Wait until the rater has answered, or until then.", "`due_at`"),
    "ALREADY_DONE": Advice(_STATE),
    "RETURNS_EXHAUSTED": Advice("Decide on what is there.", "`max_returns`"),
    "APPEAL_SPENT": Advice("Nothing: a result can be appealed once."),
    "APPEAL_DISABLED": Advice("Nothing: the policy has no appeal."),
    "APPEAL_FINAL": Advice("Nothing: the decision is final."),
    "CALIBRATION_CLOSED": Advice("Open another one."),
    "DISTRIBUTION_EXCEEDED": Advice(
        "Rate otherwise, or have the unit's calibration agree to this rating.",
        "`organisation`, `predicate`, `bound`, `limit`, `count`, `size`, `allowed`, `rule`",
    ),
    "SECOND_PERSON_REQUIRED": Advice("A second member of the team sends the same request."),
    "NOT_ALLOWED_BY_POLICY": Advice("Nothing, under this cycle's policy."),
    "CYCLE_STATE": Advice("Read the cycle again.", "`open`, `waiting` where it cannot be closed"),
    "TICKET_UNKNOWN": Advice("Type the ticket again, and check that the agency is its own."),
    "TICKET_USED": Advice("Nothing: the contact was rated."),
    "TICKET_EXPIRED": Advice("Nothing: the time is over.", "`expired_at`"),
    "MALFORMED_MESSAGE": Advice("Encode the message by these protos."),
    "FIELD_INVALID": Advice(_FIX),
    "FORM_TOO_LARGE": Advice("Shorten the texts.", "`limit_bytes`, `bytes`"),
    "RATING_LOWERED": Advice("Uphold the rating or raise it.", "`standing`, `decided`"),
    "PAGE_TOKEN_INVALID": Advice("Begin the list anew, without a token."),
    "RESUME_TOKEN_INVALID": Advice(
        "Use the same filters and the same caller as before; else begin without a token and read "
        "the present state by ExportEvaluations."
    ),
    "POLICY_INVALID": Advice("Mend the file at the paths that BadRequest names."),
    "TARGET_NOT_ALLOWED": Advice("Give an `https` address of a public host."),
    "EVALUATION_RUNNING": Advice("Wait until it has ended.", "`name`, `running`"),
    "OPERATION_STATE": Advice("Read the operation again; it is over.", "`state`"),
    "COHORT_CHANGED": Advice("Look at the preview again, then decide anew.", "`matching`"),
    "LIMIT_REACHED": Advice("Delete one first; of a file, ask for another format.", "`limit`"),
    "STORE_UNAVAILABLE": Advice(_AGAIN),
    "ENGINE_UNAVAILABLE": Advice(f"{_AGAIN} With the same `request_id` it applies once."),
    "STALE_READ": Advice(_AGAIN),
    "SHUTTING_DOWN": Advice("Send the same call again at once; another server answers."),
    "RATE_LIMITED": Advice(
        "Wait as long as RetryInfo tells, then go on more slowly.", "`retry_after_seconds`"
    ),
    "WATCHER_TOO_SLOW": Advice("Watch again from the last token, and take messages faster."),
    "DEADLINE_EXCEEDED": Advice(
        "Send the same call again; a command with its `request_id` applies once.",
        "`limit_seconds`",
    ),
    "INTERNAL_FAULT": Advice("Tell the operator the request id.", "`request_id`"),
}
"""One entry for each reason; a test keeps it so."""

CARRIES: Final = {
    Detail.NOTHING: "",
    Detail.FIELDS: "BadRequest",
    Detail.STATE: "PreconditionFailure",
    Detail.RETRY: "RetryInfo",
}


def rule_of(method: Method) -> Rule | None:
    """Return what the rule book asks before a command; None for what is no command of the year."""
    return _COMMANDS.get(method.name) if method.service in _OF_COMMANDS else None


def reasons_of(contract: Contract, method: Method) -> list[str]:
    """Return every reason that the method may answer with, in the order of the table."""
    found = {*ANY_CALL, *_by_shape(contract, method), *OF_A_METHOD.get(method.name, ())}
    rule = rule_of(method)
    if rule is not None:
        found |= {*_by_rule(rule)}
    return [reason.value for reason in ANSWERS if reason.value in found]


def _by_shape(contract: Contract, method: Method) -> Iterator[str]:
    names = {field.name for field in contract.messages[method.request].fields}
    yield from (reason for name, reason in BY_FIELD.items() if name in names)
    if method.call.scope:
        yield "SCOPE_REQUIRED"
    if method.call.participants and "name" in names:
        yield "NOT_A_PARTICIPANT"
    if method.call.consistency == CONSISTENCY_FEED:
        yield "WATCHER_TOO_SLOW"


def _by_rule(rule: Rule) -> Iterator[str]:
    yield from ("NOT_A_PARTICIPANT", "NOT_YOUR_TASK", "WRONG_STAGE", "EVALUATION_CLOSED")
    yield from ("FORM_TOO_LARGE", "ENGINE_UNAVAILABLE")
    if rule.parties != {Party.EMPLOYEE}:
        yield from ("SELF_DECISION", "MANDATE_NOT_VALID")
