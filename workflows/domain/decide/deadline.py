"""Deadlines that move while a cycle runs: by the team, for an outage, for days off known late.

Every such deadline is recorded with its task, so the timer, the inbox, the reminders and what
people are shown have one and the same instant.
"""

from datetime import timedelta

from siklus.workflows.domain import deadlines
from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import ExtendForOutage, MoveDeadline, ReplaceCalendar
from siklus.workflows.domain.deadlines import Due
from siklus.workflows.domain.decide import forms, midyear
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.decide.people import RUNNING
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import (
    by_span,
    forwards,
    moved_to,
    off_leave,
    paused,
    with_due,
)
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Clock, Span
from siklus.workflows.domain.stages import (
    AWAITING_A_DECISION,
    Stage,
    Task,
    TaskKind,
    task_id,
)

_DAY = timedelta(days=1)

FURTHEST = timedelta(days=730)
"""A last day lies at most so far ahead (our decision)."""

LONGEST_OUTAGE = timedelta(days=60)
"""An outage that is longer is a matter for moving deadlines, and for a reason of its own."""

_RIGHTS = frozenset({TaskKind.RECEIVE_RESULT, TaskKind.APPEAL, TaskKind.RESPOND_TO_APPEAL})
"""Time that the law gives, to appeal and to be heard: it may grow, and is never cut."""

_TO_COME: dict[TaskKind, frozenset[Stage]] = {
    TaskKind.SUBMIT_PLAN: frozenset(),
    TaskKind.REVIEW_PLAN: frozenset({Stage.PLAN}),
    TaskKind.MIDYEAR_ACCOUNT: frozenset({Stage.PLAN, Stage.PLAN_REVIEW, Stage.EXECUTION}),
    TaskKind.MIDYEAR_REVIEW: frozenset(
        {Stage.PLAN, Stage.PLAN_REVIEW, Stage.EXECUTION, Stage.MIDYEAR}
    ),
    TaskKind.SELF_EVALUATION: frozenset(
        {Stage.PLAN, Stage.PLAN_REVIEW, Stage.EXECUTION, Stage.MIDYEAR}
    ),
    TaskKind.RATE: frozenset(
        {Stage.PLAN, Stage.PLAN_REVIEW, Stage.EXECUTION, Stage.MIDYEAR, Stage.SELF_EVALUATION}
    ),
    TaskKind.APPROVE: frozenset(set(RUNNING) - {Stage.FINAL_APPROVAL, Stage.INTERIM_RATING}),
}
"""From where a task with a date of its own is still to come; a span begins with its event."""


@decides(MoveDeadline, by=Party.TEAM, stages=RUNNING)
def move_deadline(state: Evaluation, command: MoveDeadline, act: Act) -> list[e.AnyEvent]:
    """Another last day, never without the policy's notice, never a passed one by accident.

    A task that is still to come gets the day when it opens; until then nothing else changes.
    """
    forms.must_say(command, "reason")
    _must_be_a_day_for_it(state, command, act)
    _must_hear_the_rater_first(state, command)
    due = moved_to(state, command.task, command.due_on)
    name = task_id(command.task, command.number)
    meant = _meant(state, command)
    if not meant:
        _must_be_to_come(state, command)
        if state.moved.get(name) == command.due_on:
            raise Refusal(Reason.ALREADY_DONE, "that day is set already")
        return [e.DeadlineMoved(prose=act.prose, task=name, due_on=command.due_on)]
    before = meant[0].due
    if before is None:
        raise Refusal(Reason.WRONG_STAGE, "this task waits without a deadline")
    _must_be_movable(state, before, due, command, act)
    moved = tuple(_anew(state, waiting, due, act) for waiting in meant)
    return [e.DeadlineMoved(prose=act.prose, task=name, due_on=command.due_on, opens=moved)]


def _meant(state: Evaluation, command: MoveDeadline) -> list[Task]:
    """Return the open tasks whose last day it is: of a panel those of all its seats."""
    if state.policy.appeal.panel is not None and command.task in AWAITING_A_DECISION:
        return [waiting for waiting in state.tasks if waiting.kind in AWAITING_A_DECISION]
    waiting = state.task(command.task, command.number)
    return [waiting] if waiting is not None else []


def _must_be_a_day_for_it(state: Evaluation, command: MoveDeadline, act: Act) -> None:
    today = act.at.astimezone(state.calendar.tz).date()
    if command.due_on < today:
        raise invalid("due_on", "lies in the past")
    if command.due_on - today > FURTHEST:
        raise invalid("due_on", f"lies more than {FURTHEST.days} days ahead")
    if command.number and command.task is not TaskKind.PERIODIC_EVALUATION:
        raise invalid("number", "is for periodic evaluations; leave it 0")
    if command.task in {TaskKind.MIDYEAR_ACCOUNT, TaskKind.MIDYEAR_REVIEW}:
        over_on = midyear.ends_at(state).astimezone(state.calendar.tz).date()
        if command.due_on >= over_on:
            message = (
                f"what follows the midyear opens on {over_on.isoformat()}; choose a day before"
            )
            raise invalid("due_on", message)


def _must_hear_the_rater_first(state: Evaluation, command: MoveDeadline) -> None:
    """Nobody decides an appeal before the rater's time to respond is over: so neither is due."""
    response = state.task(TaskKind.RESPOND_TO_APPEAL)
    decision = next((t for t in state.tasks if t.kind in AWAITING_A_DECISION), None)
    if response is None or response.due is None or decision is None or decision.due is None:
        return
    heard_on, decided_on = response.due.on, decision.due.on
    if command.task is TaskKind.RESPOND_TO_APPEAL:
        heard_on = command.due_on
    elif command.task in AWAITING_A_DECISION:
        decided_on = command.due_on
    else:
        return
    if heard_on >= decided_on:
        heard, decided = response.due.on.isoformat(), decision.due.on.isoformat()
        raise invalid(
            "due_on",
            f"the rater may respond until {heard}, the decision is due on {decided}, "
            "and has to be due later; move that day first",
        )


def _must_be_to_come(state: Evaluation, command: MoveDeadline) -> None:
    clock = _clock(state, command.task)
    to_come = state.stage in _TO_COME.get(command.task, frozenset())
    if clock is None or clock.on is None or not to_come or not _once(state, command.task):
        raise Refusal(
            Reason.WRONG_STAGE,
            f"{command.task} does not wait here, and no fixed day is to come for it",
        )


def _once(state: Evaluation, kind: TaskKind) -> bool:
    """Tell whether what comes once a year has not been and gone."""
    gone = {
        TaskKind.MIDYEAR_ACCOUNT: state.midyear.settled or state.midyear.account_at is not None,
        TaskKind.MIDYEAR_REVIEW: state.midyear.settled,
        TaskKind.SELF_EVALUATION: state.self_evaluation.settled,
    }
    return not gone.get(kind, False) and not (kind in gone and state.from_rating)


def _clock(state: Evaluation, kind: TaskKind) -> Clock | None:
    policy = state.policy
    rules = {
        TaskKind.REVIEW_PLAN: policy.plan_review,
        TaskKind.MIDYEAR_ACCOUNT: policy.midyear,
        TaskKind.MIDYEAR_REVIEW: policy.midyear,
        TaskKind.SELF_EVALUATION: policy.self_evaluation,
        TaskKind.RATE: policy.rating,
        TaskKind.APPROVE: policy.final_approval,
    }
    rule = rules.get(kind)
    return rule.due if rule is not None and rule.enabled else None


def _must_be_movable(
    state: Evaluation, before: Due, after: Due, command: MoveDeadline, act: Act
) -> None:
    if after.due_at == before.due_at:
        raise Refusal(Reason.ALREADY_DONE, "that is the deadline already")
    if act.at >= before.expires_at and not command.reopen_passed:
        raise Refusal(
            Reason.DEADLINE_PASSED,
            f"the deadline passed on {before.on.isoformat()}; "
            "set reopen_passed to let it run again",
            details={"due_at": before.due_at.isoformat(), "rule": before.rule},
        )
    if after.due_at > before.due_at:
        return
    if command.task in _RIGHTS:
        raise Refusal(
            Reason.NOTICE_TOO_SHORT,
            f"this time is somebody's right and is not cut; it runs to {before.on.isoformat()}",
            details={"earliest_on": before.on.isoformat(), "rule": before.rule},
        )
    span = state.policy.deadlines.notice
    notice = by_span(state, "deadlines.notice", span, act.at)
    if after.due_at < notice.due_at:
        raise Refusal(
            Reason.NOTICE_TOO_SHORT,
            f"the policy leaves at least until {notice.on.isoformat()} to whoever has the task",
            details={"earliest_on": notice.on.isoformat(), "rule": "deadlines.notice"},
        )


def _anew(state: Evaluation, waiting: Task, due: Due, act: Act) -> Task:
    """Return a task whose lateness begins anew with its deadline: it has climbed to nobody yet.

    What stays late climbs on as it did.
    """
    anew = with_due(state, waiting, due, act.at)
    if due.expires_at <= act.at:
        return anew.model_copy(update={"escalates_at": waiting.escalates_at})
    return anew.model_copy(update={"escalated_to": (), "flagged": False})


@decides(ExtendForOutage, by=Party.TEAM, stages=RUNNING)
def extend_for_outage(state: Evaluation, command: ExtendForOutage, act: Act) -> list[e.AnyEvent]:
    """Give back whole days for the hours of an outage, once (our decision).

    What counts was open in the outage and not yet late when it began; also if it is late by now.
    """
    forms.must_say(command, "reason")
    _must_be_over(command, act)
    if command.outage in state.outages:
        raise Refusal(Reason.ALREADY_DONE, "this outage was made good here already")
    days = -((command.began_at - command.ended_at) // _DAY)
    extended = tuple(
        _anew(state, waiting, _made_good(state, waiting.kind, waiting.due, days), act)
        for waiting in state.tasks
        if waiting.due is not None
        and waiting.opened_at < command.ended_at
        and command.began_at < waiting.due.expires_at
    )
    if not extended:
        raise Refusal(
            Reason.WRONG_STAGE,
            "nothing waits here that was open in the outage; "
            "an appeal window that has lapsed opens again by a return to it",
        )
    return [
        e.DeadlinesExtended(
            prose=act.prose,
            outage=command.outage,
            began_at=command.began_at,
            ended_at=command.ended_at,
            days=days,
            opens=extended,
        )
    ]


def _made_good(state: Evaluation, kind: TaskKind, before: Due, days: int) -> Due:
    longer = forwards(state, before.on + days * _DAY, rule="outage")
    longer = longer.model_copy(update={"pauses": before.pauses})
    return off_leave(state, kind, longer, before.on)


def _must_be_over(command: ExtendForOutage, act: Act) -> None:
    lasted = command.ended_at - command.began_at
    if lasted <= timedelta(0):
        raise invalid("ended_at", "lies before the outage began")
    if command.ended_at > act.at:
        raise invalid("ended_at", "lies in the future; record the outage when it is over")
    if lasted > LONGEST_OUTAGE:
        message = f"an outage lasts at most {LONGEST_OUTAGE.days} days; move deadlines instead"
        raise invalid("ended_at", message)


@decides(ReplaceCalendar, by=Party.SYSTEM, stages=RUNNING)
def replace_calendar(state: Evaluation, command: ReplaceCalendar, act: Act) -> list[e.AnyEvent]:
    """New days off count from now on; a deadline that runs only ever moves later.

    One that has passed is never reopened: in August 2025 a day off was added for that very month.
    """
    calendar = command.calendar
    if calendar.zone != state.calendar.zone:
        raise invalid("calendar", "an evaluation keeps its zone")
    if calendar == state.calendar:
        raise Refusal(Reason.ALREADY_DONE, "this calendar is in force already")
    terms = state.terms.model_copy(update={"calendar": calendar})
    then = state.model_copy(update={"terms": terms})
    moved = []
    for waiting in state.tasks:
        if waiting.due is None or act.at >= waiting.due.expires_at:
            continue
        due = off_leave(then, waiting.kind, _again(then, waiting.due), waiting.due.on)
        if due.due_at > waiting.due.due_at:
            moved.append(_anew(then, waiting, due, act))
    return [e.CalendarReplaced(calendar=calendar, digest=digest_of(calendar), opens=tuple(moved))]


def _again(state: Evaluation, due: Due) -> Due:
    """Return a deadline as the calendar in force makes it, from the day it was counted from."""
    if due.basis_on is None or due.days is None or due.count is None:
        on = due.rolled_from or due.on
        again = deadlines.on_day(state.calendar, on, roll=due.roll, rule=due.rule)
        return again.model_copy(update={"pauses": due.pauses})
    event_at = deadlines.opens_at(state.calendar, due.basis_on)
    span = Span(days=due.days, count=due.count, roll=due.roll)
    again = deadlines.after(
        state.calendar, event_at, span, rule=due.rule, default_roll=state.policy.roll
    )
    return paused(state, again, event_at, due.pauses)
