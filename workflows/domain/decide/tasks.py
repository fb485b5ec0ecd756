"""Opening tasks: who holds them, when they are due and why, when the clock acts on them."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from siklus.workflows.domain import deadlines
from siklus.workflows.domain.deadlines import Due, Stretch
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Clock, Late, Roll, Span, StageRule
from siklus.workflows.domain.stages import OWN_TASKS, Task, TaskKind, task_id, task_rule
from siklus.workflows.domain.values import PersonId

_CLIMBS = frozenset({Late.ESCALATE, Late.TEAM_ACTS})
_DATED = frozenset(
    {
        TaskKind.SUBMIT_PLAN,
        TaskKind.REVIEW_PLAN,
        TaskKind.MIDYEAR_ACCOUNT,
        TaskKind.MIDYEAR_REVIEW,
        TaskKind.SELF_EVALUATION,
        TaskKind.RATE,
        TaskKind.APPROVE,
    }
)
"""What a day of the year belongs to; a day set for anything else is that one window's."""


def task(
    state: Evaluation,
    kind: TaskKind,
    holder: PersonId | None,
    at: datetime,
    due: Due | None,
    *,
    number: int = 0,
) -> Task:
    """Return a freshly opened task with its reminder days and its first late act.

    The team holds what nobody else may: what a roster would make the employee judge in the own
    case, and what falls to somebody who left.
    """
    own_judge = holder == state.participants.employee and kind not in OWN_TASKS
    due = _as_moved(state, kind, number, due, at)
    opened = Task(
        kind=kind,
        number=number,
        holder=None if own_judge or holder in state.gone else holder,
        opened_at=at,
        due=due,
    )
    return with_due(state, opened, due, at)


def with_due(state: Evaluation, waiting: Task, due: Due | None, at: datetime) -> Task:
    """Return a task with another due time, its reminder days, and its late acts from there on."""
    rule = task_rule(state.policy, waiting.kind)
    ladder = () if _has_spoken(state, waiting) else rule.remind
    rungs = deadlines.remind_on(state.calendar, due, ladder) if due else ()
    return waiting.model_copy(
        update={
            "due": due,
            "escalates_at": first_climb_at(state, waiting.kind, due, at),
            "remind_on": tuple((rung.rung, rung.on.isoformat()) for rung in rungs),
        }
    )


def _has_spoken(state: Evaluation, waiting: Task) -> bool:
    if waiting.kind is not TaskKind.VOTE_ON_APPEAL or state.appeal is None:
        return False
    return state.appeal.waits_for_others(waiting.number)


def moved_to(state: Evaluation, kind: TaskKind, on: date) -> Due:
    """Return the end of a day that the team has set; it stays where it was put, on any day."""
    path = f"{task_rule(state.policy, kind).path}.moved"
    return deadlines.on_day(state.calendar, on, roll=Roll.KEEP, rule=path)


def forwards(state: Evaluation, on: date, *, rule: str) -> Due:
    """Return the end of a day given as more time: rolled on where the policy does, never back."""
    return deadlines.on_day(state.calendar, on, roll=_onwards(state), rule=rule)


def _onwards(state: Evaluation) -> Roll:
    return Roll.NEXT if state.policy.roll is Roll.NEXT else Roll.KEEP


def paused(
    state: Evaluation,
    due: Due,
    since: datetime,
    fresh: Collection[Stretch],
    known: Collection[Stretch] = (),
) -> Due:
    """Return a due time as it is when the clock stands still on days of leave after `since`.

    A clock towards a fixed day counts the day with whose first instant it began.
    """
    on = since.astimezone(state.calendar.tz).date()
    if due.basis_on is None and since == deadlines.opens_at(state.calendar, on):
        on -= timedelta(days=1)
    return deadlines.paused(state.calendar, due, on, fresh, known, roll=_onwards(state))


def off_leave(state: Evaluation, kind: TaskKind, due: Due, since: date) -> Due:
    """Return a due time that was put off from that day: time won falls on no leave either."""
    if kind not in OWN_TASKS:
        return due
    return deadlines.paused(state.calendar, due, since, state.leaves, roll=_onwards(state))


def _as_moved(
    state: Evaluation, kind: TaskKind, number: int, due: Due | None, at: datetime
) -> Due | None:
    """Return a new task's due time with what the team and the employee's leave make of it.

    A day brought forward never takes the notice that the policy leaves, nor what a late starter
    has by days. A plan that comes back has its due time with all of that in it.
    """
    if due is None or (kind is TaskKind.SUBMIT_PLAN and due == state.plan.due):
        return due
    on = state.moved.get(task_id(kind, number)) if kind in _DATED else None
    if on is not None:
        put = moved_to(state, kind, on)
        if put.due_at >= due.due_at:
            due = put
        elif due.basis_on is None:
            notice = by_span(state, "deadlines.notice", state.policy.deadlines.notice, at)
            due = min(due, max(put, notice, key=ends), key=ends)
    if kind in OWN_TASKS and state.leaves:
        due = paused(state, due, at, state.leaves)
    return due


def ends(due: Due) -> datetime:
    """Return when a due time is over, to compare by."""
    return due.due_at


def first_climb_at(
    state: Evaluation, kind: TaskKind, due: Due | None, at: datetime
) -> datetime | None:
    """Return when the clock first acts on a late task, never before it was opened; None if never.

    A late midyear account is no matter of climbing: the review opens without it.
    """
    late = task_rule(state.policy, kind).late
    climbs = late is not None and late.act in _CLIMBS and kind is not TaskKind.MIDYEAR_ACCOUNT
    return max(due.expires_at, at) if due is not None and climbs else None


def by_clock(state: Evaluation, path: str, clock: Clock, at: datetime) -> Due | None:
    """Return when a stage entered at `at` is due by its policy clock."""
    terms = state.terms
    return deadlines.for_clock(
        terms.calendar, clock, terms.year, at, rule=path, default_roll=terms.policy.roll
    )


def by_span(state: Evaluation, path: str, span: Span, at: datetime) -> Due:
    """Return the end of a clock of n days from `at`."""
    return deadlines.after(state.calendar, at, span, rule=path, default_roll=state.policy.roll)


def at_least(state: Evaluation, due: Due | None, path: str, span: Span, at: datetime) -> Due:
    """Return the later of a due time and n days from `at`."""
    least = by_span(state, path, span, at)
    return deadlines.later(due, least) or least


def stage_opens_at(state: Evaluation, rule: StageRule) -> datetime:
    """Return the first instant of the stage's opening day; the year's start without one."""
    day = rule.opens or state.policy.year.starts
    return deadlines.opens_at(state.calendar, day.in_year(state.terms.year))
