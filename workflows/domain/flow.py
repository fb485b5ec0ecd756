"""The year that a policy makes, told stage by stage to those who read it."""

from enum import StrEnum

from pydantic import Field

from siklus.workflows.domain.labels import StageName
from siklus.workflows.domain.policy import (
    Clock,
    Late,
    Lateness,
    Policy,
    Rungs,
    Span,
    StageRule,
    YearDay,
)
from siklus.workflows.domain.values import Value


class Who(StrEnum):
    """Whose turn it is in a stage."""

    EMPLOYEE = "employee"
    SUPERVISOR = "supervisor"
    SUPERIOR = "superior"
    TEAM = "team"
    PANEL = "panel"
    APPROVER = "approver"
    SYSTEM = "system"


class FlowStage(Value):
    """One stage: who acts in what order, when it opens, by which rule it is due, and what if not.

    `due` is the clock of a stage with an entry, `spans` are its clocks of n days by policy path.
    """

    stage: StageName
    who: tuple[Who, ...]
    times: int = 1
    opens: YearDay | None = None
    due: Clock | None = None
    spans: dict[str, Span] = Field(default_factory=dict)
    late: Lateness | None = None
    remind: Rungs = ()


def describe(policy: Policy) -> tuple[FlowStage, ...]:
    """Return the stages that the policy switches on, in the order of the year."""
    on = {
        StageName.PLAN: policy.plan.enabled,
        StageName.PLAN_REVIEW: policy.plan_review.enabled,
        StageName.PLAN_CHANGE: policy.plan_change.enabled,
        StageName.PERIODS: policy.periods.per_year > 0,
        StageName.MIDYEAR: policy.midyear.enabled,
        StageName.SELF_EVALUATION: policy.self_evaluation.enabled,
        StageName.RATING: policy.rating.enabled,
        StageName.CALIBRATION: policy.calibration is not None,
        StageName.DELIVERY: True,
        StageName.APPEAL: policy.appeal.enabled,
        StageName.FINAL_APPROVAL: policy.final_approval.enabled,
    }
    return tuple(described for described in _all(policy) if on[described.stage])


def _all(policy: Policy) -> tuple[FlowStage, ...]:
    return (
        _stage(StageName.PLAN, policy.plan, Who.EMPLOYEE),
        _stage(StageName.PLAN_REVIEW, policy.plan_review, Who.SUPERVISOR),
        _stage(StageName.PLAN_CHANGE, policy.plan_change, Who.EMPLOYEE, Who.SUPERVISOR),
        _periods(policy),
        _stage(StageName.MIDYEAR, policy.midyear, Who.EMPLOYEE, Who.SUPERVISOR),
        _stage(StageName.SELF_EVALUATION, policy.self_evaluation, Who.EMPLOYEE),
        _stage(StageName.RATING, policy.rating, *_raters(policy)),
        _calibration(policy),
        _delivery(policy),
        _appeal(policy),
        _stage(StageName.FINAL_APPROVAL, policy.final_approval, Who.APPROVER),
    )


def _stage(name: StageName, rule: StageRule, *who: Who) -> FlowStage:
    return FlowStage(
        stage=name, who=who, opens=rule.opens, due=rule.due, remind=rule.remind, late=rule.late
    )


def _raters(policy: Policy) -> tuple[Who, ...]:
    return (Who.SUPERVISOR,) if policy.rating.second is None else (Who.SUPERVISOR, Who.SUPERIOR)


def _periods(policy: Policy) -> FlowStage:
    rule = policy.periods
    return FlowStage(
        stage=StageName.PERIODS,
        who=(Who.SUPERVISOR,),
        times=rule.per_year,
        spans={"periods.due": rule.due},
        remind=rule.remind,
        late=rule.late,
    )


def _calibration(policy: Policy) -> FlowStage:
    rule = policy.calibration
    return FlowStage(
        stage=StageName.CALIBRATION,
        who=(Who.TEAM,),
        spans={"calibration.due": rule.due} if rule else {},
        late=rule.late if rule else None,
    )


def _delivery(policy: Policy) -> FlowStage:
    days = policy.delivery.deemed_after_days
    spans = {} if days is None else {"delivery.deemed_after_days": Span(days=days)}
    return FlowStage(stage=StageName.DELIVERY, who=(Who.SYSTEM, Who.EMPLOYEE), spans=spans)


def _appeal(policy: Policy) -> FlowStage:
    rule = policy.appeal
    decider, late = Who(rule.decided_by), rule.late
    if late is not None and rule.panel is not None:
        # A seat climbs to nobody: whoever is late with a vote is shown to the team.
        late = late.model_copy(update={"act": Late.TEAM_ACTS})
    return FlowStage(
        stage=StageName.APPEAL,
        who=(Who.EMPLOYEE, Who.SUPERVISOR, decider),
        spans={
            "appeal.window": rule.window,
            "appeal.respond_within": rule.respond_within,
            "appeal.decide_within": rule.decide_within,
        },
        remind=rule.remind,
        late=late,
    )
