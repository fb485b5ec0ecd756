"""What follows from a final result: drawn by the rules, written down, plans opened and ended."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from temporalio import activity
from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.commanding import Unanswered
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import lines, news, outcomes, plans, policies
from siklus.activities.store.queries.outcomes import New
from siklus.workflows import names
from siklus.workflows.domain.commands import SYSTEM
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.news import news_of_outcomes
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

log = structlog.get_logger("siklus.following")

CHANGED: Final = Text(
    id="Hasil akhir yang mendasarinya telah berubah", en="The result that asked for it has changed"
)
CALLED_OFF: Final = Text(
    id="Evaluasi dibuka kembali dan berakhir tanpa hasil",
    en="The evaluation was reopened and ended without a result",
)


class Plans(Protocol):
    """The plans that run, wherever they do."""

    async def open(self, plan: ImprovementPlan) -> None:
        """Begin a plan; one that runs stays as it is."""
        ...

    async def tell(
        self, key: EvaluationKey, code: str, command: AnyPlanCommand, request_key: str
    ) -> None:
        """Give a plan a command of the system's; one that has ended stays as it is.

        Raises Unanswered where this one gives no answer in time.
        """
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
        """Give a plan a command of the system's; one that has ended stays as it is.

        Raises Unanswered where this one gives no answer in time.
        """
        handle = self._client.get_workflow_handle(names.improvement_workflow_id(key, code))
        salt = secrets.token_hex(16)
        order = PlanOrder(actor=SYSTEM, command=command, request_key=request_key, salt=salt)
        try:
            await handle.execute_update(
                command.kind,
                order,
                id=request_key,
                result_type=PlanReceipt,
                rpc_timeout=PATIENCE,
            )
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise  # not the plan: whoever asks is to stop
            raise Unanswered("DEADLINE_EXCEEDED", f"no answer by plan {code} of {key}") from error
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def relieve_plans(store: Store, running: Plans, agency: AgencyId) -> int:
    """Give open plans of people who left to whoever is over the employees now; return how many.

    What nobody is over stays: the agency's team sees it once a step is late. So does what gives no
    answer, until the next hour.
    """
    async with store.agency(agency) as connection:
        held = await plans.held_by_the_gone(connection, agency, limit=AT_ONCE)
        above = await lines.lines(connection, agency, {each.key.person for each in held})
    relieved = 0
    for each in held:
        line = above[each.key.person]
        if not line:
            continue
        command, request_key = HandOver(supervisor=line[0]), f"upkeep:{each.revision}"
        try:
            await running.tell(each.key, each.code, command, request_key)
        except Unanswered as fault:
            log.warning("plan_not_handed_over", evaluation=str(each.key), reason=fault.reason)
            continue
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

        Whoever it concerns is told. Repeated, it changes nothing; what was drawn from an earlier
        result of the evaluation stays on record and stands no more.
        """
        key, at = completed.basis.key, completed.basis.completed_at
        async with self._store.agency(key.agency) as connection:
            async with connection.transaction():
                found = await self._drawn(connection, completed)
                await self._tell(connection, completed, found)
            known = await plans.standing(connection, key)
        asked = {judged.rule.code: judged.rule for judged in found if judged.rule.steps}
        for code, rule in asked.items():
            plan = known.get(code)
            # One that this very result opened and somebody called off since is left alone.
            if plan is None or (plan.state in BEGUN_ANEW and plan.opened_at < at):
                await self._plans.open(open_plan(completed.basis, rule))
        for code, plan in known.items():
            if code not in asked and plan.state == PlanState.OPEN:
                reason = CHANGED if completed.rules else CALLED_OFF
                command = SupersedePlan(prose={"reason": f"{reason.id}. / {reason.en}."})
                await self._plans.tell(key, code, command, f"superseded:{completed.revision}")

    async def _drawn(self, connection: Connection, completed: Completed) -> tuple[Judged, ...]:
        basis, facts = completed.basis, completed.facts
        agency = basis.key.agency
        earlier = await outcomes.earlier(connection, agency, basis.employee, before=facts.year)
        policy = await policies.get(connection, agency, completed.policy, completed.policy_version)
        words = words_of(completed.policy, policy.source if policy else "")
        all_years = facts.model_copy(update={"earlier": earlier})
        found = drawn(completed.rules, all_years, words.labels)
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

    async def _tell(
        self, connection: Connection, completed: Completed, found: Sequence[Judged]
    ) -> None:
        basis = completed.basis
        rules = [each.rule for each in found]
        told = news_of_outcomes(completed.revision, basis.employee, basis.supervisor, rules)
        today = self._now().astimezone(basis.calendar.tz).date()
        await news.tell(connection, basis.key, told, on=today)


def _row(outcome: DrawnOutcome) -> New:
    return New(outcome.code, outcome.kind, outcome.model_dump_json())
