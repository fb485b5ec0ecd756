"""The first event: who takes part, by which rules, and the plan that is asked for."""

from datetime import datetime

from siklus.workflows.domain import audit
from siklus.workflows.domain import events as e
from siklus.workflows.domain.decide.tasks import by_clock, task
from siklus.workflows.domain.evolve import begin
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import Digest, Value


def opening(start: Start, at: datetime) -> list[e.AnyEvent]:
    """Ask the employee for a plan; whoever joins at the rating waits for that."""
    seats, policy = start.participants, start.terms.policy
    opens: tuple[Task, ...] = ()
    asks_for_plan = policy.plan.enabled and not start.from_rating
    if asks_for_plan:
        state = begin(start)
        due = by_clock(state, "plan.due", policy.plan.due, at)
        opens = (task(state, TaskKind.SUBMIT_PLAN, seats.employee, at, due),)
    return [
        e.EvaluationOpened(
            employee=seats.employee,
            supervisor=seats.supervisor,
            superior=seats.superior,
            approver=seats.approver,
            unit=start.unit,
            year=start.terms.year,
            served_from_on=start.served_from_on,
            policy=policy.name,
            policy_version=policy.version,
            policy_digest=digest_of(policy),
            calendar_digest=digest_of(start.terms.calendar),
            superiors=start.superiors,
            from_rating=start.from_rating,
            stage=Stage.PLAN if asks_for_plan else Stage.EXECUTION,
            opens=opens,
        )
    ]


def digest_of(value: Value) -> Digest:
    """Return the digest that names a policy or a calendar as it was pinned."""
    return Digest(audit.chain(audit.GENESIS, audit.canonical(value.model_dump(mode="json"))))
