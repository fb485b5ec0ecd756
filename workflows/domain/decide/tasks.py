"""Opening tasks: who holds them, when they are due and why, when the clock acts on them."""

from datetime import datetime

from siklus.workflows.domain import deadlines
from siklus.workflows.domain.deadlines import Due
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Clock, Late, Span, StageRule
from siklus.workflows.domain.stages import OWN_TASKS, Task, TaskKind, task_rule
from siklus.workflows.domain.values import PersonId

_CLIMBS = frozenset({Late.ESCALATE, Late.TEAM_ACTS})


def task(
    state: Evaluation,
    kind: TaskKind,
    holder: PersonId | None,
    at: datetime,
    due: Due | None,
    *,
    number: int = 0,
) -> Task:
    """Return a freshly opened task with its reminder days and its first late act."""
    rule = task_rule(state.policy, kind)
    rungs = deadlines.remind_on(state.calendar, due, rule.remind) if due else ()
    # Where a roster would make the employee judge in the own case, the team holds the task.
    own_judge = holder == state.participants.employee and kind not in OWN_TASKS
    return Task(
        kind=kind,
        number=number,
        holder=None if own_judge else holder,
        opened_at=at,
        due=due,
        escalates_at=first_climb_at(state, kind, due, at),
        remind_on=tuple((rung.rung, rung.on.isoformat()) for rung in rungs),
    )


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
