"""The plan and its review (stages 1 and 2), and changes to it while the work goes on."""

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import (
    AddExpectation,
    ApprovePlan,
    DecidePlanChange,
    RequestPlanChange,
    ReturnPlan,
    SetPlan,
    SubmitPlan,
    WithdrawPlan,
)
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import at_least, by_clock, task
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Count, Span
from siklus.workflows.domain.stages import Stage, TaskKind

REVIEW_LEAST = Span(days=5, count=Count.WORKING)
"""A reviewer has at least this long from submission (our decision)."""

AT_WORK = (Stage.EXECUTION, Stage.MIDYEAR)


@decides(SubmitPlan, by=Party.EMPLOYEE, stages=[Stage.PLAN], task=TaskKind.SUBMIT_PLAN)
def submit_plan(state: Evaluation, command: SubmitPlan, act: Act) -> list[e.AnyEvent]:
    """The plan goes to the supervisor, who has until the review's date or 5 working days."""
    forms.must_be_a_plan(command, command.indicators, state.policy.plan.indicators)
    due = at_least(
        state,
        by_clock(state, "plan_review.due", state.policy.plan_review.due, act.at),
        "plan_review.due.min_days",
        REVIEW_LEAST,
        act.at,
    )
    review = task(state, TaskKind.REVIEW_PLAN, state.participants.supervisor, act.at, due)
    if not state.policy.plan_review.enabled:
        submitted = e.PlanSubmitted(
            prose=act.prose, indicators=command.indicators, closes=(TaskKind.SUBMIT_PLAN,)
        )
        return [submitted, e.PlanApproved(stage=Stage.EXECUTION)]
    return [
        e.PlanSubmitted(
            prose=act.prose,
            indicators=command.indicators,
            stage=Stage.PLAN_REVIEW,
            opens=(review,),
            closes=(TaskKind.SUBMIT_PLAN,),
        )
    ]


@decides(WithdrawPlan, by=Party.EMPLOYEE, stages=[Stage.PLAN_REVIEW])
def withdraw_plan(state: Evaluation, _: WithdrawPlan, act: Act) -> list[e.AnyEvent]:
    """The plan comes back to the employee; its old due time stays."""
    back = task(state, TaskKind.SUBMIT_PLAN, state.participants.employee, act.at, state.plan.due)
    return [e.PlanWithdrawn(stage=Stage.PLAN, opens=(back,), closes=(TaskKind.REVIEW_PLAN,))]


@decides(SetPlan, by=Party.TEAM, stages=[Stage.PLAN])
def set_plan(state: Evaluation, command: SetPlan, act: Act) -> list[e.AnyEvent]:
    """The team sets a plan that is late, in force at once and marked as the team's."""
    waiting = state.task(TaskKind.SUBMIT_PLAN)
    if not state.policy.plan.team_may_set:
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, "the policy does not let the team set a plan")
    if waiting is not None and waiting.due is not None and act.at < waiting.due.expires_at:
        raise Refusal(
            Reason.NOT_YET_OPEN,
            "the employee still has time to submit the plan",
            details={"opens_at": waiting.due.expires_at.isoformat(), "rule": waiting.due.rule},
        )
    forms.must_be_a_plan(command, command.indicators, state.policy.plan.indicators)
    return [
        e.PlanSet(
            prose=act.prose,
            indicators=command.indicators,
            stage=Stage.EXECUTION,
            closes=(TaskKind.SUBMIT_PLAN,),
        )
    ]


@decides(ApprovePlan, by=Party.SUPERVISOR, stages=[Stage.PLAN_REVIEW], task=TaskKind.REVIEW_PLAN)
def approve_plan(_: Evaluation, __: ApprovePlan, act: Act) -> list[e.AnyEvent]:
    """The plan is in force as its first version."""
    return [e.PlanApproved(prose=act.prose, stage=Stage.EXECUTION, closes=(TaskKind.REVIEW_PLAN,))]


@decides(ReturnPlan, by=Party.SUPERVISOR, stages=[Stage.PLAN_REVIEW], task=TaskKind.REVIEW_PLAN)
def return_plan(state: Evaluation, command: ReturnPlan, act: Act) -> list[e.AnyEvent]:
    """Back with a reason; due at the later of the old due time and return + 5 working days."""
    rule = state.policy.plan
    if state.plan.returns >= rule.max_returns:
        raise Refusal(
            Reason.RETURNS_EXHAUSTED,
            f"the plan was returned {state.plan.returns} times already; approve it or change it "
            "with the employee",
            details={"max_returns": str(rule.max_returns)},
        )
    forms.must_say(command, "reason")
    due = at_least(state, state.plan.due, "plan.return_days", rule.return_days, act.at)
    back = task(state, TaskKind.SUBMIT_PLAN, state.participants.employee, act.at, due)
    return [
        e.PlanReturned(
            prose=act.prose, stage=Stage.PLAN, opens=(back,), closes=(TaskKind.REVIEW_PLAN,)
        )
    ]


@decides(AddExpectation, by=Party.SUPERVISOR, stages=[Stage.PLAN_REVIEW, *AT_WORK])
def add_expectation(_: Evaluation, command: AddExpectation, act: Act) -> list[e.AnyEvent]:
    """The supervisor says more exactly what is expected; nothing moves."""
    forms.must_say(command, "expectation")
    return [e.ExpectationAdded(prose=act.prose)]


@decides(RequestPlanChange, by=Party.EMPLOYEE, stages=AT_WORK)
def request_plan_change(
    state: Evaluation, command: RequestPlanChange, act: Act
) -> list[e.AnyEvent]:
    """A proposed plan waits for the supervisor; the old one stays in force meanwhile."""
    if not state.policy.plan_change.enabled:
        raise Refusal(
            Reason.NOT_ALLOWED_BY_POLICY, "the policy of this cycle lets a plan not change"
        )
    if state.plan.version == 0:
        raise Refusal(Reason.WRONG_STAGE, "no plan is in force here that could change")
    if state.plan.proposed is not None:
        raise Refusal(
            Reason.ALREADY_DONE, "a plan change already waits for the supervisor's decision"
        )
    forms.must_be_a_plan(command, command.indicators, state.policy.plan.indicators)
    due = at_least(
        state,
        by_clock(state, "plan_change.due", state.policy.plan_change.due, act.at),
        "plan_change.due.min_days",
        REVIEW_LEAST,
        act.at,
    )
    holder = state.participants.supervisor
    return [
        e.PlanChangeRequested(
            prose=act.prose,
            indicators=command.indicators,
            opens=(task(state, TaskKind.DECIDE_PLAN_CHANGE, holder, act.at, due),),
        )
    ]


@decides(DecidePlanChange, by=Party.SUPERVISOR, stages=AT_WORK, task=TaskKind.DECIDE_PLAN_CHANGE)
def decide_plan_change(state: Evaluation, command: DecidePlanChange, act: Act) -> list[e.AnyEvent]:
    """An approved change makes a new plan version; a refused one needs a reason."""
    if state.plan.proposed is None:
        raise Refusal(Reason.ALREADY_DONE, "no plan change waits for a decision")
    if not command.approved:
        forms.must_say(command, "reason")
    return [
        e.PlanChangeDecided(
            prose=act.prose, approved=command.approved, closes=(TaskKind.DECIDE_PLAN_CHANGE,)
        )
    ]
