"""Giving orders to evaluations from activities, each told apart by how it ended.

It is the way that the API's commands go, without its deadlines: Temporal repeats what did not
arrive, and the same request key applies once.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from temporalio.client import Client

from siklus.activities import starting
from siklus.workflows.carry import Receipt
from siklus.workflows.domain.commands import Actor, AnyCommand, Edition, InRoster, Order
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.values import EvaluationKey

NOT_THERE: Final = "NOT_FOUND"
"""The contract's reason where nothing ever ran, or nothing is on record yet."""


class Undecidable(Exception):  # noqa: N818 - it says what is so
    """One evaluation cannot decide at all, now or later; `reason` is the contract's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Unanswered(Exception):  # noqa: N818 - it says what is so
    """One evaluation gave no answer; the order may have been applied. `reason` is the contract's.

    Perhaps nothing answers right now, perhaps this one alone: whoever goes over many asks the
    others before it waits.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Orders(Protocol):
    """Brings orders to evaluations, wherever they are: running, ended or to be reopened."""

    async def give(self, key: EvaluationKey, order: Order) -> Receipt:
        """Return the receipt, the first one again for an order that was given before.

        Raises Refusal, Undecidable, Unanswered, and whatever the store raises where it is away.
        """
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """How an order ended: with a receipt, refused, or, with neither, because nothing is there."""

    receipt: Receipt | None = None
    refused: Reason | None = None
    message: str = ""

    @property
    def nobody(self) -> bool:
        """Tell whether there is no such evaluation, or none yet."""
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
        edition=Edition.NEWEST,
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
    """The evaluations that Temporal runs, or ran."""

    def __init__(self, client: Client, orders: Orders) -> None:
        self._client = client
        self._orders = orders

    async def start(self, starts: Sequence[Start]) -> None:
        """Begin evaluations; what runs, or ran and ended, stays as it is."""
        await starting.start(self._client, starts)

    async def send(self, key: EvaluationKey, order: Order) -> Told:
        """Have an order decided by the evaluation's workflow, or by the record where it ended.

        Raises Unanswered, Undecidable where deciding failed, and StoreUnavailable.
        """
        try:
            return Told(await self._orders.give(key, order))
        except Refusal as refusal:
            return Told(refused=refusal.reason, message=refusal.message)
        except Undecidable as fault:
            if fault.reason == NOT_THERE:
                return Told()
            raise
