"""What follows from a final result: drawn by the rules, written down, plans opened and ended."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import lines, outcomes, plans, policies
from siklus.activities.store.queries.outcomes import New
from siklus.workflows import names
from siklus.workflows.domain.commands import SYSTEM
from siklus.workflows.domain.outcomes.drawn import DrawnOutcome, Source, as_drawn
from siklus.workflows.domain.outcomes.improvement import (
    AnyPlanCommand,
    HandOver,
    ImprovementPlan,
    PlanOrder,
    PlanState,
    SupersedePlan,
    open_plan,
)
from siklus.workflows.domain.outcomes.judging import Judged, drawn
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.domain.values import AgencyId, EvaluationKey
from siklus.workflows.following import PlanReceipt
from siklus.workflows.improvement import ImprovementPlanWorkflow
from siklus.workflows.ports.following import Completed

PATIENCE: Final = timedelta(seconds=5)
AT_ONCE: Final = 200
"""Plans that one run of the upkeep hands over."""
BEGUN_ANEW: Final = frozenset({PlanState.SUPERSEDED, PlanState.CANCELLED})
"""What was called off is opened again by a new result; what came to its end is not."""


class Plans(Protocol):
    """The plans that run, wherever they do."""

    async def open(self, plan: ImprovementPlan) -> None:
        """Begin a plan; one that runs stays as it is."""
        ...

    async def tell(
        self, key: EvaluationKey, code: str, command: AnyPlanCommand, request_key: str
    ) -> None:
        """Give a plan a command of the system's; one that has ended stays as it is."""
        ...


class PlansOnTemporal:
    """The plans that Temporal runs."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open(self, plan: ImprovementPlan) -> None:
        """Begin a plan; one that runs stays as it is."""
        await self._client.start_workflow(
            ImprovementPlanWorkflow.run,
            plan,
            id=names.improvement_workflow_id(plan.key, plan.code),
            task_queue=names.EVALUATION_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=names.of_agency(plan.key.agency),
            rpc_timeout=PATIENCE,
        )

    async def tell(
        self, key: EvaluationKey, code: str, command: AnyPlanCommand, request_key: str
    ) -> None:
        """Give a plan a command of the system's; one that has ended stays as it is."""
        handle = self._client.get_workflow_handle(names.improvement_workflow_id(key, code))
        order = PlanOrder(actor=SYSTEM, command=command, request_key=request_key, salt="")
        try:
            await handle.execute_update(
                command.kind,
                order,
                id=request_key,
                result_type=PlanReceipt,
                rpc_timeout=PATIENCE,
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def relieve_plans(store: Store, running: Plans, agency: AgencyId) -> int:
    """Give open plans of people who left to whoever is over the employees now; return how many.

    What nobody is over stays: the agency's team sees it once a step is late.
    """
    async with store.agency(agency) as connection:
        held = await plans.held_by_the_gone(connection, agency, limit=AT_ONCE)
        above = await lines.lines(connection, agency, {each.key.person for each in held})
    relieved = 0
    for each in held:
        line = above[each.key.person]
        if line:
            request_key = f"upkeep:{each.revision}"
            await running.tell(each.key, each.code, HandOver(supervisor=line[0]), request_key)
            relieved += 1
    return relieved


class Following:
    """The activity that draws what follows; one for a worker."""

    def __init__(self, store: Store, running: Plans, now: Callable[[], datetime]) -> None:
        self._store = store
        self._plans = running
        self._now = now

    @activity.defn(name="draw_outcomes")
    async def draw_outcomes(self, completed: Completed) -> None:
        """Write what follows from a result, open its plans, and end those it does not ask for.

        Repeated, it changes nothing; what was drawn from an earlier result of the evaluation stays
        on record and stands no more.
        """
        key = completed.basis.key
        async with self._store.agency(key.agency) as connection:
            found = await self._drawn(connection, completed)
            known = await plans.states(connection, key)
        asked = {each.rule.code for each in found if each.rule.steps}
        for judged in found:
            code = judged.rule.code
            state = known.get(code)
            if judged.rule.steps and (state is None or state in BEGUN_ANEW):
                await self._plans.open(open_plan(completed.basis, judged.rule))
        for code, state in known.items():
            if code not in asked and state == PlanState.OPEN:
                request_key = f"superseded:{completed.revision}"
                await self._plans.tell(key, code, SupersedePlan(), request_key)

    async def _drawn(self, connection: Connection, completed: Completed) -> tuple[Judged, ...]:
        basis, facts = completed.basis, completed.facts
        agency = basis.key.agency
        earlier = await outcomes.earlier(connection, agency, basis.employee, before=facts.year)
        found = drawn(completed.rules, facts.model_copy(update={"earlier": earlier}))
        policy = await policies.get(connection, agency, completed.policy, completed.policy_version)
        words = words_of(completed.policy, policy.source if policy else "")
        source = Source(
            policy=completed.policy,
            policy_version=completed.policy_version,
            policy_digest=basis.policy_digest,
            predicate=facts.predicate,
            months=facts.months,
            head=completed.head,
        )
        await outcomes.add(
            connection,
            basis.key,
            [_row(as_drawn(judged, source, words)) for judged in found],
            revision=completed.revision,
            unit=basis.unit,
            at=self._now(),
        )
        return found


def _row(outcome: DrawnOutcome) -> New:
    return New(outcome.code, outcome.kind, outcome.model_dump_json())
