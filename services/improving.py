"""Commands to improvement plans: one Update each, safe to repeat."""

import asyncio
import secrets
from datetime import timedelta
from typing import Final

from temporalio.client import Client

from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.engine import answered, engine_away, request_id_reused
from siklus.workflows import names
from siklus.workflows.domain.commands import Actor
from siklus.workflows.domain.decide import command_digest
from siklus.workflows.domain.outcomes import check_ins
from siklus.workflows.domain.outcomes.improvement import (
    AnyPlanCommand,
    ImprovementPlan,
    PlanOrder,
    PlanState,
)
from siklus.workflows.domain.values import Digest, EvaluationKey, PersonId
from siklus.workflows.following import PlanReceipt

ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 0.15
PATIENCE: Final = timedelta(seconds=9)


class Improving:
    """Sends commands to the plans that run."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def execute(
        self,
        caller: Caller,
        person: PersonId,
        key: EvaluationKey,
        code: str,
        command: AnyPlanCommand,
        *,
        request_id: str,
        supervises: bool,
        recorded: ImprovementPlan,
    ) -> PlanReceipt:
        """Have a command decided, by the record where the plan runs no more.

        Raises Refusal as the rules do, ServiceRefusal ENGINE_UNAVAILABLE and DEADLINE_EXCEEDED.
        """
        order = PlanOrder(
            actor=Actor(person=person, roles=caller.roles),
            command=command,
            request_key=names.request_key(person, request_id),
            salt=secrets.token_hex(16),
            supervises=supervises,
        )
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS)
            receipt = await self._update(key, code, order)
            if receipt is not None:
                _must_answer(order, receipt)
                return receipt
        # No run took it: the plan has ended, or has not begun.
        return self._by_record(recorded, order)

    def _by_record(self, plan: ImprovementPlan, order: PlanOrder) -> PlanReceipt:
        event = check_ins.answered(plan, order.request_key)
        if event is None:
            check_ins.decide(plan, order, self._clock.now())
            # It may be done, and the record not have it yet; or it has not begun.
            raise engine_away()
        if not check_ins.says(event, order):
            raise request_id_reused(event.number)
        return PlanReceipt(
            revision=event.number,
            state=event.state or PlanState.OPEN,
            digest=Digest(""),
            salt="",
            recorded_at=event.at,
            projected=True,
        )

    async def _update(self, key: EvaluationKey, code: str, order: PlanOrder) -> PlanReceipt | None:
        """Return the plan's receipt, or None when no run took the command."""
        handle = self._client.get_workflow_handle(names.improvement_workflow_id(key, code))
        return await answered(
            handle.execute_update(
                order.command.kind,
                order,
                id=order.request_key,
                result_type=PlanReceipt,
                rpc_timeout=PATIENCE,
            )
        )


def _must_answer(order: PlanOrder, receipt: PlanReceipt) -> None:
    if command_digest(order.command, receipt.salt) != receipt.digest:
        raise request_id_reused(receipt.revision)
