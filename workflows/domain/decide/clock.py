"""What time itself does: stages open, windows lapse, late tasks climb.

The legal instant of each act never moves. When it is carried out may: an act that takes a right
away waits out the transit of commands received in time, and the timer spreads all of them over
the policy's window, so that a nation's midnight is not one second's work.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import NamedTuple

from siklus.workflows.domain import deadlines
from siklus.workflows.domain import events as e
from siklus.workflows.domain.decide import midyear
from siklus.workflows.domain.decide.calibration import passed
from siklus.workflows.domain.decide.delivery import final_approval, receive
from siklus.workflows.domain.decide.execution import (
    PERIODS_STAY_OPEN,
    evaluation_of,
    period_ends_on,
)
from siklus.workflows.domain.decide.self_evaluation import (
    rating_opens_at,
    self_evaluation_closes_at,
)
from siklus.workflows.domain.decide.tasks import by_clock, by_span, stage_opens_at, task
from siklus.workflows.domain.instant import TRANSIT
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Count, Late, Span
from siklus.workflows.domain.stages import (
    AWAITING_A_DECISION,
    OWN_TASKS,
    Stage,
    Task,
    TaskKind,
    task_rule,
)
from siklus.workflows.domain.values import PersonId

AT_ONCE = timedelta(0)
_NEVER_CLIMB = OWN_TASKS | (AWAITING_A_DECISION - {TaskKind.DECIDE_APPEAL})
"""What nobody else could do, and so is shown to the team."""


class Pace(Enum):
    """How soon after its legal instant an act may be carried out."""

    ROUTINE = "ROUTINE"
    TURN = "TURN"
    """It opens one thing and ends another: whoever acts afterwards finds it done."""
    LAPSE = "LAPSE"
    """It takes a right away, and waits for what was sent in time."""


Events = Callable[[], list[e.AnyEvent]]
"""Makes the events of an act: most acts are only asked when they come."""


class ClockAct(NamedTuple):
    """One thing the clock does: its legal instant, when it is carried out, and its events."""

    legal_at: datetime
    run_at: datetime
    events: Events | None
    """None while it is not known whom an escalation reaches."""


def next_act(
    state: Evaluation, *, spread: timedelta = AT_ONCE, before: datetime | None = None
) -> ClockAct | None:
    """Return what the clock can do next, or None when nothing is left for it.

    `before` is the legal instant of a command that is being decided: what came legally later is
    left out, and a stage that has turned by then has turned for it. A late task whose next level
    is unknown is passed over: see `unknown_superior`.
    """
    scheduled = _scheduled(state, spread, for_order=before is not None)
    acts = [act for act in scheduled if act.events is not None]
    if before is not None:
        acts = [act for act in acts if act.legal_at <= before]
    return min(acts, key=lambda act: act.run_at) if acts else None


def next_wake(state: Evaluation, *, spread: timedelta = AT_ONCE) -> datetime | None:
    """Return when the clock has work again, be it to act or to look somebody up."""
    return min((act.run_at for act in _scheduled(state, spread)), default=None)


def _scheduled(state: Evaluation, spread: timedelta, *, for_order: bool = False) -> list[ClockAct]:
    if state.ended or state.opened_at is None:
        return []
    wait = {
        Pace.ROUTINE: spread,
        Pace.TURN: AT_ONCE if for_order else max(spread, TRANSIT),
        Pace.LAPSE: TRANSIT + spread,
    }
    return [
        ClockAct(legal_at, legal_at + wait[pace], make) for legal_at, pace, make in _acts(state)
    ]


def spread_of(state: Evaluation) -> timedelta:
    """Return this evaluation's own place in the policy's spread window, always the same."""
    draw = int.from_bytes(hashlib.sha256(str(state.key).encode()).digest()[:8])
    return timedelta(seconds=draw % (state.policy.spread_minutes * 60 + 1))


def unknown_superior(state: Evaluation, now: datetime) -> PersonId | None:
    """Return whose superior must be looked up: of a late task's holder, or of the rater."""
    if state.ended:
        return None
    late = (
        waiting
        for waiting in state.tasks
        if waiting.escalates_at is not None
        and waiting.escalates_at <= now
        and waiting.kind not in _NEVER_CLIMB
    )
    asked = [_highest(waiting) for waiting in late]
    if state.policy.appeal.enabled:
        asked += sorted(state.raters)
    for person in asked:
        if person is not None and person not in state.superiors:
            return person
    return None


def possible_acts(state: Evaluation) -> list[tuple[datetime, list[e.AnyEvent]]]:
    """Return everything the clock would do as things stand, with its legal instants."""
    if state.ended or state.opened_at is None:
        return []
    return [(legal_at, make() if make else []) for legal_at, _, make in _acts(state)]


_Possible = tuple[datetime, Pace, Events | None]
"""Legal instant, pace, and what makes the events."""


def _acts(state: Evaluation) -> Iterator[_Possible]:
    yield from _openings(state)
    yield from _lapses(state)
    for waiting in state.tasks:
        if waiting.escalates_at is not None:
            yield waiting.escalates_at, Pace.ROUTINE, _escalation(state, waiting)


def _openings(state: Evaluation) -> Iterator[_Possible]:
    since = state.stage_since_at
    if since is None:
        return
    if state.stage in PERIODS_STAY_OPEN and state.under_plan_since is not None:
        yield from _period(state)
    match state.stage:
        case Stage.EXECUTION:
            yield _after_execution(state, since)
        case Stage.MIDYEAR:
            closes = (TaskKind.MIDYEAR_ACCOUNT, TaskKind.MIDYEAR_REVIEW)
            missed = e.MidyearMissed(stage=Stage.EXECUTION, closes=closes)
            yield max(midyear.ends_at(state), since), Pace.LAPSE, lambda: [missed]
        case Stage.SELF_EVALUATION if state.self_evaluation.settled:
            at = max(rating_opens_at(state), since)
            yield at, Pace.ROUTINE, partial(_rating, state, at)
        case Stage.SELF_EVALUATION:
            at = self_evaluation_closes_at(state)
            missed_own = e.SelfEvaluationMissed(closes=(TaskKind.SELF_EVALUATION,))
            yield at, Pace.LAPSE, lambda: [missed_own, *_rating(state, at)]
        case _:
            pass


def _after_execution(state: Evaluation, since: datetime) -> _Possible:
    """Progress and plan changes end with the next opening, that of the midyear aside."""
    policy = state.policy
    under_plan = state.under_plan_since is not None
    if under_plan and policy.midyear.enabled and not state.midyear.settled:
        at = max(stage_opens_at(state, policy.midyear), since)
        return at, Pace.ROUTINE, partial(_midyear, state, at)
    if under_plan and policy.self_evaluation.enabled and not state.self_evaluation.settled:
        at = max(stage_opens_at(state, policy.self_evaluation), since)
        return at, Pace.TURN, partial(_self_evaluation, state, at)
    at = max(rating_opens_at(state), since)
    return at, Pace.TURN, partial(_rating, state, at)


def _period(state: Evaluation) -> Iterator[_Possible]:
    number = len(state.periods) + 1
    if number > state.policy.periods.per_year:
        return
    ends_on = period_ends_on(state.terms, number)
    ended_at = deadlines.opens_at(state.calendar, ends_on + timedelta(days=1))
    approved_at = state.under_plan_since
    if approved_at is not None and ended_at <= approved_at:
        yield approved_at, Pace.ROUTINE, lambda: [e.PeriodSkipped(period=number)]
        return

    def opened() -> list[e.AnyEvent]:
        waiting = evaluation_of(state, number, ended_at)
        return [e.PeriodOpened(period=number, opens=(waiting,))]

    yield ended_at, Pace.ROUTINE, opened


def _midyear(state: Evaluation, at: datetime) -> list[e.AnyEvent]:
    """Open the midyear; skip it if it had ended when the plan came, miss it if its time is over."""
    rule, approved_at = state.policy.midyear, state.under_plan_since
    over_at = midyear.ends_at(state)
    ended_at = over_at
    if rule.due.on is not None:
        last_on = rule.due.on.in_year(state.terms.year)
        ended_at = min(over_at, deadlines.opens_at(state.calendar, last_on + timedelta(days=1)))
    if approved_at is not None and approved_at >= ended_at:
        return [e.MidyearSkipped()]
    if at >= over_at:
        return [e.MidyearMissed()]
    if state.midyear.account_at is not None:
        return [e.MidyearOpened(stage=Stage.MIDYEAR, opens=(midyear.review(state, at),))]
    due = by_clock(state, "midyear.due", rule.due, at)
    account = task(state, TaskKind.MIDYEAR_ACCOUNT, state.participants.employee, at, due)
    return [e.MidyearOpened(stage=Stage.MIDYEAR, opens=(account,))]


def _self_evaluation(state: Evaluation, at: datetime) -> list[e.AnyEvent]:
    due = by_clock(state, "self_evaluation.due", state.policy.self_evaluation.due, at)
    own = task(state, TaskKind.SELF_EVALUATION, state.participants.employee, at, due)
    pending = (TaskKind.DECIDE_PLAN_CHANGE,) if state.plan.proposed is not None else ()
    return [e.SelfEvaluationOpened(stage=Stage.SELF_EVALUATION, opens=(own,), closes=pending)]


def _rating(state: Evaluation, at: datetime) -> list[e.AnyEvent]:
    due = by_clock(state, "rating.due", state.policy.rating.due, at)
    rate = task(state, TaskKind.RATE, state.participants.supervisor, at, due)
    closes = (TaskKind.DECIDE_PLAN_CHANGE,)
    return [e.RatingOpened(stage=Stage.RATING, opens=(rate,), closes=closes)]


def _lapses(state: Evaluation) -> Iterator[_Possible]:
    for waiting in state.tasks:
        if waiting.due is None:
            continue
        ended_at = waiting.due.expires_at
        match waiting.kind:
            case TaskKind.CALIBRATE if _goes_on(state):
                yield ended_at, Pace.TURN, partial(passed, state, ended_at)
            case TaskKind.RECEIVE_RESULT:
                yield ended_at, Pace.LAPSE, partial(_deemed, state, waiting.due.due_at)
            case TaskKind.APPEAL:
                yield ended_at, Pace.LAPSE, partial(_not_appealed, state, ended_at)
            case TaskKind.RESPOND_TO_APPEAL:
                yield ended_at, Pace.LAPSE, _not_answered
            case TaskKind.MIDYEAR_ACCOUNT if not state.midyear.account_overdue:
                yield ended_at, Pace.LAPSE, partial(_no_account, state, ended_at)
            case TaskKind.INTERIM_RATE:
                span = Span(days=state.policy.segments.unrated_after_days)
                over = by_span(state, "segments.unrated_after_days", span, waiting.opened_at)
                # A day that was set or given back holds beyond the days for which one waits.
                put = waiting.due.basis_on is None
                over_at = max(over.expires_at, ended_at) if put else over.expires_at
                yield over_at, Pace.LAPSE, _unrated
            case _:
                pass


def _goes_on(state: Evaluation) -> bool:
    rule = state.policy.calibration
    return rule is not None and rule.late.act is Late.GO_ON


def _deemed(state: Evaluation, due_at: datetime) -> list[e.AnyEvent]:
    return [receive(state, e.Receipt.DEEMED, due_at)]


def _not_appealed(state: Evaluation, ended_at: datetime) -> list[e.AnyEvent]:
    lapsed = e.AppealWindowLapsed(closes=(TaskKind.APPEAL,))
    return [lapsed, final_approval(state, ended_at)]


def _not_answered() -> list[e.AnyEvent]:
    return [e.AppealResponseMissed(closes=(TaskKind.RESPOND_TO_APPEAL,))]


def _no_account(state: Evaluation, ended_at: datetime) -> list[e.AnyEvent]:
    opens = () if state.task(TaskKind.MIDYEAR_REVIEW) else (midyear.review(state, ended_at),)
    return [e.MidyearAccountOverdue(opens=opens)]


def _unrated() -> list[e.AnyEvent]:
    closes = (TaskKind.INTERIM_RATE,)
    return [e.SegmentUnrated(stage=Stage.SEGMENT_CLOSED, closes=closes)]


def _highest(waiting: Task) -> PersonId | None:
    return waiting.escalated_to[-1] if waiting.escalated_to else waiting.holder


def _escalation(state: Evaluation, waiting: Task) -> Events | None:
    """Climb one level, or flag to the team at the top; None while the next level is unknown.

    What only the employee can do never climbs: nobody else could do it. Nor does a panel's seat.
    """
    rule = task_rule(state.policy, waiting.kind).late
    highest = _highest(waiting)
    if rule is None or rule.act is Late.TEAM_ACTS or highest is None:
        return partial(_flag, waiting)
    if waiting.kind in _NEVER_CLIMB:
        return partial(_flag, waiting)
    if highest not in state.superiors:
        return None
    superior = state.superiors[highest]
    out_of_question = {state.participants.employee, waiting.holder, *waiting.escalated_to}
    out_of_question |= set(state.gone)
    if waiting.kind is TaskKind.DECIDE_APPEAL:
        out_of_question |= state.raters
    if waiting.kind is TaskKind.SECOND_RATE:
        out_of_question |= state.first_raters
    if superior is None or superior in out_of_question:
        return partial(_flag, waiting)
    return partial(_climb, state, waiting, superior, rule.escalate_days)


def _climb(state: Evaluation, waiting: Task, superior: PersonId, days: int) -> list[e.AnyEvent]:
    assert waiting.escalates_at is not None  # noqa: S101 - or nothing would climb
    span = Span(days=days, count=Count.WORKING)
    again = by_span(state, "late.escalate_days", span, waiting.escalates_at).expires_at
    climbed = waiting.model_copy(
        update={"escalated_to": (*waiting.escalated_to, superior), "escalates_at": again}
    )
    level = len(climbed.escalated_to)
    return [e.TaskEscalated(task=waiting.id, to=superior, level=level, opens=(climbed,))]


def _flag(waiting: Task) -> list[e.AnyEvent]:
    flagged = waiting.model_copy(update={"flagged": True, "escalates_at": None})
    return [e.TaskFlagged(task=waiting.id, opens=(flagged,))]
