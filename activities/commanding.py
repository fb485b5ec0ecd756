"""Giving orders to evaluations from activities: one Update each, told apart by how it ended.

The API has its own way, with a deadline and an answer for a person; here Temporal repeats what
did not arrive, and the same request key applies once.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities import starting
from siklus.workflows import names, ports
from siklus.workflows.carry import Receipt
from siklus.workflows.domain.commands import Actor, AnyCommand, InRoster, Order
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.values import EvaluationKey

PATIENCE: Final = timedelta(seconds=10)
ATTEMPTS: Final = 4
"""A run that ends or continues as new may drop an Update; the same key applies once."""
PAUSE_SECONDS: Final = 0.15
_DROPPED: Final = frozenset({"AcceptedUpdateCompletedWorkflow", ports.DIVERGED})


@dataclass(frozen=True, slots=True)
class Told:
    """How an order ended: with a receipt, refused, or, with neither, because nothing runs there."""

    receipt: Receipt | None = None
    refused: Reason | None = None
    message: str = ""

    @property
    def nobody(self) -> bool:
        """Tell whether no workflow runs there: it ended, or never began."""
        return self.receipt is None and self.refused is None


def order_of(
    command: AnyCommand, actor: Actor, request_key: str, roster: InRoster | None = None
) -> Order:
    """Return an order under that key; its texts are salted anew each time."""
    return Order(
        actor=actor,
        command=command,
        request_key=request_key,
        salt=secrets.token_hex(16),
        roster=roster,
    )


class Evaluations(Protocol):
    """The evaluations that run, wherever they do."""

    async def send(self, key: EvaluationKey, order: Order) -> Told:
        """Have an order decided; raises where nobody can tell whether it was."""
        ...

    async def start(self, starts: Sequence[Start]) -> None:
        """Begin evaluations; what runs, or ran and ended, stays as it is."""
        ...


class OnTemporal:
    """The evaluations that Temporal runs."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, starts: Sequence[Start]) -> None:
        """Begin evaluations; what runs, or ran and ended, stays as it is."""
        await starting.start(self._client, starts)

    async def send(self, key: EvaluationKey, order: Order) -> Told:
        """Have an order decided by the evaluation's workflow.

        Raises what Temporal raises where it is away or late: the activity is tried again then.
        """
        handle = self._client.get_workflow_handle(names.evaluation_workflow_id(key))
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                receipt: Receipt = await handle.execute_update(
                    order.command.kind,
                    order,
                    id=order.request_key,
                    result_type=Receipt,
                    rpc_timeout=PATIENCE,
                )
            except WorkflowUpdateFailedError as error:
                told = _refused(error)
                if told is not None:
                    return told
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return Told()
            else:
                return Told(receipt)
        return Told()


def _refused(error: WorkflowUpdateFailedError) -> Told | None:
    """Return the refusal, None where the run merely went away; raises any other failure."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type is None:
        raise error
    if cause.type in _DROPPED:
        return None
    if cause.type not in set(Reason):
        raise error
    message = cause.message.removeprefix(f"{cause.type}: ")
    return Told(refused=Reason(cause.type), message=message)
