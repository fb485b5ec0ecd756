"""Transfers: a segment closes where the employee moves on, and segments combine into a year."""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import Edition, RecordSegmentResult, Transfer
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.scoring import Judged, by_numbers, levels
from siklus.workflows.domain.decide.tasks import by_span, task
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation, SegmentResult
from siklus.workflows.domain.policy import Combine
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.scheme.keys import Weighted
from siklus.workflows.domain.scheme.segments import Mark, mean_by_days
from siklus.workflows.domain.scheme.weighted import cap_year, explain_predicate, predicate_of
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import PersonId

MOVABLE = (
    Stage.PLAN,
    Stage.PLAN_REVIEW,
    Stage.EXECUTION,
    Stage.MIDYEAR,
    Stage.SELF_EVALUATION,
    Stage.RATING,
)
"""Once a result is delivered the segment is the year's last, and a move changes nothing in it."""


@decides(Transfer, by=Party.TEAM, stages=MOVABLE)
def transfer(state: Evaluation, command: Transfer, act: Act) -> list[e.AnyEvent]:
    """Close the segment; ask the leaving supervisor for an interim rating if it was long enough."""
    if state.ratings:
        raise Refusal(
            Reason.WRONG_STAGE, "the result was delivered once: this segment is the year's last"
        )
    days = (command.closing_on - state.served_from_on).days + 1
    if days < 1:
        raise invalid("closing_on", "lies before the segment began")
    if command.closing_on > act.at.astimezone(state.calendar.tz).date():
        raise invalid("closing_on", "lies in the future")
    if command.closing_on > state.policy.year.ends.in_year(state.terms.year):
        raise invalid("closing_on", "lies after the evaluated year; reassign the seat instead")
    forms.must_say(command, "reason")
    closes = tuple(waiting.id for waiting in state.tasks)
    rule = state.policy.segments
    if days < rule.min_days:
        return [
            e.SegmentClosing(
                prose=act.prose,
                closing_on=command.closing_on,
                days=days,
                stage=Stage.SEGMENT_CLOSED,
                closes=closes,
            )
        ]
    return [
        e.SegmentClosing(
            prose=act.prose,
            closing_on=command.closing_on,
            days=days,
            stage=Stage.INTERIM_RATING,
            opens=(interim_rating(state, act.at),),
            closes=closes,
        )
    ]


def interim_rating(state: Evaluation, at: datetime) -> Task:
    """Return the leaving supervisor's task."""
    due = by_span(state, "segments.interim_due", state.policy.segments.interim_due, at)
    return task(state, TaskKind.INTERIM_RATE, state.participants.supervisor, at, due)


def rate_segment(state: Evaluation, act: Act, found: Judged) -> list[e.AnyEvent]:
    """End the segment with its interim rating; it has no delivery and no appeal of its own."""
    return [
        e.InterimRated(
            prose=act.prose,
            rater=rating_person(state, act),
            results=found.results,
            behaviour=found.behaviour,
            predicate=found.predicate,
            numbers=found.numbers,
            explanation=found.explanation,
            stage=Stage.SEGMENT_CLOSED,
            closes=(TaskKind.INTERIM_RATE,),
        )
    ]


def rating_person(state: Evaluation, act: Act) -> PersonId:
    """Return who counts as rater: the actor, or the principal in whose name the actor rates."""
    if act.standing.principal is not None:
        return act.standing.principal
    if act.actor.person is None:
        raise Refusal(Reason.NOT_YOUR_TASK, "a rating is never automatic")
    return act.actor.person


@decides(RecordSegmentResult, by=Party.SYSTEM, stages=MOVABLE)
def record_segment_result(
    state: Evaluation, command: RecordSegmentResult, _: Act
) -> list[e.AnyEvent]:
    """An earlier segment's interim rating reaches the running one; without levels: unrated."""
    if command.segment >= state.key.segment:
        raise invalid("segment", "only earlier segments count")
    if (command.results is None) != (command.behaviour is None):
        missing = "results" if command.results is None else "behaviour"
        raise invalid(missing, "a segment has both levels, or none when it counts as unrated")
    predicate = None
    rule = by_numbers(state.policy)
    if rule is not None and command.score is not None:
        predicate = predicate_of(rule, command.score, innovation=command.innovation)
    elif command.results is not None and command.behaviour is not None:
        predicate = levels(state.policy, command.results, command.behaviour).predicate
    return [
        e.SegmentResultRecorded(
            segment=command.segment,
            days=command.days,
            results=command.results,
            behaviour=command.behaviour,
            predicate=predicate,
            score=command.score,
            innovation=command.innovation,
            conditions=command.conditions,
        )
    ]


def earlier_segments_must_be_known(state: Evaluation) -> None:
    """Refuse to rate a year whose earlier segments count too while one is still to come in.

    It comes in at the latest when the policy's days for it are over: then it counts as unrated.
    """
    if state.policy.segments.combine is Combine.LAST:
        return
    missing = set(range(1, state.key.segment)) - {known.segment for known in state.segments}
    if missing:
        first = min(missing)
        raise Refusal(
            Reason.NOT_YET_OPEN,
            f"the interim rating of segment {first} is still to come, and it counts",
            details={"segment": str(first), "rule": "segments.combine"},
        )


def combine(state: Evaluation, found: Judged, edition: Edition) -> Judged:
    """Return the year's rating from this segment's and the earlier ones', by the policy.

    `longest` takes the segment with the most days, of equal ones the later (our decision);
    `days_weighted` the mean of the scores by days. Unrated segments do not count; an innovation
    in any segment that counts is the year's, and so is a condition that caps the whole (our
    decision). What is returned explains only what was combined.
    """
    rule = state.policy.segments.combine
    numbers = found.numbers
    alone = found.model_copy(update={"explanation": ()})
    if rule is Combine.LAST or not state.segments:
        return alone
    ends = state.policy.year.ends.in_year(state.terms.year)
    this = SegmentResult(
        segment=state.key.segment,
        days=(ends - state.served_from_on).days + 1,
        predicate=found.predicate,
        score=numbers.score if numbers else None,
        innovation=numbers.innovation if numbers else False,
        conditions=numbers.conditions if numbers else (),
    )
    rated = sorted(
        (s for s in (*state.segments, this) if s.predicate is not None), key=lambda s: s.segment
    )
    scheme = by_numbers(state.policy)
    if rule is Combine.DAYS_WEIGHTED and scheme is not None and numbers is not None:
        return _mean(scheme, rated, alone, numbers, edition)
    longest = max(rated, key=lambda segment: (segment.days, segment.segment))
    if numbers is not None and longest.score is not None and longest is not this:
        numbers = numbers.model_copy(update={"combined": longest.score})
    predicate = longest.predicate or found.predicate
    return alone.model_copy(update={"predicate": predicate, "numbers": numbers})


def _mean(
    scheme: Weighted,
    rated: list[SegmentResult],
    alone: Judged,
    numbers: Numbers,
    edition: Edition,
) -> Judged:
    marks = [Mark(days=s.days, score=s.score) for s in rated if s.score is not None]
    if len(marks) == 1:
        return alone
    exact = edition >= Edition.EXACT_MEANS
    mean, line = mean_by_days(scheme, marks, rounded=not exact)
    conditions = {name for segment in rated for name in segment.conditions} if exact else set()
    year, capped = cap_year(scheme, mean, conditions)
    innovation = any(segment.innovation for segment in rated)
    predicate, lines = explain_predicate(scheme, year, innovation=innovation)
    return alone.model_copy(
        update={
            "predicate": predicate,
            "numbers": numbers.model_copy(update={"combined": year}),
            "explanation": (line, *capped, *lines) if exact else (line,),
        }
    )
