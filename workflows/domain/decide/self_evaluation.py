"""The self-evaluation (stage 6): the employee's own view of the year."""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import SubmitSelfEvaluation
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import by_span, stage_opens_at
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Span
from siklus.workflows.domain.stages import Stage, TaskKind


@decides(
    SubmitSelfEvaluation,
    by=Party.EMPLOYEE,
    stages=[Stage.SELF_EVALUATION],
    task=TaskKind.SELF_EVALUATION,
)
def submit_self_evaluation(
    state: Evaluation, command: SubmitSelfEvaluation, act: Act
) -> list[e.AnyEvent]:
    """Realisation per indicator (`prose.indicators.<id>.realisation`), own levels, evidence."""
    if state.self_evaluation.settled:
        raise Refusal(Reason.ALREADY_DONE, "the self-evaluation was submitted already")
    closes_at = self_evaluation_closes_at(state)
    if act.at >= closes_at:
        raise Refusal(
            Reason.WINDOW_CLOSED,
            "the rating has opened; the year goes on without a self-evaluation",
            details={"closed_at": closes_at.isoformat(), "rule": "rating.opens"},
        )
    known = {indicator.id for indicator in state.plan.indicators}
    for path in command.prose:
        words = path.split(".")
        if words[0] == "indicators" and words[1:2] and words[1] not in known:
            raise invalid(path, "the plan has no such indicator")
    forms.must_say(command, "account")
    return [
        e.SelfEvaluationSubmitted(
            prose=act.prose,
            results=command.results,
            behaviour=command.behaviour,
            evidence=command.evidence,
            closes=(TaskKind.SELF_EVALUATION,),
        )
    ]


def rating_opens_at(state: Evaluation) -> datetime:
    """Return when the rating opens: on its day, or once the least days under a plan have passed."""
    opens = stage_opens_at(state, state.policy.rating)
    least, approved_at = state.policy.min_days_under_plan, state.under_plan_since
    if approved_at is None or not least:
        return opens
    served = by_span(state, "min_days_under_plan", Span(days=least), approved_at)
    return max(opens, served.expires_at)


def self_evaluation_closes_at(state: Evaluation) -> datetime:
    """Return when the rating takes over: at its opening, or later for a late starter."""
    opens = rating_opens_at(state)
    waiting = state.task(TaskKind.SELF_EVALUATION)
    if waiting is None or waiting.due is None:
        return opens
    return max(opens, waiting.due.expires_at)
