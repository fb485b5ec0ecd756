"""What is asked of the world once an evaluation is completed: outcomes drawn, a plan projected."""

from datetime import timedelta

from temporalio import activity

from siklus.workflows.domain.outcomes.improvement import Basis, ImprovementPlan
from siklus.workflows.domain.outcomes.judging import Facts
from siklus.workflows.domain.outcomes.rules import OutcomeRule
from siklus.workflows.domain.stages import Task
from siklus.workflows.domain.values import Digest, Value
from siklus.workflows.ports.evaluation import Text

DRAWING = timedelta(seconds=20)


class Completed(Value):
    """A final result, and the rules that are asked about it: none where it was called off."""

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
