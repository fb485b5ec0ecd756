"""Activities of memory and the worker that serves them: the store is tested elsewhere."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from siklus.workflows import names
from siklus.workflows.domain.events import Entry
from siklus.workflows.evaluation import EvaluationWorkflow
from siklus.workflows.ports import evaluation as ports
from siklus.workflows.ports import limits
from siklus.workflows.ports.following import Completed, PlanProjection
from tests.workflows.sandbox import workflow_runner


@dataclass
class Memory:
    """Activities that keep what they are given; told to be away, they fail."""

    line: dict[str, str | None] = field(default_factory=dict)
    projections: dict[str, list[ports.Projection]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Whose superior was looked up, failures included."""
    handed_over: list[str] = field(default_factory=list)
    """Closed segments that brought their result to another."""
    drawn: list[Completed] = field(default_factory=list)
    """Final results from which was drawn what follows."""
    plans: list[PlanProjection] = field(default_factory=list)
    away: bool = False
    roster_away: bool = False
    store_answers: asyncio.Event = field(default_factory=asyncio.Event)
    roster_answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Calls wait for these; they are set unless a test clears them."""

    refused_away: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first projection that found the store away."""

    def __post_init__(self) -> None:
        self.store_answers.set()
        self.roster_answers.set()

    @activity.defn(name="project")
    async def project(self, projection: ports.Projection) -> None:
        """Keep the projection."""
        if not self.store_answers.is_set():
            await self.store_answers.wait()
            raise ApplicationError("the caller has given up")
        if self.away:
            self.refused_away.set()
            raise ApplicationError("the store is away")
        if projection.entries[0].number != len(self.entries(projection.key)) + 1:
            raise ApplicationError("another history", type=limits.DIVERGED)
        self.projections.setdefault(str(projection.key), []).append(projection)

    @activity.defn(name="superior_of")
    async def superior_of(self, lookup: ports.Lookup) -> ports.Superior:
        """Answer from the line."""
        self.asked.append(lookup.person)
        await self.roster_answers.wait()
        if self.roster_away:
            raise ApplicationError("the roster is away")
        return ports.Superior(person=self.line.get(lookup.person))

    @activity.defn(name="hand_over")
    async def hand_over(self, segment: ports.ClosedSegment) -> None:
        """Keep which segment handed over."""
        self.handed_over.append(str(segment.key))

    @activity.defn(name="draw_outcomes")
    async def draw_outcomes(self, completed: Completed) -> None:
        """Keep what was handed over."""
        self.drawn.append(completed)

    @activity.defn(name="project_plan")
    async def project_plan(self, projection: PlanProjection) -> None:
        """Keep how a plan stands."""
        if self.away:
            self.refused_away.set()
            raise ApplicationError("the store is away")
        self.plans.append(projection)

    def entries(self, key: object) -> list[Entry]:
        """Return all entries projected for an evaluation, in the order in which they came."""
        return [entry for page in self.projections.get(str(key), []) for entry in page.entries]

    def numbers(self, key: object) -> list[int]:
        """Return the numbers of all entries projected for an evaluation."""
        return [entry.number for entry in self.entries(key)]

    def kinds(self, key: object) -> list[str]:
        """Return the kinds of all events projected for an evaluation."""
        return [entry.event.kind for entry in self.entries(key)]


def worker_of(
    client: Client,
    memory: Memory,
    *,
    workflows: Sequence[type] = (EvaluationWorkflow,),
    max_cached_workflows: int = 1000,
) -> Worker:
    """Return a worker like the shipped one.

    Its cache must hold every evaluation under way: one that is evicted while its projection is
    tried loses that task and waits ten seconds for the next. Replays are tested by histories.
    """
    return Worker(
        client,
        task_queue=names.EVALUATION_QUEUE,
        workflows=workflows,
        activities=[
            memory.project,
            memory.superior_of,
            memory.hand_over,
            memory.draw_outcomes,
            memory.project_plan,
        ],
        workflow_runner=workflow_runner(),
        max_cached_workflows=max_cached_workflows,
    )
