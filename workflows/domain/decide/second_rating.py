"""The second rater (policy key `rating.second`): the first one's superior rates after them.

Two raters in order, as the Malaysian report has them. An interim rating has one rater alone, and
where nobody stands above the first one the first rating counts (our decisions).
"""

from collections.abc import Iterator

from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import Edition, Rate
from siklus.workflows.domain.decide.rules import Act
from siklus.workflows.domain.decide.scoring import Judged, by_numbers
from siklus.workflows.domain.decide.tasks import at_least, by_clock, task
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation, Rating
from siklus.workflows.domain.policy import Count, Span
from siklus.workflows.domain.scheme.explained import OF_A_PREDICATE, StepKind
from siklus.workflows.domain.scheme.raters import mean_of_raters, rounded_mean_of_raters
from siklus.workflows.domain.scheme.weighted import explain_predicate
from siklus.workflows.domain.stages import Task, TaskKind
from siklus.workflows.domain.values import PersonId

LEAST = Span(days=5, count=Count.WORKING)
"""What the second rater has at least (our decision)."""


def second_task(state: Evaluation, rater: PersonId, act: Act) -> Task | None:
    """Return the second rater's task, or None where the policy or the line knows no second."""
    if state.policy.rating.second is None or state.task(TaskKind.SECOND_RATE) is not None:
        return None
    passed_over = {rater, act.actor.person, state.participants.employee, *state.gone}
    line = (*line_above(state, rater), state.participants.approver)
    second = next((who for who in line if who is not None and who not in passed_over), None)
    if second is None:
        return None
    due = by_clock(state, "rating.due", state.policy.rating.due, act.at)
    due = at_least(state, due, "rating.due.min_days", LEAST, act.at)
    return task(state, TaskKind.SECOND_RATE, second, act.at, due)


def first_rated(
    state: Evaluation, command: Rate, act: Act, rater: PersonId, found: Judged, opened: Task
) -> e.FirstRated:
    """Record what the first rater gave; nothing is delivered before the second has rated."""
    periods = (
        waiting.id for waiting in state.tasks if waiting.kind is TaskKind.PERIODIC_EVALUATION
    )
    return e.FirstRated(
        prose=act.prose,
        rater=rater,
        results=found.results,
        behaviour=found.behaviour,
        predicate=found.predicate,
        indicators=command.indicators,
        numbers=found.numbers,
        explanation=found.explanation,
        opens=(opened,),
        closes=(TaskKind.RATE, *periods),
    )


def with_the_first(state: Evaluation, act: Act, found: Judged) -> Judged:
    """Return what the two ratings make together, by the policy; levels are the second rater's.

    Refuses whoever gave the first one: two raters are two people.
    """
    first, rule = state.first, state.policy.rating.second
    if first is None or rule is None:
        return found
    if {act.actor.person, act.standing.principal} & _people(first):
        message = "whoever gave the first rating does not give the second"
        raise Refusal(Reason.SEPARATION_OF_DUTIES, message)
    scheme, numbers = by_numbers(state.policy), found.numbers
    if rule.combine == "second" or scheme is None or numbers is None or first.numbers is None:
        return found
    exact = act.edition >= Edition.EXACT_MEANS
    combined = mean_of_raters if exact else rounded_mean_of_raters
    mean, together = combined(scheme, first.numbers, numbers)
    predicate, lines = explain_predicate(scheme, mean.score, innovation=mean.innovation)
    ended = OF_A_PREDICATE if exact else {StepKind.PREDICATE}
    own = tuple(each for each in found.explanation if each.kind not in ended)
    return Judged(numbers=mean, predicate=predicate, explanation=(*own, *together, *lines))


def line_above(state: Evaluation, person: PersonId) -> Iterator[PersonId]:
    """Yield the superiors that are known, level by level, each once."""
    seen = {person}
    while (above := state.superiors.get(person)) is not None and above not in seen:
        yield above
        seen.add(above)
        person = above


def _people(first: Rating) -> set[PersonId | None]:
    return {first.rater, PersonId(first.given_by) if first.given_by else first.rater}
