"""An improvement plan, or coaching by steps, from the completed evaluation to its own end.

A thin shell as the evaluation's: commands are Updates, one timer tells when a step is late, and
reminders come from the task that the store has, like everybody's.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from siklus.workflows.domain import audit
from siklus.workflows.domain.commands import SYSTEM
from siklus.workflows.domain.decide import command_digest
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.outcomes.check_ins import decide, fold, late
from siklus.workflows.domain.outcomes.improvement import (
    UPDATES,
    HandOver,
    ImprovementPlan,
    PlanEvent,
    PlanOrder,
    PlanState,
    task_of,
    wakes_at,
)
from siklus.workflows.domain.values import Digest
from siklus.workflows.following import PlanReceipt
from siklus.workflows.ports import evaluation as ports
from siklus.workflows.ports import limits
from siklus.workflows.ports.following import PlanProjection, project_plan
from siklus.workflows.refused import as_failure

ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn(name="ImprovementPlanWorkflow")
class ImprovementPlanWorkflow:
    """The durable life of one plan; a dozen steps need no second run."""

    @workflow.init
    def __init__(self, plan: ImprovementPlan) -> None:
        self._plan = plan
        self._stored = -1
        self._behind = False
        self._texts: list[ports.Text] = []
        self._answered: dict[str, PlanReceipt] = {}
        for command in UPDATES:
            self._accept_updates(command)

    @workflow.run
    async def run(self, _: ImprovementPlan) -> PlanState:
        """Live until the plan is closed and everybody has an answer."""
        while not self._plan.closed or self._pending:
            await self._store()
            if not self._plan.closed:
                await self._wait()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._plan.state

    @property
    def _pending(self) -> bool:
        return self._stored < self._plan.revision

    def _accept_updates(self, command: str) -> None:
        def validate(order: PlanOrder) -> None:
            self._judge(command, order)

        async def accept(order: PlanOrder) -> PlanReceipt:
            return await self._accept(order)

        workflow.set_update_handler(command, accept, validator=validate)

    def _judge(self, command: str, order: PlanOrder) -> None:
        """Refuse what the rules refuse, before anything is written to history."""
        try:
            if not isinstance(order, PlanOrder) or order.command.kind != command:
                raise Refusal(Reason.MALFORMED_MESSAGE, f"this is no {command}")
            if order.request_key not in self._answered:
                decide(self._plan, order, workflow.now())
        except Refusal as refusal:
            raise as_failure(refusal) from None

    async def _accept(self, order: PlanOrder) -> PlanReceipt:
        receipt = self._answered.get(order.request_key)
        if receipt is None:
            # Nothing was awaited since the validator, so this decides exactly as it did.
            self._apply(decide(self._plan, order, workflow.now()), order)
            receipt = PlanReceipt(
                revision=self._plan.revision,
                state=self._plan.state,
                digest=command_digest(order.command, order.salt),
                salt=order.salt,
                recorded_at=workflow.now(),
                projected=True,
            )
            self._answered[order.request_key] = receipt
        revision = receipt.revision
        await workflow.wait_condition(lambda: self._stored >= revision or self._behind)
        return receipt.model_copy(update={"projected": self._stored >= revision})

    def _apply(self, events: tuple[PlanEvent, ...], order: PlanOrder | None = None) -> None:
        self._plan = fold(self._plan, events)
        if order is not None and order.command.prose:
            said = order.command.prose
            digest = Digest(audit.prose_digest(order.salt, said))
            self._texts.append(ports.Text(digest=digest, salt=order.salt, fields=said))

    async def _wait(self) -> None:
        """Wait for a command, or for the step that waits to become late."""
        wakes = wakes_at(self._plan)
        left = None if wakes is None else max(wakes - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(lambda: self._pending, timeout=left)
        except TimeoutError:
            self._apply(late(self._plan, workflow.now()))
            await self._look_up()

    async def _look_up(self) -> None:
        """Give a plan that is late to whoever supervises the employee now, if that can be told."""
        lookup = ports.Lookup(agency=self._plan.key.agency, person=self._plan.employee)
        try:
            found = await workflow.execute_local_activity(
                ports.superior_of,
                lookup,
                start_to_close_timeout=limits.LOOKUP,
                retry_policy=ONCE,
            )
        except FailureError:
            return  # the team sees it all the same, and whoever supervises now may act
        if found.person is not None:
            order = PlanOrder(
                actor=SYSTEM, command=HandOver(supervisor=found.person), request_key="", salt=""
            )
            self._apply(decide(self._plan, order, workflow.now()))

    async def _store(self) -> None:
        """Bring the store up to date: one quick local attempt, then the server's retries."""
        while self._pending:
            texts = tuple(self._texts)
            projection = PlanProjection(plan=self._plan, task=task_of(self._plan), texts=texts)
            try:
                await workflow.execute_local_activity(
                    project_plan,
                    projection,
                    start_to_close_timeout=limits.FIRST_PROJECTION,
                    retry_policy=ONCE,
                )
            except FailureError:
                self._behind = True
                await workflow.execute_activity(
                    project_plan,
                    projection,
                    start_to_close_timeout=limits.PROJECTION,
                    retry_policy=limits.PROJECTION_RETRY,
                )
                self._behind = False
            self._stored = projection.plan.revision
            self._texts = self._texts[len(texts) :]
