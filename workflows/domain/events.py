"""What happened to an evaluation, in the past tense: the fact, the stage it led to, the tasks it
opened (with their due times explained) and closed. `evolve` needs nothing else."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from siklus.workflows.domain.commands import (
    AppealOutcome,
    ExclusionGround,
    Indicator,
    IndicatorLevel,
    Seat,
    Sha256,
)
from siklus.workflows.domain.stages import Stage, Task
from siklus.workflows.domain.values import Digest, Instant, Level, PersonId, Predicate, Value

SCHEMA_VERSION = 1


class Event(Value):
    """Base of every event."""

    prose: Digest | None = None
    """Digest of the texts that came with it."""
    stage: Stage | None = None
    """The stage it led to, when it led to another."""
    opens: tuple[Task, ...] = ()
    closes: tuple[str, ...] = ()
    """Ids of the tasks it settled."""


class EvaluationOpened(Event):
    kind: Literal["evaluation_opened"] = "evaluation_opened"
    employee: PersonId
    supervisor: PersonId
    superior: PersonId | None
    approver: PersonId | None
    unit: str
    year: int
    served_from_on: date
    policy: str
    policy_version: int
    policy_digest: Digest
    calendar_digest: Digest
    superiors: dict[PersonId, PersonId | None]
    from_rating: bool = False


class PlanSubmitted(Event):
    kind: Literal["plan_submitted"] = "plan_submitted"
    indicators: tuple[Indicator, ...]


class PlanWithdrawn(Event):
    kind: Literal["plan_withdrawn"] = "plan_withdrawn"


class PlanSet(Event):
    kind: Literal["plan_set"] = "plan_set"
    indicators: tuple[Indicator, ...]


class PlanApproved(Event):
    kind: Literal["plan_approved"] = "plan_approved"


class PlanReturned(Event):
    kind: Literal["plan_returned"] = "plan_returned"


class ExpectationAdded(Event):
    kind: Literal["expectation_added"] = "expectation_added"


class ProgressReported(Event):
    kind: Literal["progress_reported"] = "progress_reported"
    indicator: str | None = None
    evidence: tuple[Sha256, ...] = ()


class PlanChangeRequested(Event):
    kind: Literal["plan_change_requested"] = "plan_change_requested"
    indicators: tuple[Indicator, ...]


class PlanChangeDecided(Event):
    kind: Literal["plan_change_decided"] = "plan_change_decided"
    approved: bool


class PeriodOpened(Event):
    kind: Literal["period_opened"] = "period_opened"
    period: int


class PeriodSkipped(Event):
    """The period ended before the plan was approved."""

    kind: Literal["period_skipped"] = "period_skipped"
    period: int


class PeriodicEvaluationRecorded(Event):
    kind: Literal["periodic_evaluation_recorded"] = "periodic_evaluation_recorded"
    period: int
    results: Level
    behaviour: Level
    predicate: Predicate


class MidyearOpened(Event):
    kind: Literal["midyear_opened"] = "midyear_opened"


class MidyearSkipped(Event):
    """The midyear ended before the plan was approved."""

    kind: Literal["midyear_skipped"] = "midyear_skipped"


class MidyearAccountSubmitted(Event):
    kind: Literal["midyear_account_submitted"] = "midyear_account_submitted"


class MidyearAccountOverdue(Event):
    """The account is late; the supervisor may go ahead without it."""

    kind: Literal["midyear_account_overdue"] = "midyear_account_overdue"


class MidyearReviewed(Event):
    kind: Literal["midyear_reviewed"] = "midyear_reviewed"
    indicators: tuple[Indicator, ...] = ()


class MidyearMissed(Event):
    kind: Literal["midyear_missed"] = "midyear_missed"


class SelfEvaluationOpened(Event):
    kind: Literal["self_evaluation_opened"] = "self_evaluation_opened"


class SelfEvaluationSubmitted(Event):
    kind: Literal["self_evaluation_submitted"] = "self_evaluation_submitted"
    results: Level
    behaviour: Level
    evidence: tuple[Sha256, ...] = ()


class SelfEvaluationMissed(Event):
    kind: Literal["self_evaluation_missed"] = "self_evaluation_missed"


class RatingOpened(Event):
    kind: Literal["rating_opened"] = "rating_opened"


class Rated(Event):
    """The predicate is this segment's; `combined` is the year's where segments combine."""

    kind: Literal["rated"] = "rated"
    rater: PersonId
    results: Level
    behaviour: Level
    predicate: Predicate
    combined: Predicate
    indicators: tuple[IndicatorLevel, ...] = ()


class RatingReturned(Event):
    kind: Literal["rating_returned"] = "rating_returned"


class ResultDelivered(Event):
    kind: Literal["result_delivered"] = "result_delivered"


class Receipt(StrEnum):
    """How a delivered result counts as received."""

    OPENED = "OPENED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    APPEALED = "APPEALED"
    DEEMED = "DEEMED"


class ResultReceived(Event):
    kind: Literal["result_received"] = "result_received"
    how: Receipt


class ResultAccepted(Event):
    """The employee accepts, which waives the appeal."""

    kind: Literal["result_accepted"] = "result_accepted"


class AppealWindowLapsed(Event):
    kind: Literal["appeal_window_lapsed"] = "appeal_window_lapsed"


class AppealFiled(Event):
    kind: Literal["appeal_filed"] = "appeal_filed"
    decider: PersonId | None
    """Resolved at filing; None is the agency's team."""
    top_of_hierarchy: bool = False
    evidence: tuple[Sha256, ...] = ()


class AppealWithdrawn(Event):
    kind: Literal["appeal_withdrawn"] = "appeal_withdrawn"


class AppealResponded(Event):
    kind: Literal["appeal_responded"] = "appeal_responded"


class AppealResponseMissed(Event):
    """The rater's time to respond is over; the decision may be taken without it."""

    kind: Literal["appeal_response_missed"] = "appeal_response_missed"


class AppealDecided(Event):
    kind: Literal["appeal_decided"] = "appeal_decided"
    outcome: AppealOutcome
    results: Level
    behaviour: Level
    predicate: Predicate
    combined: Predicate


class FinalApprovalOpened(Event):
    kind: Literal["final_approval_opened"] = "final_approval_opened"


class EvaluationApproved(Event):
    kind: Literal["evaluation_approved"] = "evaluation_approved"


class EvaluationReferred(Event):
    kind: Literal["evaluation_referred"] = "evaluation_referred"


class Reassigned(Event):
    """`opens` holds the seat's open tasks as they stand with the new person."""

    kind: Literal["reassigned"] = "reassigned"
    seat: Seat
    previous: PersonId | None
    person: PersonId
    superior: PersonId | None


class SuperiorResolved(Event):
    kind: Literal["superior_resolved"] = "superior_resolved"
    person: PersonId
    superior: PersonId | None


class TaskEscalated(Event):
    kind: Literal["task_escalated"] = "task_escalated"
    task: str
    to: PersonId
    level: int


class TaskFlagged(Event):
    """Shown to the agency's team: by policy, or because the line has no one further up."""

    kind: Literal["task_flagged"] = "task_flagged"
    task: str


class SegmentClosing(Event):
    """The employee moved; an interim rating is asked when enough days were served."""

    kind: Literal["segment_closing"] = "segment_closing"
    closing_on: date
    days: int


class InterimRated(Event):
    kind: Literal["interim_rated"] = "interim_rated"
    rater: PersonId
    results: Level
    behaviour: Level
    predicate: Predicate


class SegmentUnrated(Event):
    """No interim rating came in the policy's days; the segment counts as unrated."""

    kind: Literal["segment_unrated"] = "segment_unrated"


class SegmentResultRecorded(Event):
    kind: Literal["segment_result_recorded"] = "segment_result_recorded"
    segment: int
    days: int
    results: Level | None
    behaviour: Level | None
    predicate: Predicate | None


class EvaluationExcluded(Event):
    kind: Literal["evaluation_excluded"] = "evaluation_excluded"
    ground: ExclusionGround


class EvaluationCancelled(Event):
    kind: Literal["evaluation_cancelled"] = "evaluation_cancelled"


class ReopeningRequested(Event):
    """The first of two people asked for a reopening."""

    kind: Literal["reopening_requested"] = "reopening_requested"


class EvaluationReopened(Event):
    kind: Literal["evaluation_reopened"] = "evaluation_reopened"


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
    | RatingReturned
    | ResultDelivered
    | ResultReceived
    | ResultAccepted
    | AppealWindowLapsed
    | AppealFiled
    | AppealWithdrawn
    | AppealResponded
    | AppealResponseMissed
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
    | EvaluationReopened,
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
