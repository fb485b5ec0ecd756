"""The midyear review (stage 5): the employee's account, then the dialogue."""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import RecordMidyearReview, SubmitMidyearAccount
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.plan import REVIEW_LEAST
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.self_evaluation import rating_opens_at
from siklus.workflows.domain.decide.tasks import at_least, by_clock, stage_opens_at, task
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage, Task, TaskKind


@decides(
    SubmitMidyearAccount,
    by=Party.EMPLOYEE,
    stages=[Stage.MIDYEAR],
    task=TaskKind.MIDYEAR_ACCOUNT,
)
def submit_midyear_account(
    state: Evaluation, command: SubmitMidyearAccount, act: Act
) -> list[e.AnyEvent]:
    """The account opens the supervisor's review, late or not, as long as none was recorded."""
    if state.midyear.account_at is not None:
        raise Refusal(Reason.ALREADY_DONE, "the midyear account was submitted already")
    forms.must_say(command, "account")
    waiting = state.task(TaskKind.MIDYEAR_REVIEW)
    opens = () if waiting else (review(state, act.at),)
    return [
        e.MidyearAccountSubmitted(prose=act.prose, opens=opens, closes=(TaskKind.MIDYEAR_ACCOUNT,))
    ]


@decides(
    RecordMidyearReview,
    by=Party.SUPERVISOR,
    stages=[Stage.MIDYEAR],
    task=TaskKind.MIDYEAR_REVIEW,
)
def record_midyear_review(
    state: Evaluation, command: RecordMidyearReview, act: Act
) -> list[e.AnyEvent]:
    """The dialogue is recorded; a changed plan takes effect with it as its next version."""
    if state.task(TaskKind.MIDYEAR_REVIEW) is None:
        raise Refusal(
            Reason.NOT_YET_OPEN,
            "the employee's account is not in and not late; the review follows it",
        )
    forms.must_say(command, "dialogue")
    if command.indicators:
        forms.must_be_a_plan(command, command.indicators, state.policy.plan.indicators)
    return [
        e.MidyearReviewed(
            prose=act.prose,
            indicators=command.indicators,
            stage=Stage.EXECUTION,
            closes=(TaskKind.MIDYEAR_ACCOUNT, TaskKind.MIDYEAR_REVIEW),
        )
    ]


def ends_at(state: Evaluation) -> datetime:
    """Return when the midyear is over, done or not: what follows it opens."""
    own = state.policy.self_evaluation
    return stage_opens_at(state, own) if own.enabled else rating_opens_at(state)


def review(state: Evaluation, at: datetime) -> Task:
    """Return the supervisor's task: due at the stage's date or 5 working days on."""
    due = at_least(
        state,
        by_clock(state, "midyear.due", state.policy.midyear.due, at),
        "midyear.due.min_days",
        REVIEW_LEAST,
        at,
    )
    return task(state, TaskKind.MIDYEAR_REVIEW, state.participants.supervisor, at, due)
