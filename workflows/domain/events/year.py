"""The events of the year, in its order."""

from datetime import date
from enum import StrEnum
from typing import ClassVar, Literal

from siklus.workflows.domain.commands import (
    AppealOutcome,
    Indicator,
    IndicatorLevel,
    Sha256,
)
from siklus.workflows.domain.events.base import Event
from siklus.workflows.domain.scheme.explained import Step
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.values import Digest, Grown, Level, PersonId, Predicate


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


class Rated(Grown, Event):
    """The predicate is this segment's; `combined` is the year's where segments combine."""

    added: ClassVar[frozenset[str]] = frozenset({"numbers", "explanation"})

    kind: Literal["rated"] = "rated"
    rater: PersonId
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate
    combined: Predicate
    indicators: tuple[IndicatorLevel, ...] = ()
    numbers: Numbers | None = None
    """Where the policy rates by numbers."""
    explanation: tuple[Step, ...] = ()
    """Every number with its formula and its source in the policy."""


class FirstRated(Event):
    """What the first of two raters gave; nothing is delivered before the second has rated."""

    kind: Literal["first_rated"] = "first_rated"
    rater: PersonId
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate
    indicators: tuple[IndicatorLevel, ...] = ()
    numbers: Numbers | None = None
    explanation: tuple[Step, ...] = ()


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


class AppealFiled(Grown, Event):
    added: ClassVar[frozenset[str]] = frozenset({"panel"})

    kind: Literal["appeal_filed"] = "appeal_filed"
    decider: PersonId | None
    """Resolved at filing; None is the agency's team, or the panel."""
    top_of_hierarchy: bool = False
    evidence: tuple[Sha256, ...] = ()
    panel: tuple[PersonId, ...] = ()
    """Who was seated at filing, by the numbers of their places."""


class AppealWithdrawn(Event):
    kind: Literal["appeal_withdrawn"] = "appeal_withdrawn"


class AppealResponded(Event):
    kind: Literal["appeal_responded"] = "appeal_responded"


class AppealResponseMissed(Event):
    """The rater's time to respond is over; the decision may be taken without it."""

    kind: Literal["appeal_response_missed"] = "appeal_response_missed"


class AppealDecided(Grown, Event):
    added: ClassVar[frozenset[str]] = frozenset({"numbers", "explanation"})

    kind: Literal["appeal_decided"] = "appeal_decided"
    outcome: AppealOutcome
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate
    combined: Predicate
    numbers: Numbers | None = None
    explanation: tuple[Step, ...] = ()


class FinalApprovalOpened(Event):
    kind: Literal["final_approval_opened"] = "final_approval_opened"


class EvaluationApproved(Event):
    kind: Literal["evaluation_approved"] = "evaluation_approved"


class EvaluationReferred(Event):
    kind: Literal["evaluation_referred"] = "evaluation_referred"
