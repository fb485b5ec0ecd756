"""Endings out of turn, and the way back: exclude, cancel, reopen."""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import Cancel, Exclude, Reopen
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.appeal import hearing
from siklus.workflows.domain.decide.delivery import final_approval
from siklus.workflows.domain.decide.execution import evaluation_of
from siklus.workflows.domain.decide.people import RUNNING
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import by_clock, task
from siklus.workflows.domain.decide.transfer import interim_rating
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage, Task, TaskKind

REOPENABLE = (Stage.COMPLETED, Stage.EXCLUDED, Stage.CANCELLED)


@decides(Exclude, by=Party.TEAM, stages=RUNNING)
def exclude(state: Evaluation, command: Exclude, act: Act) -> list[e.AnyEvent]:
    """Out of the cycle on a stated ground; the reason is kept."""
    forms.must_say(command, "reason")
    return [
        e.EvaluationExcluded(
            prose=act.prose,
            ground=command.ground,
            stage=Stage.EXCLUDED,
            closes=tuple(waiting.id for waiting in state.tasks),
        )
    ]


@decides(Cancel, by=Party.TEAM, stages=RUNNING)
def cancel(state: Evaluation, command: Cancel, act: Act) -> list[e.AnyEvent]:
    """Ended without a result."""
    forms.must_say(command, "reason")
    return [
        e.EvaluationCancelled(
            prose=act.prose,
            stage=Stage.CANCELLED,
            closes=tuple(waiting.id for waiting in state.tasks),
        )
    ]


@decides(Reopen, by=Party.TEAM, stages=REOPENABLE)
def reopen(state: Evaluation, command: Reopen, act: Act) -> list[e.AnyEvent]:
    """Only a reopening follows the end; where the policy asks for two people, the second does it.

    It starts again where it has a footing: at its plan, at work under an approved plan, at a new
    rating where one was given; after a decided appeal, which is final by law, at the final
    approval.
    """
    if state.policy.reopen_needs_second_person and state.reopening_by == act.actor.name:
        raise Refusal(
            Reason.SECOND_PERSON_REQUIRED, "a second member of the team must confirm this"
        )
    forms.must_say(command, "reason")
    if state.policy.reopen_needs_second_person and state.reopening_by is None:
        return [e.ReopeningRequested(prose=act.prose)]
    stage, opens = _footing(state, act.at)
    return [e.EvaluationReopened(prose=act.prose, stage=stage, opens=tuple(opens))]


def _footing(state: Evaluation, at: datetime) -> tuple[Stage, list[Task]]:
    seats, appeal = state.participants, state.appeal
    if state.stage_before_end is Stage.INTERIM_RATING:
        return Stage.INTERIM_RATING, [interim_rating(state, at)]
    if appeal is not None and appeal.outcome is not None:
        if not state.policy.final_approval.enabled:
            raise Refusal(
                Reason.APPEAL_FINAL, "the appeal decision is final, and nothing follows it here"
            )
        return Stage.FINAL_APPROVAL, list(final_approval(state, at).opens)
    if appeal is not None and appeal.withdrawn_at is None:
        return Stage.APPEAL_DECISION, hearing(state, appeal, at)
    if state.rating is not None:
        due = by_clock(state, "rating.due", state.policy.rating.due, at)
        return Stage.RATING, [task(state, TaskKind.RATE, seats.supervisor, at, due)]
    if state.stage_before_end not in {Stage.PLAN, Stage.PLAN_REVIEW}:
        return Stage.EXECUTION, [evaluation_of(state, p.number, at) for p in state.open_periods]
    due = by_clock(state, "plan.due", state.policy.plan.due, at)
    return Stage.PLAN, [task(state, TaskKind.SUBMIT_PLAN, seats.employee, at, due)]
