"""evolve(state, entry) -> state: what each recorded event changes, and nothing else."""

from collections.abc import Iterable
from functools import reduce
from typing import Any, TypeVar, assert_never

from siklus.workflows.domain import audit
from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import SYSTEM, Seat
from siklus.workflows.domain.evolve_appeal import appealed, due_at
from siklus.workflows.domain.evolve_repair import UNDELIVERED, clocks, repaired
from siklus.workflows.domain.model import (
    Calibration,
    Evaluation,
    Last,
    Midyear,
    Participants,
    Period,
    Plan,
    Rating,
    SegmentResult,
    SelfEvaluation,
    Start,
    Terms,
)
from siklus.workflows.domain.stages import ENDED, TaskKind
from siklus.workflows.domain.values import Digest, EvaluationKey, PersonId, Value


def begin(start: Start) -> Evaluation:
    """Return the state before the first event."""
    return Evaluation(
        key=start.key,
        terms=start.terms,
        head=Digest(audit.GENESIS),
        participants=start.participants,
        unit=start.unit,
        served_from_on=start.served_from_on,
        superiors={
            start.participants.employee: start.participants.supervisor,
            start.participants.supervisor: start.participants.superior,
            **start.superiors,
        },
        from_rating=start.from_rating,
    )


def start_of(key: EvaluationKey, terms: Terms, opened: e.EvaluationOpened) -> Start:
    """Return the start that an evaluation's first event tells of, to fold its history again."""
    return Start(
        key=key,
        terms=terms,
        participants=Participants(
            employee=opened.employee,
            supervisor=opened.supervisor,
            superior=opened.superior,
            approver=opened.approver,
        ),
        unit=opened.unit,
        served_from_on=opened.served_from_on,
        superiors=opened.superiors,
        from_rating=opened.from_rating,
    )


def fold(start: Evaluation, entries: Iterable[e.Entry]) -> Evaluation:
    """Return the state after the entries, in their order."""
    return reduce(evolve, entries, start)


def evolve(state: Evaluation, entry: e.Entry) -> Evaluation:
    """Return the state after one entry.

    Raises ValueError when its number does not follow: a gap is never folded over.
    """
    if entry.number != state.revision + 1:
        raise ValueError(f"entry {entry.number} does not follow revision {state.revision}")
    event = entry.event
    changes = _flow(state, entry) | _facts(state, entry)
    for task in event.opens:
        if task.kind is TaskKind.SUBMIT_PLAN:
            changes["plan"] = _with(changes.get("plan", state.plan), due=task.due)
        if task.kind is TaskKind.CALIBRATE:
            calibration = changes.get("calibration", state.calibration)
            changes["calibration"] = _with(calibration, due=task.due)
    changes |= {"revision": entry.number, "head": entry.hash}
    involved = _involved(event, entry)
    last = Last(kind=event.kind, actor=entry.actor, at=entry.occurred_at)
    ended = {task.id: last for task in state.tasks if task.id in event.closes}
    changes |= {"last": last, "settled": {**state.settled, **ended}}
    if state.repair is not None and entry.actor != SYSTEM.name and "repair" not in changes:
        changes["repair"] = None
    changes["involved"] = (*state.involved, *(p for p in involved if p not in state.involved))
    return state.model_copy(update=changes)


def _flow(state: Evaluation, entry: e.Entry) -> dict[str, Any]:
    event = entry.event
    opened = {task.id for task in event.opens}
    kept = (t for t in state.tasks if t.id not in event.closes and t.id not in opened)
    changes: dict[str, Any] = {}
    if event.opens or event.closes:
        changes["tasks"] = tuple(sorted((*kept, *event.opens), key=lambda task: task.id))
    if event.stage is not None and event.stage is not state.stage:
        changes |= {"stage": event.stage, "stage_since_at": entry.occurred_at}
        if event.stage in ENDED:
            changes["stage_before_end"] = state.stage
    return changes


def _involved(event: e.AnyEvent, entry: e.Entry) -> list[PersonId]:
    people = [task.holder for task in event.opens if task.holder is not None]
    people += [person for task in event.opens for person in task.escalated_to]
    if isinstance(event, e.EvaluationOpened):
        seats = (event.employee, event.supervisor, event.superior, event.approver)
        people += [person for person in seats if person is not None]
    if isinstance(event, e.Reassigned):
        people.append(event.person)
    if isinstance(event, e.PersonReplaced):
        people += [seat.person for seat in event.seats if seat.person is not None]
    if entry.principal is not None:
        people += [entry.principal, PersonId(entry.actor)]
    return list(dict.fromkeys(people))


def _facts(state: Evaluation, entry: e.Entry) -> dict[str, Any]:
    event, at = entry.event, entry.occurred_at
    match event:
        case e.EvaluationOpened():
            return {"opened_at": at, "stage_since_at": at}
        case e.PlanSubmitted() | e.PlanSet() | e.PlanApproved() | e.PlanReturned():
            return {"plan": _plan(state.plan, event, entry)}
        case e.PlanWithdrawn() | e.PlanChangeRequested() | e.PlanChangeDecided():
            return {"plan": _plan(state.plan, event, entry)}
        case e.PeriodOpened(period=number):
            return {"periods": (*state.periods, Period(number=number))}
        case e.PeriodSkipped(period=number):
            return {"periods": (*state.periods, Period(number=number, skipped=True))}
        case e.PeriodicEvaluationRecorded():
            return {"periods": _recorded(state.periods, event, entry)}
        case e.MidyearOpened():
            account_at = state.midyear.account_at
            return {"midyear": Midyear(opened_at=at, account_at=account_at)}
        case e.MidyearSkipped():
            return {"midyear": Midyear(skipped=True)}
        case e.MidyearAccountSubmitted():
            return {"midyear": _with(state.midyear, account_at=at)}
        case e.MidyearAccountOverdue():
            return {"midyear": _with(state.midyear, account_overdue=True)}
        case e.MidyearReviewed():
            changed: dict[str, Any] = {"midyear": _with(state.midyear, reviewed_at=at)}
            if event.indicators:
                version = state.plan.version + 1
                plan = _with(state.plan, indicators=event.indicators, version=version)
                changed["plan"] = _with(plan, prose=event.prose)
            return changed
        case e.MidyearMissed():
            return {"midyear": _with(state.midyear, missed=True)}
        case e.SelfEvaluationOpened():
            return {
                "self_evaluation": SelfEvaluation(opened_at=at),
                "plan": _with(state.plan, proposed=None, proposed_prose=None),
            }
        case e.SelfEvaluationSubmitted(results=results, behaviour=behaviour):
            own = _with(state.self_evaluation, submitted_at=at)
            return {"self_evaluation": _with(own, results=results, behaviour=behaviour)}
        case e.SelfEvaluationMissed():
            return {"self_evaluation": _with(state.self_evaluation, missed=True)}
        case e.Rated():
            ratings = (*state.ratings, _rating(event, entry))
            return {"ratings": ratings, **UNDELIVERED, **_withheld(state, entry)}
        case e.FirstRated():
            return {"first": _rating(event, entry), **_withheld(state, entry)}
        case e.RatingReturned() | e.RatingSentBack():
            return {"first": None, "rating_returns": state.rating_returns + 1, "referred": False}
        case e.ResultDelivered():
            return {"delivered_at": at, **_shown(state)}
        case e.ResultReceived(how=how):
            return {
                "received_at": at,
                "received_how": how,
                "window_due_at": due_at(event.opens, TaskKind.APPEAL),
            }
        case e.ResultAccepted():
            return {"accepted_at": at}
        case e.AppealFiled() | e.AppealWithdrawn() | e.AppealResponded():
            return appealed(state, event, entry)
        case e.AppealResponseMissed() | e.AppealVoteCast() | e.PanelSeated():
            return appealed(state, event, entry)
        case e.AppealDecided(outcome=outcome):
            decided = _with(state.appeal, outcome=outcome, decided_at=at, decided_by=entry.actor)
            return {"appeal": decided, "ratings": (*state.ratings, _rating(event, entry))}
        case e.EvaluationApproved():
            return {"approved_at": at, "approved_by": entry.actor}
        case e.EvaluationReferred():
            return {"referred": True}
        case e.Reassigned():
            return _reassigned(state, event)
        case e.SuperiorResolved(person=person, superior=superior):
            return {"superiors": {**state.superiors, person: superior}}
        case e.SegmentClosing(closing_on=closing_on, days=days):
            interim = SegmentResult(segment=state.key.segment, days=days)
            return {"closing_on": closing_on, "interim": interim}
        case e.InterimRated():
            return {"interim": _interim(state.interim, event)}
        case e.SegmentResultRecorded():
            kept = tuple(s for s in state.segments if s.segment != event.segment)
            result = SegmentResult(
                segment=event.segment,
                days=event.days,
                results=event.results,
                behaviour=event.behaviour,
                predicate=event.predicate,
                score=event.score,
                innovation=event.innovation,
                conditions=event.conditions,
            )
            return {"segments": (*kept, result)}
        case e.EvaluationExcluded(ground=ground):
            return {"ground": ground}
        case e.ReopeningRequested():
            return {"reopening_by": entry.actor}
        case e.EvaluationReopened():
            cleared = {"reopening_by": None, "approved_at": None, "approved_by": None}
            plan = _with(state.plan, proposed=None, proposed_prose=None)
            again = clocks(state, event.opens)
            return {**cleared, **again, "ground": None, "referred": False, "plan": plan}
        case e.RatingOpened():
            return {"plan": _with(state.plan, proposed=None, proposed_prose=None)}
        case e.ExpectationAdded() | e.ProgressReported():
            return {}
        case e.AppealWindowLapsed() | e.FinalApprovalOpened() | e.SegmentUnrated():
            return {}
        case e.DistributionWarned() | e.RatingReleased() | e.CalibrationPassed():
            return {}
        case e.TaskEscalated() | e.TaskFlagged() | e.EvaluationCancelled():
            return {}
        case e.PersonReplaced() | e.EmployeeLeft() | e.RepairRequested():
            return repaired(state, event, entry)
        case e.DeadlineMoved() | e.DeadlinesExtended() | e.CalendarReplaced():
            return repaired(state, event, entry)
        case e.LeaveRecorded() | e.StageReturned() | e.EntryCorrected():
            return repaired(state, event, entry)
        case _:
            assert_never(event)


V = TypeVar("V", bound=Value)


def _with(value: V | None, **changes: Any) -> V:
    if value is None:
        raise ValueError(f"nothing stands yet to change: {', '.join(changes)}")
    return value.model_copy(update=changes)


def _plan(plan: Plan, event: e.Event, entry: e.Entry) -> Plan:
    at, prose = entry.occurred_at, event.prose
    match event:
        case e.PlanSubmitted(indicators=indicators):
            return _with(plan, indicators=indicators, prose=prose, submitted_at=at)
        case e.PlanWithdrawn():
            return _with(plan, submitted_at=None)
        case e.PlanReturned():
            return _with(plan, submitted_at=None, returns=plan.returns + 1)
        case e.PlanApproved():
            return _with(plan, approved_at=at, version=plan.version + 1)
        case e.PlanSet(indicators=indicators):
            set_plan = _with(plan, indicators=indicators, prose=prose, set_by_team=True)
            return _with(set_plan, submitted_at=at, approved_at=at, version=plan.version + 1)
        case e.PlanChangeRequested(indicators=indicators):
            return _with(plan, proposed=indicators, proposed_prose=prose)
        case e.PlanChangeDecided(approved=approved):
            decided = _with(plan, proposed=None, proposed_prose=None)
            if not approved:
                return decided
            changed = {"indicators": plan.proposed, "prose": plan.proposed_prose}
            return _with(decided, **changed, version=plan.version + 1)
    return plan


def _recorded(
    periods: tuple[Period, ...], event: e.PeriodicEvaluationRecorded, entry: e.Entry
) -> tuple[Period, ...]:
    record = Period(
        number=event.period,
        results=event.results,
        behaviour=event.behaviour,
        predicate=event.predicate,
        recorded_at=entry.occurred_at,
    )
    return tuple(record if period.number == event.period else period for period in periods)


def _rating(event: e.Rated | e.FirstRated | e.AppealDecided, entry: e.Entry) -> Rating:
    by_appeal = isinstance(event, e.AppealDecided)
    return Rating(
        rater=PersonId(entry.actor) if isinstance(event, e.AppealDecided) else event.rater,
        results=event.results,
        behaviour=event.behaviour,
        predicate=event.predicate,
        combined=event.predicate if isinstance(event, e.FirstRated) else event.combined,
        rated_at=entry.occurred_at,
        by_appeal=by_appeal,
        given_by="" if entry.principal is None else entry.actor,
        indicators=() if isinstance(event, e.AppealDecided) else event.indicators,
        numbers=event.numbers,
        explanation=event.explanation,
    )


def _withheld(state: Evaluation, entry: e.Entry) -> dict[str, Any]:
    """Return from where on the employee is not shown what was rated, until it is delivered."""
    if state.policy.calibration is None:
        return {}
    known = state.calibration or Calibration()
    begins = entry.number if known.withheld_from is None else known.withheld_from
    return {"calibration": _with(known, withheld_from=begins)}


def _shown(state: Evaluation) -> dict[str, Any]:
    if state.calibration is None:
        return {}
    shown = _with(state.calibration, withheld_from=None, shown=len(state.ratings))
    return {"calibration": shown}


def _interim(interim: SegmentResult | None, event: e.InterimRated) -> SegmentResult:
    numbers = event.numbers
    return _with(
        interim,
        results=event.results,
        behaviour=event.behaviour,
        predicate=event.predicate,
        score=numbers.score if numbers else None,
        innovation=numbers.innovation if numbers else False,
        conditions=numbers.conditions if numbers else (),
    )


def _reassigned(state: Evaluation, event: e.Reassigned) -> dict[str, Any]:
    # Whoever was gone and gets a seat again is back.
    gone = {"gone": tuple(person for person in state.gone if person != event.person)}
    return {**_reseated(state, event), **(gone if event.person in state.gone else {})}


def _reseated(state: Evaluation, event: e.Reassigned) -> dict[str, Any]:
    superiors = {**state.superiors, event.person: event.superior}
    seats = state.participants
    match event.seat:
        case Seat.SUPERVISOR:
            moved: Participants = _with(seats, supervisor=event.person, superior=event.superior)
            superiors[seats.employee] = event.person
        case Seat.APPROVER:
            seated = _with(seats, approver=event.person)
            return {"participants": seated, "superiors": superiors, "referred": False}
        case Seat.DECIDER:
            appeal = _with(state.appeal, decider=event.person)
            return {"appeal": appeal, "superiors": superiors}
        case _:
            assert_never(event.seat)
    return {"participants": moved, "superiors": superiors}
