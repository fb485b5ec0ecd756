"""An improvement plan, or coaching: steps with due dates, check-ins by the supervisor, an end.

What may be done with it, and what it becomes then, is in `check_ins`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from siklus.workflows.domain import deadlines
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands import Actor, Command
from siklus.workflows.domain.deadlines import Due
from siklus.workflows.domain.outcomes.rules import OutcomeKind, OutcomeRule
from siklus.workflows.domain.policy import Count, Roll, Span
from siklus.workflows.domain.stages import Task, TaskKind
from siklus.workflows.domain.values import (
    Code,
    Digest,
    EvaluationKey,
    Instant,
    PersonId,
    Value,
)

RUNGS: Final = (-3, 0, 3)
"""Reminders of a step: working days before and after it is due (our decision)."""


class PlanState(StrEnum):
    """How a plan stands."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"
    """The result that asked for it was changed, and the new one does not."""


class StepResult(StrEnum):
    """How a step went."""

    MET = "MET"
    NOT_MET = "NOT_MET"


class RecordCheckIn(Command):
    """The supervisor records how a step went; `note` is prose and may be left out if it was met."""

    kind: Literal["record_check_in"] = "record_check_in"
    step: Code
    result: StepResult


class ClosePlan(Command):
    """The plan ends; `reason` is prose, needed unless it was completed."""

    kind: Literal["close_plan"] = "close_plan"
    ending: Literal[PlanState.COMPLETED, PlanState.FAILED, PlanState.CANCELLED]


class SupersedePlan(Command):
    """The system ends a plan that the changed result does not ask for."""

    kind: Literal["supersede_plan"] = "supersede_plan"


class HandOver(Command):
    """The system gives a plan to whoever supervises the employee by today's roster."""

    kind: Literal["hand_over_plan"] = "hand_over_plan"
    supervisor: PersonId


AnyPlanCommand = Annotated[
    RecordCheckIn | ClosePlan | SupersedePlan | HandOver, Field(discriminator="kind")
]
UPDATES: Final = ("record_check_in", "close_plan", "supersede_plan", "hand_over_plan")


class PlanOrder(Value):
    """A command and who gives it."""

    actor: Actor
    command: AnyPlanCommand
    request_key: str
    salt: str
    supervises: bool = False
    """Whether the roster has the actor as the employee's supervisor today, as the service read."""


class PlanEventKind(StrEnum):
    """What happened to a plan."""

    CHECKED_IN = "CHECKED_IN"
    STEP_LATE = "STEP_LATE"
    HANDED_OVER = "HANDED_OVER"
    CLOSED = "CLOSED"


class PlanEvent(Value):
    """A fact in the life of a plan, in its order."""

    number: int
    kind: PlanEventKind
    at: Instant
    actor: str
    step: Code | None = None
    result: StepResult | None = None
    supervisor: PersonId | None = None
    state: PlanState | None = None
    prose: Digest | None = None
    request_key: str | None = None
    """Of the command that led to it: a repeat finds its answer after the plan has ended."""


class PlanStep(Value):
    """A step and how it went."""

    code: Code
    number: int
    due: Due
    result: StepResult | None = None
    recorded_at: Instant | None = None
    recorded_by: str | None = None
    prose: Digest | None = None
    late: bool = False


class ImprovementPlan(Value):
    """A plan as it stands after its events."""

    schema_version: int = 1
    key: EvaluationKey
    code: Code
    kind: OutcomeKind
    rule: str
    policy_digest: Digest
    employee: PersonId
    supervisor: PersonId
    unit: str
    calendar: Calendar
    opened_at: Instant
    steps: tuple[PlanStep, ...]
    state: PlanState = PlanState.OPEN
    closed_at: Instant | None = None
    closed_by: str | None = None
    prose: Digest | None = None
    """Of the reason it was closed for."""
    events: tuple[PlanEvent, ...] = ()

    @property
    def revision(self) -> int:
        """The number of the last event."""
        return len(self.events)

    @property
    def updated_at(self) -> datetime:
        """When the last thing happened to it, its opening included."""
        return self.events[-1].at if self.events else self.opened_at

    @property
    def closed(self) -> bool:
        """Tell whether it has ended."""
        return self.state is not PlanState.OPEN

    @property
    def next_step(self) -> PlanStep | None:
        """The first step that waits; None where none does."""
        waiting = (step for step in self.steps if step.result is None)
        return None if self.closed else next(waiting, None)


class Basis(Value):
    """What a plan is opened from."""

    key: EvaluationKey
    policy_digest: Digest
    employee: PersonId
    supervisor: PersonId
    unit: str
    calendar: Calendar
    roll: Roll
    completed_at: Instant


def open_plan(basis: Basis, rule: OutcomeRule) -> ImprovementPlan:
    """Return the plan that a rule asks for, its steps counted from the evaluation's completion."""
    steps = []
    for number, step in enumerate(rule.steps, 1):
        span = Span(days=step.after.days, count=Count(step.after.count))
        path = f"{rule.path}.steps.{step.code}"
        due = deadlines.after(
            basis.calendar, basis.completed_at, span, rule=path, default_roll=basis.roll
        )
        steps.append(PlanStep(code=step.code, number=number, due=due))
    return ImprovementPlan(
        key=basis.key,
        code=rule.code,
        kind=rule.kind,
        rule=rule.path,
        policy_digest=basis.policy_digest,
        employee=basis.employee,
        supervisor=basis.supervisor,
        unit=basis.unit,
        calendar=basis.calendar,
        opened_at=basis.completed_at,
        steps=tuple(steps),
    )


def wakes_at(plan: ImprovementPlan) -> datetime | None:
    """Return when a step becomes late next."""
    step = plan.next_step
    return None if step is None or step.late else step.due.expires_at


def task_of(plan: ImprovementPlan) -> Task | None:
    """Return what waits for the supervisor; late, the agency's team sees it as well."""
    step = plan.next_step
    if step is None:
        return None
    before = plan.steps[: step.number - 1]
    since = max((s.recorded_at for s in before if s.recorded_at), default=plan.opened_at)
    rungs = deadlines.remind_on(plan.calendar, step.due, RUNGS)
    return Task(
        kind=TaskKind.IMPROVEMENT_CHECK_IN,
        number=step.number,
        holder=plan.supervisor,
        flagged=step.late,
        opened_at=since,
        due=step.due,
        remind_on=tuple((rung.rung, rung.on.isoformat()) for rung in rungs),
    )
