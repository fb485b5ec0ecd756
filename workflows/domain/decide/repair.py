"""Repairs: back to an earlier stage, and entries that were written down wrong, with a trace."""

from collections.abc import Callable

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import Correctable, CorrectEntry, ReturnToStage
from siklus.workflows.domain.decide import forms, midyear
from siklus.workflows.domain.decide.people import RUNNING
from siklus.workflows.domain.decide.plan import REVIEW_LEAST
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.scoring import levels
from siklus.workflows.domain.decide.tasks import (
    at_least,
    by_clock,
    by_span,
    task,
)
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Count, Span, StageRule
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import Level, Predicate

LEAST = Span(days=5, count=Count.WORKING)
"""What is asked for once more may be given for at least so long (our decision)."""

ORDER = (
    Stage.PLAN,
    Stage.PLAN_REVIEW,
    Stage.EXECUTION,
    Stage.MIDYEAR,
    Stage.SELF_EVALUATION,
    Stage.RATING,
    Stage.CALIBRATION,
    Stage.DELIVERY,
    Stage.APPEAL_WINDOW,
    Stage.APPEAL_DECISION,
    Stage.FINAL_APPROVAL,
)


@decides(ReturnToStage, by=Party.TEAM, stages=set(ORDER) - {Stage.PLAN})
def return_to_stage(state: Evaluation, command: ReturnToStage, act: Act) -> list[e.AnyEvent]:
    """Back to where something has to be done again; what was done stays in the history.

    A decided appeal is final by law, so nothing before it is opened again; a pending one is decided
    or withdrawn first. To a passed appeal window it is the explicit way back.
    """
    if state.stage is Stage.APPEAL_DECISION:
        message = "an appeal waits for its decision; let it be decided, or withdrawn, first"
        raise Refusal(Reason.WRONG_STAGE, message)
    ways = _ways_back(state)
    if command.stage not in ways:
        message = f"from {state.stage} there is a way back to {', '.join(ways) or 'no other'}"
        raise invalid("stage", message)
    if state.appeal is not None and state.appeal.outcome is not None:
        raise Refusal(Reason.APPEAL_FINAL, "the appeal decision is final; refer or approve it")
    forms.must_say(command, "reason")
    opened = _OPENINGS[command.stage](state, act)
    # Periods wait on: they are the supervisor's to evaluate whatever else is done again.
    stay = {TaskKind.PERIODIC_EVALUATION}
    if command.stage is Stage.MIDYEAR:
        stay.add(TaskKind.DECIDE_PLAN_CHANGE)
    closes = (t.id for t in state.tasks if t.kind not in stay and t.id != opened.id)
    return [
        e.StageReturned(prose=act.prose, stage=command.stage, opens=(opened,), closes=tuple(closes))
    ]


def _ways_back(state: Evaluation) -> list[Stage]:
    """Return the earlier stages that ask for something, of those that the employee was in.

    A midyear that was held or missed lies behind the execution that follows it.
    """
    first, here = Stage.RATING if state.from_rating else Stage.PLAN, ORDER.index(state.stage)
    between = ORDER[ORDER.index(first) : here]
    earlier = [stage for stage in _OPENINGS if stage in between]
    held = state.midyear.opened_at is not None and state.midyear.settled
    return [*earlier, Stage.MIDYEAR] if held and state.stage is Stage.EXECUTION else earlier


def _plan(state: Evaluation, act: Act) -> Task:
    _must_be_enabled(state.policy.plan)
    due = at_least(state, state.plan.due, "plan.return_days", state.policy.plan.return_days, act.at)
    return task(state, TaskKind.SUBMIT_PLAN, state.participants.employee, act.at, due)


def _plan_review(state: Evaluation, act: Act) -> Task:
    rule = state.policy.plan_review
    _must_be_enabled(rule)
    if state.plan.submitted_at is None:
        raise Refusal(Reason.WRONG_STAGE, "no plan was submitted that could be reviewed")
    due = by_clock(state, "plan_review.due", rule.due, act.at)
    due = at_least(state, due, "plan_review.due.min_days", REVIEW_LEAST, act.at)
    return task(state, TaskKind.REVIEW_PLAN, state.participants.supervisor, act.at, due)


def _midyear(state: Evaluation, act: Act) -> Task:
    rule = state.policy.midyear
    _must_be_enabled(rule)
    if act.at >= midyear.ends_at(state):
        raise Refusal(Reason.WRONG_STAGE, "what follows the midyear has opened; it would be missed")
    if state.midyear.account_at is not None:
        return midyear.review(state, act.at)
    due = by_clock(state, "midyear.due", rule.due, act.at)
    due = at_least(state, due, "midyear.due.min_days", LEAST, act.at)
    return task(state, TaskKind.MIDYEAR_ACCOUNT, state.participants.employee, act.at, due)


def _self_evaluation(state: Evaluation, act: Act) -> Task:
    rule = state.policy.self_evaluation
    _must_be_enabled(rule)
    due = by_clock(state, "self_evaluation.due", rule.due, act.at)
    due = at_least(state, due, "self_evaluation.due.min_days", LEAST, act.at)
    return task(state, TaskKind.SELF_EVALUATION, state.participants.employee, act.at, due)


def _rating(state: Evaluation, act: Act) -> Task:
    due = by_clock(state, "rating.due", state.policy.rating.due, act.at)
    due = at_least(state, due, "rating.due.min_days", LEAST, act.at)
    return task(state, TaskKind.RATE, state.participants.supervisor, act.at, due)


def _appeal_window(state: Evaluation, act: Act) -> Task:
    rule = state.policy.appeal
    if not rule.enabled:
        raise Refusal(Reason.APPEAL_DISABLED, "the policy of this cycle knows no appeal")
    if state.appeal_spent:
        raise Refusal(Reason.APPEAL_SPENT, "a result can be appealed once")
    due = by_span(state, "appeal.window", rule.window, act.at)
    return task(state, TaskKind.APPEAL, state.participants.employee, act.at, due)


_OPENINGS: dict[Stage, Callable[[Evaluation, Act], Task]] = {
    Stage.PLAN: _plan,
    Stage.PLAN_REVIEW: _plan_review,
    Stage.MIDYEAR: _midyear,
    Stage.SELF_EVALUATION: _self_evaluation,
    Stage.RATING: _rating,
    Stage.APPEAL_WINDOW: _appeal_window,
}
"""Where something can be asked for again; execution opens nothing, its time is the calendar's."""


def _must_be_enabled(rule: StageRule) -> None:
    if not rule.enabled:
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, "the policy of this cycle has no such stage")


@decides(CorrectEntry, by=Party.TEAM, stages=RUNNING)
def correct_entry(state: Evaluation, command: CorrectEntry, act: Act) -> list[e.AnyEvent]:
    """The levels as they were meant; a rating is never put right by others than its rater."""
    forms.must_say(command, "reason")
    before, predicate = _entry(state, command)
    if before == (command.results, command.behaviour):
        raise invalid("results", "these are the levels that stand")
    return [
        e.EntryCorrected(
            prose=act.prose,
            entry=command.entry,
            number=command.number,
            results=command.results,
            behaviour=command.behaviour,
            predicate=predicate,
        )
    ]


def _entry(
    state: Evaluation, command: CorrectEntry
) -> tuple[tuple[Level | None, Level | None], Predicate | None]:
    """Return the levels that stand, and the predicate that the new ones make."""
    if command.entry is Correctable.SELF_EVALUATION:
        if command.number:
            raise invalid("number", "is for periodic evaluations; leave it 0")
        own = state.self_evaluation
        if own.submitted_at is None:
            raise Refusal(Reason.WRONG_STAGE, "no self-evaluation was submitted")
        return (own.results, own.behaviour), None
    period = next((p for p in state.periods if p.number == command.number), None)
    if period is None or period.recorded_at is None:
        raise Refusal(Reason.WRONG_STAGE, f"period {command.number} was not evaluated")
    predicate = levels(state.policy, command.results, command.behaviour).predicate
    return (period.results, period.behaviour), predicate
