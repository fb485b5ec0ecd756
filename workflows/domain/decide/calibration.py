"""Calibration (stage 8): a rating is held against its group's guide, and may be sent back.

Where the policy has the stage, a rating waits in it before it is delivered, and goes on by the
team's release, by the end of a calibration, or by the clock.

Nobody but the rater ever rates: a calibration proposes, and the guide warns or blocks. An appeal's
decision is final by law and is held against no guide.
"""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import ReleaseRating, SendBackRating
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.delivery import deliver
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import at_least, by_clock, by_span, ends, task
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Count, Span
from siklus.workflows.domain.scheme.distribution import Mode, Organisation
from siklus.workflows.domain.scheme.standing import Breach, caused_by
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import Predicate

RETURN_LEAST = Span(days=5, count=Count.WORKING)
"""What a rater asked again, and a calibration of what is rated again, have at least."""


def weigh(act: Act, predicate: Predicate) -> list[e.AnyEvent]:
    """Return what is told beside a rating that passes its group's guide.

    Where the policy blocks such a rating it is refused, unless a calibration has agreed to it.
    """
    group = act.group
    if group is None or not group.applies:
        return []
    breaches = caused_by(group.guides, group.others, predicate, unrated=group.unrated)
    if not breaches:
        return []
    if group.mode is Mode.BLOCK and group.agreed is not predicate:
        raise _blocked(group.organisation, predicate, breaches[0])
    return [
        e.DistributionWarned(
            organisation=group.organisation, predicate=predicate, breaches=breaches
        )
    ]


def _blocked(organisation: Organisation, predicate: Predicate, breach: Breach) -> Refusal:
    return Refusal(
        Reason.DISTRIBUTION_EXCEEDED,
        f"with {predicate} {breach.count} of {breach.size} stand against {breach.allowed}; "
        "rate otherwise, or have the unit's calibration agree to it",
        details={
            "organisation": organisation,
            "predicate": predicate,
            "predicates": ",".join(breach.predicates),
            "bound": breach.bound,
            "limit": str(breach.limit),
            "count": str(breach.count),
            "size": str(breach.size),
            "allowed": str(breach.allowed),
            "rule": f"distribution.guides.{organisation}",
        },
    )


@decides(
    SendBackRating,
    by=Party.TEAM,
    stages=[Stage.CALIBRATION, Stage.DELIVERY, Stage.APPEAL_WINDOW, Stage.FINAL_APPROVAL],
)
def send_back_rating(state: Evaluation, command: SendBackRating, act: Act) -> list[e.AnyEvent]:
    """Back to the rater, with a reason: a new rating, delivery and window follow.

    It counts as a return, and a decided appeal is final. A pending one is decided first.
    """
    _must_cover(act)
    if act.calibration is None or not act.calibration.open:
        raise Refusal(Reason.CALIBRATION_CLOSED, "the calibration is closed; open another one")
    must_be_returnable(state)
    forms.must_say(command, "reason")
    return [
        e.RatingSentBack(
            prose=act.prose,
            calibration=command.calibration,
            stage=Stage.RATING,
            opens=(back_to_the_rater(state, act.at),),
            closes=tuple(waiting.id for waiting in state.tasks),
        )
    ]


@decides(ReleaseRating, by=(Party.TEAM, Party.SYSTEM), stages=[Stage.CALIBRATION, Stage.DELIVERY])
def release_rating(state: Evaluation, command: ReleaseRating, act: Act) -> list[e.AnyEvent]:
    """On to the delivery, before the clock would have let it; the end of a calibration says so too.

    Whoever finds it delivered is told that it was done.
    """
    if state.stage is Stage.DELIVERY:
        raise Refusal(Reason.ALREADY_DONE, "the rating is delivered already")
    if act.actor.person is not None:
        forms.must_say(command, "reason")
        if command.calibration is not None:
            _must_cover(act)
    released = e.RatingReleased(
        prose=act.prose,
        calibration=command.calibration or "",
        stage=Stage.DELIVERY,
        closes=(TaskKind.CALIBRATE,),
    )
    return [released, *deliver(state, act.at)]


def passed(state: Evaluation, at: datetime) -> list[e.AnyEvent]:
    """Let a rating go on that nobody held back; its delivery counts from that instant."""
    over = e.CalibrationPassed(stage=Stage.DELIVERY, closes=(TaskKind.CALIBRATE,))
    return [over, *deliver(state, at)]


def calibration_of(state: Evaluation, at: datetime) -> Task | None:
    """Return the team's task over a rating given now; None where the policy has no such stage.

    What is rated again has the rest of the time, and of a fresh span some days at least.
    """
    rule = state.policy.calibration
    if rule is None:
        return None
    due = by_span(state, "calibration.due", rule.due, at)
    before = state.calibration.due if state.calibration is not None else None
    if before is not None:
        least = by_span(state, "calibration.due.min_days", RETURN_LEAST, at)
        due = max(before, min(due, least, key=ends), key=ends)
    return task(state, TaskKind.CALIBRATE, None, at, due)


def _must_cover(act: Act) -> None:
    if act.calibration is None or not act.calibration.covers:
        raise invalid("calibration", "is none of this evaluation's unit and cycle")


def must_be_returnable(state: Evaluation) -> None:
    """Refuse to ask for another rating after an appeal decision, or more often than allowed."""
    if state.appeal is not None and state.appeal.outcome is not None:
        raise Refusal(
            Reason.APPEAL_FINAL,
            "the appeal decision is final; approve it, or refer it to the agency's team",
        )
    most = state.policy.rating.max_returns
    if state.rating_returns >= most:
        raise Refusal(
            Reason.RETURNS_EXHAUSTED,
            f"the rating was returned {state.rating_returns} times already",
            details={"max_returns": str(most)},
        )


def back_to_the_rater(state: Evaluation, at: datetime) -> Task:
    """Return the supervisor's task to rate anew, with at least some days for it."""
    due = by_clock(state, "rating.due", state.policy.rating.due, at)
    due = at_least(state, due, "rating.due.min_days", RETURN_LEAST, at)
    return task(state, TaskKind.RATE, state.participants.supervisor, at, due)
