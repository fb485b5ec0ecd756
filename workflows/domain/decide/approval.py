"""The final approval (stage 12): approve and lock, or refer what cannot be approved."""

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import ApproveEvaluation, ReferEvaluation
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import task
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage, TaskKind


@decides(
    ApproveEvaluation,
    by=Party.APPROVER,
    stages=[Stage.FINAL_APPROVAL],
    task=TaskKind.APPROVE,
)
def approve_evaluation(state: Evaluation, _: ApproveEvaluation, act: Act) -> list[e.AnyEvent]:
    """The result is final and the evaluation ends."""
    if state.task(TaskKind.APPROVE) is None:
        raise Refusal(
            Reason.WRONG_STAGE,
            "the evaluation was referred to the agency's team, which reassigns or ends it",
        )
    return [
        e.EvaluationApproved(
            prose=act.prose, stage=Stage.COMPLETED, closes=tuple(t.id for t in state.tasks)
        )
    ]


@decides(ReferEvaluation, by=Party.APPROVER, stages=[Stage.FINAL_APPROVAL], task=TaskKind.APPROVE)
def refer_evaluation(state: Evaluation, command: ReferEvaluation, act: Act) -> list[e.AnyEvent]:
    """After a final appeal decision the approver may only approve or hand it to the team."""
    if state.referred:
        raise Refusal(Reason.ALREADY_DONE, "the evaluation was referred already")
    if state.appeal is None or state.appeal.outcome is None:
        raise Refusal(
            Reason.WRONG_STAGE,
            "no appeal was decided here: approve the evaluation or return the rating",
        )
    forms.must_say(command, "reason")
    waiting = task(state, TaskKind.RESOLVE_REFERRAL, None, act.at, None)
    return [e.EvaluationReferred(prose=act.prose, opens=(waiting,), closes=(TaskKind.APPROVE,))]
