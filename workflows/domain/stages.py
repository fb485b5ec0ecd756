"""The stages of the year, the tasks that wait for somebody, and where the policy rules them."""

from enum import StrEnum

from siklus.workflows.domain.deadlines import Due
from siklus.workflows.domain.policy import Lateness, Policy
from siklus.workflows.domain.values import Instant, PersonId, Value


class Stage(StrEnum):
    """Where an evaluation stands; exactly one at a time."""

    PLAN = "PLAN"
    PLAN_REVIEW = "PLAN_REVIEW"
    EXECUTION = "EXECUTION"
    MIDYEAR = "MIDYEAR"
    SELF_EVALUATION = "SELF_EVALUATION"
    RATING = "RATING"
    CALIBRATION = "CALIBRATION"
    DELIVERY = "DELIVERY"
    APPEAL_WINDOW = "APPEAL_WINDOW"
    APPEAL_DECISION = "APPEAL_DECISION"
    FINAL_APPROVAL = "FINAL_APPROVAL"
    INTERIM_RATING = "INTERIM_RATING"
    COMPLETED = "COMPLETED"
    SEGMENT_CLOSED = "SEGMENT_CLOSED"
    EXCLUDED = "EXCLUDED"
    CANCELLED = "CANCELLED"


ENDED = frozenset({Stage.COMPLETED, Stage.SEGMENT_CLOSED, Stage.EXCLUDED, Stage.CANCELLED})


class TaskKind(StrEnum):
    """What somebody is asked to do."""

    SUBMIT_PLAN = "SUBMIT_PLAN"
    REVIEW_PLAN = "REVIEW_PLAN"
    DECIDE_PLAN_CHANGE = "DECIDE_PLAN_CHANGE"
    PERIODIC_EVALUATION = "PERIODIC_EVALUATION"
    MIDYEAR_ACCOUNT = "MIDYEAR_ACCOUNT"
    MIDYEAR_REVIEW = "MIDYEAR_REVIEW"
    SELF_EVALUATION = "SELF_EVALUATION"
    RATE = "RATE"
    INTERIM_RATE = "INTERIM_RATE"
    RECEIVE_RESULT = "RECEIVE_RESULT"
    APPEAL = "APPEAL"
    RESPOND_TO_APPEAL = "RESPOND_TO_APPEAL"
    DECIDE_APPEAL = "DECIDE_APPEAL"
    APPROVE = "APPROVE"
    RESOLVE_REFERRAL = "RESOLVE_REFERRAL"
    SECOND_RATE = "SECOND_RATE"
    CALIBRATE = "CALIBRATE"
    VOTE_ON_APPEAL = "VOTE_ON_APPEAL"
    """A member's of the panel; `number` is the place."""
    SEAT_PANEL = "SEAT_PANEL"
    """The team's, while fewer sit on the panel than can decide."""
    IMPROVEMENT_CHECK_IN = "IMPROVEMENT_CHECK_IN"
    """Of a plan that followed from the result; the evaluation itself has ended by then."""


OWN_TASKS = frozenset(
    {
        TaskKind.SUBMIT_PLAN,
        TaskKind.MIDYEAR_ACCOUNT,
        TaskKind.SELF_EVALUATION,
        TaskKind.RECEIVE_RESULT,
        TaskKind.APPEAL,
    }
)
"""What only the employee can do; in everything else the employee would be a judge."""


RATINGS = (TaskKind.RATE, TaskKind.INTERIM_RATE, TaskKind.SECOND_RATE)
"""What the command of a rating does; one of them is open at most."""


DECISIONS = (TaskKind.DECIDE_APPEAL, TaskKind.VOTE_ON_APPEAL)
"""What the command of an appeal's decision does: one person's, or each member's of a panel."""

AWAITING_A_DECISION = frozenset({*DECISIONS, TaskKind.SEAT_PANEL})
"""What waits until an appeal is decided; all of it has one due time."""


def task_id(kind: TaskKind, number: int = 0) -> str:
    """Return the name of a task within its evaluation."""
    return f"{kind}.{number}" if number else kind.value


class Task(Value):
    """One thing that waits: for whom, since when, until when and by which rule.

    `holder` None is the agency's team. Holder and escalated-to may both act; the first wins.
    """

    kind: TaskKind
    number: int = 0
    """Which of several of a kind: the period of a periodic evaluation, a panel's place."""
    holder: PersonId | None
    escalated_to: tuple[PersonId, ...] = ()
    flagged: bool = False
    """Shown to the agency's team: nobody further up is left to remind."""
    opened_at: Instant
    due: Due | None = None
    escalates_at: Instant | None = None
    """When the clock acts on it next; None when it has no more to do."""
    remind_on: tuple[tuple[int, str], ...] = ()
    """Rungs of the reminder ladder as (working days from due, local date in ISO form)."""

    @property
    def id(self) -> str:
        """The task's name within its evaluation."""
        return task_id(self.kind, self.number)

    def may_act(self, person: PersonId) -> bool:
        """Tell whether that person holds the task or was given it by an escalation."""
        return person == self.holder or person in self.escalated_to


class TaskRule(Value):
    """Where the policy speaks of a kind of task."""

    path: str
    late: Lateness | None
    remind: tuple[int, ...]


def task_rule(policy: Policy, kind: TaskKind) -> TaskRule:
    """Return the policy's path, late act and reminder rungs for a kind of task."""
    appeal, calibration = policy.appeal, policy.calibration
    stages = {
        TaskKind.SUBMIT_PLAN: ("plan", policy.plan),
        TaskKind.REVIEW_PLAN: ("plan_review", policy.plan_review),
        TaskKind.DECIDE_PLAN_CHANGE: ("plan_change", policy.plan_change),
        TaskKind.MIDYEAR_ACCOUNT: ("midyear", policy.midyear),
        TaskKind.MIDYEAR_REVIEW: ("midyear", policy.midyear),
        TaskKind.SELF_EVALUATION: ("self_evaluation", policy.self_evaluation),
        TaskKind.RATE: ("rating", policy.rating),
        TaskKind.APPROVE: ("final_approval", policy.final_approval),
    }
    if kind in stages:
        path, rule = stages[kind]
        return TaskRule(path=path, late=rule.late, remind=rule.remind)
    others = {
        TaskKind.PERIODIC_EVALUATION: ("periods", policy.periods.late, policy.periods.remind),
        TaskKind.SECOND_RATE: ("rating.second", policy.rating.late, policy.rating.remind),
        TaskKind.INTERIM_RATE: ("segments.interim_due", policy.rating.late, policy.rating.remind),
        TaskKind.CALIBRATE: ("calibration", calibration.late if calibration else None, ()),
        TaskKind.RECEIVE_RESULT: ("delivery.deemed_after_days", None, ()),
        TaskKind.APPEAL: ("appeal.window", None, appeal.remind_window),
        TaskKind.RESPOND_TO_APPEAL: ("appeal.respond_within", None, appeal.remind),
        TaskKind.DECIDE_APPEAL: ("appeal.decide_within", appeal.late, appeal.remind),
        TaskKind.VOTE_ON_APPEAL: ("appeal.decide_within", appeal.late, appeal.remind),
        TaskKind.SEAT_PANEL: ("appeal.decide_within", appeal.late, appeal.remind),
        TaskKind.RESOLVE_REFERRAL: ("final_approval", None, ()),
        TaskKind.IMPROVEMENT_CHECK_IN: ("outcomes", None, ()),
    }
    path, late, remind = others[kind]
    return TaskRule(path=path, late=late, remind=remind)
