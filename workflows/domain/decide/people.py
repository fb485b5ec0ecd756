"""People who change: a seat is given to another person, a line of superiors becomes known."""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party, seat
from siklus.workflows.domain.commands import Edition, Reassign, ResolveSuperior, Seat
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import by_clock, by_span, first_climb_at, task
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Count, Span
from siklus.workflows.domain.stages import ENDED, Stage, Task, TaskKind, task_rule
from siklus.workflows.domain.values import PersonId

RUNNING = tuple(stage for stage in Stage if stage not in ENDED)

_TASKS = {
    Seat.SUPERVISOR: (
        TaskKind.REVIEW_PLAN,
        TaskKind.DECIDE_PLAN_CHANGE,
        TaskKind.PERIODIC_EVALUATION,
        TaskKind.MIDYEAR_REVIEW,
        TaskKind.RATE,
        TaskKind.INTERIM_RATE,
        TaskKind.RESPOND_TO_APPEAL,
    ),
    Seat.APPROVER: (TaskKind.APPROVE,),
    Seat.DECIDER: (TaskKind.DECIDE_APPEAL,),
}


@decides(Reassign, by=Party.TEAM, stages=RUNNING)
def reassign(state: Evaluation, command: Reassign, act: Act) -> list[e.AnyEvent]:
    """The seat's open tasks move with their due times; escalations start again from the new
    holder."""
    if command.person == state.participants.employee:
        raise Refusal(Reason.SELF_DECISION, "nobody can be given the own evaluation to judge")
    previous = seat(state, _PARTY[command.seat])
    again = command.seat is Seat.APPROVER and state.referred
    if command.person == previous and command.person not in state.gone and not again:
        raise invalid("person", "fills that seat already")
    if command.seat is Seat.DECIDER:
        if state.appeal is None or state.stage is not Stage.APPEAL_DECISION:
            raise Refusal(Reason.WRONG_STAGE, "no appeal waits for a decision")
        if state.policy.appeal.panel is not None:
            message = "by the policy of this cycle a panel decides; seat its members instead"
            raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, message)
        must_not_answer(state, act, command.person)
        if act.actor.person in state.raters:
            message = "whoever rated does not choose who decides; ask another of the team"
            raise Refusal(Reason.SEPARATION_OF_DUTIES, message)
    forms.must_say(command, "reason")
    if act.roster is None or not act.roster.active:
        raise invalid("person", "is nobody who works in the agency now")
    moved = tuple(
        handed_over(state, waiting, command.person, act.at)
        for waiting in state.tasks
        if waiting.kind in _TASKS[command.seat]
        and (waiting.kind is not TaskKind.RESPOND_TO_APPEAL or waiting.holder == previous)
    )
    if any(waiting.kind is TaskKind.RESPOND_TO_APPEAL for waiting in moved):
        must_not_decide(state, act, command.person)
    closes: tuple[str, ...] = ()
    if command.seat is Seat.APPROVER and state.referred:
        due = by_clock(state, "final_approval.due", state.policy.final_approval.due, act.at)
        moved = (task(state, TaskKind.APPROVE, command.person, act.at, due),)
        closes = (TaskKind.RESOLVE_REFERRAL,)
    return [
        e.Reassigned(
            prose=act.prose,
            seat=command.seat,
            previous=previous,
            person=command.person,
            superior=act.roster.superior,
            opens=moved,
            closes=closes,
        )
    ]


_PARTY = {
    Seat.SUPERVISOR: Party.SUPERVISOR,
    Seat.APPROVER: Party.APPROVER,
    Seat.DECIDER: Party.DECIDER,
}


def must_not_decide(state: Evaluation, act: Act, *people: PersonId | None) -> None:
    """Refuse to let whoever decides the appeal answer for the rating that it judges."""
    appeal = state.appeal
    if appeal is None:
        return
    deciding = {seat.member for seat in appeal.seats}
    if appeal.decider is not None and act.edition >= Edition.SIDES_APART:
        deciding.add(appeal.decider)
    if deciding & set(people):
        message = "whoever decides the appeal does not answer for the rating; ask another"
        raise Refusal(Reason.SEPARATION_OF_DUTIES, message)


def answering(state: Evaluation, act: Act) -> set[PersonId]:
    """Return whoever rated, and whoever answers for it: one side, which never decides."""
    response = state.task(TaskKind.RESPOND_TO_APPEAL)
    sides = set(state.raters)
    if response is not None and response.holder is not None:
        sides.add(response.holder)
    if state.appeal is not None and act.edition >= Edition.SIDES_APART:
        sides.update(state.appeal.answered_by)
    return sides


def must_not_answer(state: Evaluation, act: Act, *people: PersonId | None) -> None:
    """Refuse to let that side decide the appeal, but where the law makes both one person."""
    if state.appeal is not None and state.appeal.top_of_hierarchy:
        return
    sides = answering(state, act) if act.edition >= Edition.SIDES_APART else state.raters
    if sides & set(people):
        message = (
            "whoever rated, or answers for the rating, does not decide the appeal; "
            "the agency's team gives it to another"
        )
        raise Refusal(Reason.SEPARATION_OF_DUTIES, message)


def handed_over(state: Evaluation, waiting: Task, person: PersonId | None, at: datetime) -> Task:
    """Give a task to somebody who, where it is late already, has a climb's time to act."""
    climbs_at = first_climb_at(state, waiting.kind, waiting.due, at)
    late = task_rule(state.policy, waiting.kind).late
    if climbs_at == at and late is not None:
        days = Span(days=late.escalate_days, count=Count.WORKING)
        climbs_at = by_span(state, "late.escalate_days", days, at).expires_at
    return waiting.model_copy(
        update={
            "holder": person,
            "escalated_to": (),
            "flagged": False,
            "escalates_at": climbs_at,
        }
    )


@decides(ResolveSuperior, by=Party.SYSTEM, stages=RUNNING)
def resolve_superior(state: Evaluation, command: ResolveSuperior, _: Act) -> list[e.AnyEvent]:
    """The roster's answer is kept, so that replay and audit see the line that was followed."""
    if state.superiors.get(command.person, command.person) == command.superior:
        raise Refusal(Reason.ALREADY_DONE, "that superior is known already")
    return [e.SuperiorResolved(person=command.person, superior=command.superior)]
