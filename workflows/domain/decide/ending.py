"""Endings out of turn, and the way back: exclude, cancel, reopen."""

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import Cancel, Exclude, Reopen
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.delivery import final_approval
from siklus.workflows.domain.decide.people import RUNNING
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import by_clock, task
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage, TaskKind

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
    forms.must_say(command, "reason")
    if state.policy.reopen_needs_second_person:
        if state.reopening_by is None:
            return [e.ReopeningRequested(prose=act.prose)]
        if state.reopening_by == act.actor.name:
            raise Refusal(
                Reason.SECOND_PERSON_REQUIRED, "a second member of the team must confirm this"
            )
    return _footing(state, act)


def _footing(state: Evaluation, act: Act) -> list[e.AnyEvent]:
    appeal_decided = state.appeal is not None and state.appeal.outcome is not None
    if appeal_decided:
        back = final_approval(state, act.at)
        return [e.EvaluationReopened(prose=act.prose, stage=back.stage, opens=back.opens)]
    seats = state.participants
    if state.rating is not None:
        due = by_clock(state, "rating.due", state.policy.rating.due, act.at)
        rate = task(state, TaskKind.RATE, seats.supervisor, act.at, due)
        return [e.EvaluationReopened(prose=act.prose, stage=Stage.RATING, opens=(rate,))]
    if state.plan.version > 0:
        return [e.EvaluationReopened(prose=act.prose, stage=Stage.EXECUTION)]
    due = by_clock(state, "plan.due", state.policy.plan.due, act.at)
    plan = task(state, TaskKind.SUBMIT_PLAN, seats.employee, act.at, due)
    return [e.EvaluationReopened(prose=act.prose, stage=Stage.PLAN, opens=(plan,))]
