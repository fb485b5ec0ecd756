"""The rating (stage 7) and its return by the approver; never an automatic one."""

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import Rate, ReturnRating
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.calibration import (
    back_to_the_rater,
    calibration_of,
    must_be_returnable,
    weigh,
)
from siklus.workflows.domain.decide.delivery import deliver
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.scoring import judged
from siklus.workflows.domain.decide.second_rating import (
    first_rated,
    second_task,
    with_the_first,
)
from siklus.workflows.domain.decide.transfer import (
    combine,
    earlier_segments_must_be_known,
    rate_segment,
    rating_person,
)
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage, TaskKind


@decides(Rate, by=Party.SUPERVISOR, stages=[Stage.RATING, Stage.INTERIM_RATING], task=TaskKind.RATE)
def rate(state: Evaluation, command: Rate, act: Act) -> list[e.AnyEvent]:
    """Levels or numbers make the predicate by the policy; the result is delivered at once.

    Where the policy has a second rater, that one's rating delivers; where it has a calibration,
    the rating waits in it first.
    """
    if state.stage is Stage.RATING:
        earlier_segments_must_be_known(state)
    found = judged(state, command)
    if state.stage is Stage.INTERIM_RATING:
        return rate_segment(state, act, found)
    rater = rating_person(state, act)
    second = second_task(state, rater, act)
    if second is not None:
        return [first_rated(state, command, act, rater, found, second)]
    kind = TaskKind.RATE
    if state.task(TaskKind.SECOND_RATE) is not None:
        kind, found = TaskKind.SECOND_RATE, with_the_first(state, act, found)
    periods = (task.id for task in state.tasks if task.kind is TaskKind.PERIODIC_EVALUATION)
    year = combine(state, found, act.edition)
    calibration = calibration_of(state, act.at)
    rated = e.Rated(
        prose=act.prose,
        rater=rater,
        results=found.results,
        behaviour=found.behaviour,
        predicate=found.predicate,
        combined=year.predicate,
        indicators=command.indicators,
        numbers=year.numbers,
        explanation=(*found.explanation, *year.explanation),
        stage=Stage.DELIVERY if calibration is None else Stage.CALIBRATION,
        opens=() if calibration is None else (calibration,),
        closes=(kind, *periods),
    )
    onward = deliver(state, act.at) if calibration is None else []
    return [rated, *weigh(act, year.predicate), *onward]


@decides(ReturnRating, by=Party.APPROVER, stages=[Stage.FINAL_APPROVAL], task=TaskKind.APPROVE)
def return_rating(state: Evaluation, command: ReturnRating, act: Act) -> list[e.AnyEvent]:
    """Back to the rater before an appeal decision: a new rating, delivery and window follow."""
    must_be_returnable(state)
    forms.must_say(command, "reason")
    back = back_to_the_rater(state, act.at)
    return [
        e.RatingReturned(
            prose=act.prose, stage=Stage.RATING, opens=(back,), closes=(TaskKind.APPROVE,)
        )
    ]
