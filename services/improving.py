"""Commands to improvement plans: one Update each, safe to repeat."""

import asyncio
import secrets
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.engine import engine_away, engine_fault, refuse_unless_dropped, too_slow
from siklus.services.payloads import PayloadUnreadable
from siklus.workflows import names
from siklus.workflows.domain.commands import Actor
from siklus.workflows.domain.decide import command_digest
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.outcomes.check_ins import answered, decide, says
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
            receipt, ran = await self._update(key, code, order)
            if receipt is not None:
                _must_answer(order, receipt)
                return receipt
            if not ran:
                return self._by_record(recorded, order)
        raise engine_away()

    def _by_record(self, plan: ImprovementPlan, order: PlanOrder) -> PlanReceipt:
        event = answered(plan, order.request_key)
        if event is None:
            decide(plan, order, self._clock.now())
            # It may be done, and the record not have it yet; or it has not begun.
            raise engine_away()
        if not says(event, order):
            raise _reused(event.number)
        return PlanReceipt(
            revision=event.number,
            state=event.state or PlanState.OPEN,
            digest=Digest(""),
            salt="",
            recorded_at=event.at,
            projected=True,
        )

    async def _update(
        self, key: EvaluationKey, code: str, order: PlanOrder
    ) -> tuple[PlanReceipt | None, bool]:
        """Return the receipt, or none and whether there was a run that dropped it."""
        handle = self._client.get_workflow_handle(names.improvement_workflow_id(key, code))
        try:
            receipt: PlanReceipt = await handle.execute_update(
                order.command.kind,
                order,
                id=order.request_key,
                result_type=PlanReceipt,
                rpc_timeout=PATIENCE,
            )
        except WorkflowUpdateFailedError as error:
            refuse_unless_dropped(error)
            return None, True
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            raise too_slow() from None
        except PayloadUnreadable as error:
            raise engine_away() from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None, False
            raise engine_fault(error) from error
        return receipt, True


def _must_answer(order: PlanOrder, receipt: PlanReceipt) -> None:
    if command_digest(order.command, receipt.salt) != receipt.digest:
        raise _reused(receipt.revision)


def _reused(revision: int) -> Refusal:
    return Refusal(
        Reason.REQUEST_ID_REUSED,
        "this request_id was used for another request; take a new one",
        details={"revision": str(revision)},
    )
