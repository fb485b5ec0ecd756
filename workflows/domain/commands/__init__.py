"""What people may ask of an evaluation, in the imperative.

Free text rides in `prose` (field path → text) and never enters an event: see `audit`.
Evidence is a SHA-256 here and a link in `prose` under `evidence.<n>.link`.
"""

from typing import Annotated, get_args

from pydantic import Field

from siklus.workflows.domain.commands.actor import SYSTEM, Actor, InRoster, Mandate
from siklus.workflows.domain.commands.base import (
    FORM_BYTES,
    Command,
    Indicator,
    IndicatorKind,
    IndicatorLevel,
    Prose,
    Sha256,
)
from siklus.workflows.domain.commands.calibration import (
    InCalibration,
    InGroup,
    ReleaseRating,
    SendBackRating,
)
from siklus.workflows.domain.commands.deadlines import (
    ExtendForOutage,
    MoveDeadline,
    ReplaceCalendar,
)
from siklus.workflows.domain.commands.edition import Edition
from siklus.workflows.domain.commands.panel import InPanel, SeatPanel
from siklus.workflows.domain.commands.repair import Correctable, CorrectEntry, ReturnToStage
from siklus.workflows.domain.commands.system import RecordSegmentResult, ResolveSuperior
from siklus.workflows.domain.commands.team import (
    Cancel,
    Departure,
    Exclude,
    ExclusionGround,
    LeaveKind,
    Reassign,
    RecordDeparture,
    RecordLeave,
    Reopen,
    ReplacePerson,
    Seat,
    Transfer,
)
from siklus.workflows.domain.commands.year import (
    AcknowledgeResult,
    AddExpectation,
    AppealOutcome,
    ApproveEvaluation,
    ApprovePlan,
    DecideAppeal,
    DecidePlanChange,
    FileAppeal,
    OpenResult,
    Rate,
    RecordMidyearReview,
    RecordPeriodicEvaluation,
    ReferEvaluation,
    ReportProgress,
    RequestPlanChange,
    RespondToAppeal,
    ReturnPlan,
    ReturnRating,
    SetPlan,
    SubmitMidyearAccount,
    SubmitPlan,
    SubmitSelfEvaluation,
    WithdrawAppeal,
    WithdrawPlan,
)
from siklus.workflows.domain.values import Instant, Value

__all__ = [
    "COMMANDS",
    "FORM_BYTES",
    "PUBLIC_COMMANDS",
    "SYSTEM",
    "SYSTEM_COMMANDS",
    "UPDATES",
    "AcknowledgeResult",
    "Actor",
    "AddExpectation",
    "AnyCommand",
    "AppealOutcome",
    "ApproveEvaluation",
    "ApprovePlan",
    "Cancel",
    "Command",
    "CorrectEntry",
    "Correctable",
    "DecideAppeal",
    "DecidePlanChange",
    "Departure",
    "Edition",
    "Exclude",
    "ExclusionGround",
    "ExtendForOutage",
    "FileAppeal",
    "InCalibration",
    "InGroup",
    "InPanel",
    "InRoster",
    "Indicator",
    "IndicatorKind",
    "IndicatorLevel",
    "LeaveKind",
    "Mandate",
    "MoveDeadline",
    "OpenResult",
    "Order",
    "Prose",
    "Rate",
    "Reassign",
    "RecordDeparture",
    "RecordLeave",
    "RecordMidyearReview",
    "RecordPeriodicEvaluation",
    "RecordSegmentResult",
    "ReferEvaluation",
    "ReleaseRating",
    "Reopen",
    "ReplaceCalendar",
    "ReplacePerson",
    "ReportProgress",
    "RequestPlanChange",
    "ResolveSuperior",
    "RespondToAppeal",
    "ReturnPlan",
    "ReturnRating",
    "ReturnToStage",
    "Seat",
    "SeatPanel",
    "SendBackRating",
    "SetPlan",
    "Sha256",
    "SubmitMidyearAccount",
    "SubmitPlan",
    "SubmitSelfEvaluation",
    "Transfer",
    "WithdrawAppeal",
    "WithdrawPlan",
]

AnyCommand = Annotated[
    SubmitPlan
    | WithdrawPlan
    | SetPlan
    | ApprovePlan
    | ReturnPlan
    | AddExpectation
    | ReportProgress
    | RequestPlanChange
    | DecidePlanChange
    | RecordPeriodicEvaluation
    | SubmitMidyearAccount
    | RecordMidyearReview
    | SubmitSelfEvaluation
    | Rate
    | ReturnRating
    | SendBackRating
    | ReleaseRating
    | OpenResult
    | AcknowledgeResult
    | FileAppeal
    | WithdrawAppeal
    | RespondToAppeal
    | DecideAppeal
    | SeatPanel
    | ApproveEvaluation
    | ReferEvaluation
    | Reassign
    | ReplacePerson
    | RecordDeparture
    | RecordLeave
    | MoveDeadline
    | ExtendForOutage
    | ReturnToStage
    | CorrectEntry
    | Transfer
    | Exclude
    | Cancel
    | Reopen
    | ResolveSuperior
    | RecordSegmentResult
    | ReplaceCalendar,
    Field(discriminator="kind"),
]

SYSTEM_COMMANDS: tuple[type[Command], ...] = (
    ResolveSuperior,
    RecordSegmentResult,
    ReplaceCalendar,
)
"""What only the system itself may say; never offered to a caller."""

COMMANDS: dict[str, type[Command]] = {
    member.model_fields["kind"].default: member for member in get_args(get_args(AnyCommand)[0])
}
"""Every command by its kind."""

PUBLIC_COMMANDS: tuple[str, ...] = tuple(
    kind for kind, command in COMMANDS.items() if command not in SYSTEM_COMMANDS
)
"""The kinds that people may ask for; each is one Update of the workflow."""

UPDATES: tuple[str, ...] = (*PUBLIC_COMMANDS, "record_segment_result", "replace_calendar")
"""Every Update of the workflow: the last two come from Siklus itself, which sees other evaluations
and the agency's days off."""


class Order(Value):
    """One command with everything that came with it: the single argument of every Update."""

    actor: Actor
    command: AnyCommand
    request_key: str
    """sha256(actor ‖ request_id), also the Update's id."""
    salt: str
    """Random per call; the digest of the prose depends on it."""
    expected_revision: Annotated[int, Field(ge=0)] = 0
    received_at: Instant | None = None
    """When the API received it, by its own clock."""
    roster: InRoster | None = None
    """Vouched for by the service and no part of what was asked: a repeat may find another roster.

    None where the command names nobody, or somebody whom the roster does not know."""
    group: InGroup | None = None
    """With a rating: how the others of the unit are rated; None where no guide applies, or the
    store is away. Vouched for like the roster, and no part of what was asked either."""
    calibration: InCalibration | None = None
    """With a rating that is sent back: the calibration that the command names."""
    edition: Edition = Edition.FIRST
    """Of the rule book that decides it: the newest that whoever sends it knows."""
    panel: InPanel | None = None
    """With an appeal that a panel decides: who was appointed; None where nobody was, or the store
    is away. With the seats of a panel: who of those named works in the agency."""
