"""Delivery and receipt (stage 9): the result is shown, and the appeal's clock starts when it
was received."""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import AcknowledgeResult, OpenResult
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import by_clock, by_span, task
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Span
from siklus.workflows.domain.stages import Stage, TaskKind


def deliver(state: Evaluation, at: datetime) -> list[e.AnyEvent]:
    """Show the result; without an appeal in the policy, go straight to the final approval."""
    days = state.policy.delivery.deemed_after_days
    if not state.policy.appeal.enabled or days is None:
        return [e.ResultDelivered(), final_approval(state, at)]
    due = by_span(state, "delivery.deemed_after_days", Span(days=days), at)
    holder = state.participants.employee
    waiting = task(state, TaskKind.RECEIVE_RESULT, holder, at, due)
    return [e.ResultDelivered(opens=(waiting,))]


def receive(state: Evaluation, how: e.Receipt, at: datetime) -> e.ResultReceived:
    """Record the receipt and open the appeal window; the day of receipt is not counted.

    Whoever comes after the day of deemed receipt, but before the clock has said so, finds it
    received on that day all the same.
    """
    waiting = state.task(TaskKind.RECEIVE_RESULT)
    if waiting is not None and waiting.due is not None and at >= waiting.due.expires_at:
        how, at = e.Receipt.DEEMED, waiting.due.due_at
    due = by_span(state, "appeal.window", state.policy.appeal.window, at)
    window = task(state, TaskKind.APPEAL, state.participants.employee, at, due)
    return e.ResultReceived(
        how=how,
        stage=Stage.APPEAL_WINDOW,
        opens=(window,),
        closes=(TaskKind.RECEIVE_RESULT,),
    )


def final_approval(state: Evaluation, at: datetime) -> e.FinalApprovalOpened | e.EvaluationApproved:
    """Hand the settled result to the approver; where the policy asks for none, it is final."""
    rule = state.policy.final_approval
    if not rule.enabled:
        return e.EvaluationApproved(stage=Stage.COMPLETED)
    due = by_clock(state, "final_approval.due", rule.due, at)
    return e.FinalApprovalOpened(
        stage=Stage.FINAL_APPROVAL,
        opens=(task(state, TaskKind.APPROVE, state.participants.approver, at, due),),
    )


@decides(OpenResult, by=Party.EMPLOYEE, stages=[Stage.DELIVERY], task=TaskKind.RECEIVE_RESULT)
def open_result(state: Evaluation, _: OpenResult, act: Act) -> list[e.AnyEvent]:
    """Opening proves receipt; it is a command, never a side effect of reading."""
    return [receive(state, e.Receipt.OPENED, act.at)]


@decides(AcknowledgeResult, by=Party.EMPLOYEE, stages=[Stage.DELIVERY, Stage.APPEAL_WINDOW])
def acknowledge_result(state: Evaluation, command: AcknowledgeResult, act: Act) -> list[e.AnyEvent]:
    """Receipt alone starts the clock; acceptance waives the appeal and closes the window."""
    received = state.stage is Stage.APPEAL_WINDOW
    if received and not command.accepted:
        raise Refusal(Reason.ALREADY_DONE, "the result was received already")
    events: list[e.AnyEvent] = []
    if not received:
        events.append(receive(state, e.Receipt.ACKNOWLEDGED, act.at))
    if command.accepted:
        events.append(e.ResultAccepted(closes=(TaskKind.APPEAL,)))
        events.append(final_approval(state, act.at))
    return events
