"""What happened to an evaluation, in the past tense: the fact, the stage it led to, the tasks it
opened (with their due times explained) and closed. `evolve` needs nothing else."""

from typing import Annotated

from pydantic import Field

from siklus.workflows.domain.events.base import SCHEMA_VERSION, Event
from siklus.workflows.domain.events.calibration import (
    CalibrationPassed,
    DistributionWarned,
    RatingReleased,
    RatingSentBack,
)
from siklus.workflows.domain.events.panel import AppealVoteCast, PanelSeated
from siklus.workflows.domain.events.repair import (
    CalendarReplaced,
    DeadlineMoved,
    DeadlinesExtended,
    EntryCorrected,
    LeaveRecorded,
    RepairRequested,
    StageReturned,
)
from siklus.workflows.domain.events.team import (
    EmployeeLeft,
    EvaluationCancelled,
    EvaluationExcluded,
    EvaluationReopened,
    InterimRated,
    PersonReplaced,
    Reassigned,
    ReopeningRequested,
    SegmentClosing,
    SegmentResultRecorded,
    SegmentUnrated,
    Succession,
    SuperiorResolved,
    TaskEscalated,
    TaskFlagged,
)
from siklus.workflows.domain.events.year import (
    AppealDecided,
    AppealFiled,
    AppealResponded,
    AppealResponseMissed,
    AppealWindowLapsed,
    AppealWithdrawn,
    EvaluationApproved,
    EvaluationOpened,
    EvaluationReferred,
    ExpectationAdded,
    FinalApprovalOpened,
    FirstRated,
    MidyearAccountOverdue,
    MidyearAccountSubmitted,
    MidyearMissed,
    MidyearOpened,
    MidyearReviewed,
    MidyearSkipped,
    PeriodicEvaluationRecorded,
    PeriodOpened,
    PeriodSkipped,
    PlanApproved,
    PlanChangeDecided,
    PlanChangeRequested,
    PlanReturned,
    PlanSet,
    PlanSubmitted,
    PlanWithdrawn,
    ProgressReported,
    Rated,
    RatingOpened,
    RatingReturned,
    Receipt,
    ResultAccepted,
    ResultDelivered,
    ResultReceived,
    SelfEvaluationMissed,
    SelfEvaluationOpened,
    SelfEvaluationSubmitted,
)
from siklus.workflows.domain.values import Digest, Instant, PersonId, Value

__all__ = [
    "SCHEMA_VERSION",
    "AnyEvent",
    "AppealDecided",
    "AppealFiled",
    "AppealResponded",
    "AppealResponseMissed",
    "AppealVoteCast",
    "AppealWindowLapsed",
    "AppealWithdrawn",
    "CalendarReplaced",
    "CalibrationPassed",
    "DeadlineMoved",
    "DeadlinesExtended",
    "DistributionWarned",
    "EmployeeLeft",
    "Entry",
    "EntryCorrected",
    "EvaluationApproved",
    "EvaluationCancelled",
    "EvaluationExcluded",
    "EvaluationOpened",
    "EvaluationReferred",
    "EvaluationReopened",
    "Event",
    "ExpectationAdded",
    "FinalApprovalOpened",
    "FirstRated",
    "InterimRated",
    "LeaveRecorded",
    "MidyearAccountOverdue",
    "MidyearAccountSubmitted",
    "MidyearMissed",
    "MidyearOpened",
    "MidyearReviewed",
    "MidyearSkipped",
    "PanelSeated",
    "PeriodOpened",
    "PeriodSkipped",
    "PeriodicEvaluationRecorded",
    "PersonReplaced",
    "PlanApproved",
    "PlanChangeDecided",
    "PlanChangeRequested",
    "PlanReturned",
    "PlanSet",
    "PlanSubmitted",
    "PlanWithdrawn",
    "ProgressReported",
    "Rated",
    "RatingOpened",
    "RatingReleased",
    "RatingReturned",
    "RatingSentBack",
    "Reassigned",
    "Receipt",
    "ReopeningRequested",
    "RepairRequested",
    "ResultAccepted",
    "ResultDelivered",
    "ResultReceived",
    "SegmentClosing",
    "SegmentResultRecorded",
    "SegmentUnrated",
    "SelfEvaluationMissed",
    "SelfEvaluationOpened",
    "SelfEvaluationSubmitted",
    "StageReturned",
    "Succession",
    "SuperiorResolved",
    "TaskEscalated",
    "TaskFlagged",
]

AnyEvent = Annotated[
    EvaluationOpened
    | PlanSubmitted
    | PlanWithdrawn
    | PlanSet
    | PlanApproved
    | PlanReturned
    | ExpectationAdded
    | ProgressReported
    | PlanChangeRequested
    | PlanChangeDecided
    | PeriodOpened
    | PeriodSkipped
    | PeriodicEvaluationRecorded
    | MidyearOpened
    | MidyearSkipped
    | MidyearAccountSubmitted
    | MidyearAccountOverdue
    | MidyearReviewed
    | MidyearMissed
    | SelfEvaluationOpened
    | SelfEvaluationSubmitted
    | SelfEvaluationMissed
    | RatingOpened
    | Rated
    | FirstRated
    | RatingReturned
    | RatingSentBack
    | DistributionWarned
    | RatingReleased
    | CalibrationPassed
    | ResultDelivered
    | ResultReceived
    | ResultAccepted
    | AppealWindowLapsed
    | AppealFiled
    | AppealWithdrawn
    | AppealResponded
    | AppealResponseMissed
    | PanelSeated
    | AppealVoteCast
    | AppealDecided
    | FinalApprovalOpened
    | EvaluationApproved
    | EvaluationReferred
    | Reassigned
    | SuperiorResolved
    | TaskEscalated
    | TaskFlagged
    | SegmentClosing
    | InterimRated
    | SegmentUnrated
    | SegmentResultRecorded
    | EvaluationExcluded
    | EvaluationCancelled
    | ReopeningRequested
    | EvaluationReopened
    | PersonReplaced
    | EmployeeLeft
    | DeadlineMoved
    | DeadlinesExtended
    | LeaveRecorded
    | CalendarReplaced
    | StageReturned
    | EntryCorrected
    | RepairRequested,
    Field(discriminator="kind"),
]


class Entry(Value):
    """One event as it stands in the record: numbered, stamped and chained."""

    schema_version: int = SCHEMA_VERSION
    number: int  # 1, 2, 3 … per evaluation; also the evaluation's revision after it
    occurred_at: Instant
    """The legal instant: when it counts as done."""
    recorded_at: Instant
    """When the workflow recorded it."""
    actor: str
    """A person's opaque id, or `system:clock`."""
    principal: PersonId | None = None
    mandate: str | None = None
    request_key: str | None = None
    command_digest: Digest | None = None
    event: AnyEvent
    hash: Digest
