"""What a completed evaluation hands over, so that what follows from its result can be drawn.

What was drawn, and a plan that it opens, are rows beside the record: no event of the evaluation,
because nothing but a reopening follows the end. Each names the event and the rules it rests on.
"""

from datetime import timedelta

from temporalio import activity

from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.model import Evaluation, Rating
from siklus.workflows.domain.outcomes.credit import months_served
from siklus.workflows.domain.outcomes.improvement import Basis, ImprovementPlan, PlanState
from siklus.workflows.domain.outcomes.judging import Facts
from siklus.workflows.domain.outcomes.rules import OutcomeRule
from siklus.workflows.domain.stages import Stage, Task
from siklus.workflows.domain.values import Digest, Instant, Value
from siklus.workflows.ports import Text

DRAWING = timedelta(seconds=20)


class Completed(Value):
    """A final result, and the rules that are asked about it."""

    revision: int
    head: Digest
    """The last link of the evaluation's chain."""
    policy: str
    policy_version: int
    rules: tuple[OutcomeRule, ...]
    facts: Facts
    """Of the earlier years the record knows."""
    basis: Basis


class PlanProjection(Value):
    """A plan as it stands, with the texts that the store lacks; idempotent by its revision."""

    plan: ImprovementPlan
    task: Task | None
    texts: tuple[Text, ...] = ()


class PlanReceipt(Value):
    """What a command on a plan is answered with."""

    revision: int
    state: PlanState
    digest: Digest
    salt: str
    recorded_at: Instant
    projected: bool


def completed(state: Evaluation) -> Completed | None:
    """Return what an evaluation hands over; None where nothing may follow from it."""
    policy, rating, last = state.policy, state.rating, state.last
    if state.stage is not Stage.COMPLETED or not policy.outcomes or not (rating and last):
        return None
    digest = digest_of(policy)
    return Completed(
        revision=state.revision,
        head=state.head,
        policy=policy.name,
        policy_version=policy.version,
        rules=policy.outcomes,
        facts=_facts(state, rating),
        basis=Basis(
            key=state.key,
            policy_digest=digest,
            employee=state.participants.employee,
            supervisor=state.participants.supervisor,
            unit=state.unit,
            calendar=state.calendar,
            roll=policy.roll,
            completed_at=last.at,
        ),
    )


def _facts(state: Evaluation, rating: Rating) -> Facts:
    year = state.policy.year
    starts, ends = year.starts.in_year(state.terms.year), year.ends.in_year(state.terms.year)
    days = sum(earlier.days for earlier in state.segments)
    first = max(starts, state.served_from_on - timedelta(days=days))
    return Facts(
        year=state.terms.year,
        predicate=rating.combined,
        results=rating.results,
        behaviour=rating.behaviour,
        score=rating.score,
        months=months_served(first, ends),
    )


@activity.defn(name="draw_outcomes")
async def draw_outcomes(completed: Completed) -> None:
    """Write what follows from a result, open its plans, and end those it does not ask for.

    Repeated, it changes nothing.
    """
    raise NotImplementedError


@activity.defn(name="project_plan")
async def project_plan(projection: PlanProjection) -> None:
    """Write a plan, its open task and its texts in one transaction."""
    raise NotImplementedError
