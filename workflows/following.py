"""What a completed evaluation hands over, so that what follows from its result can be drawn.

What was drawn, and a plan that it opens, are rows beside the record: no event of the evaluation,
because nothing but a reopening follows the end. Each names the event and the rules it rests on.
"""

from datetime import timedelta

from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.model import Evaluation, Rating
from siklus.workflows.domain.outcomes.credit import months_served
from siklus.workflows.domain.outcomes.improvement import Basis, PlanState
from siklus.workflows.domain.outcomes.judging import Facts
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest, Instant, Value
from siklus.workflows.ports.following import Completed


class PlanReceipt(Value):
    """What a command on a plan is answered with."""

    revision: int
    state: PlanState
    digest: Digest
    salt: str
    recorded_at: Instant
    projected: bool


CALLED_OFF = (Stage.EXCLUDED, Stage.CANCELLED)
"""Ends without a result: where there was one before a reopening, nothing follows from it more."""


def completed(state: Evaluation) -> Completed | None:
    """Return what an evaluation hands over; None where nothing may follow from it.

    One that was called off after it was rated hands over no rules.
    """
    policy, rating, last = state.policy, state.rating, state.last
    if not policy.outcomes or not (rating and last):
        return None
    if state.stage is not Stage.COMPLETED and state.stage not in CALLED_OFF:
        return None
    digest = digest_of(policy)
    return Completed(
        revision=state.revision,
        head=state.head,
        policy=policy.name,
        policy_version=policy.version,
        rules=policy.outcomes if state.stage is Stage.COMPLETED else (),
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
