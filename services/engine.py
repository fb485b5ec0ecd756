"""Commands to evaluations: one Update each, safe to repeat, refused in the order promised."""

import asyncio
import secrets
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

import structlog
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.commanding import Unanswered, Undecidable
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.payloads import PayloadUnreadable
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.seats import NOTHING, Vouched
from siklus.workflows import names
from siklus.workflows.carry import ERASED_SALT, Carry, Receipt
from siklus.workflows.domain import authority
from siklus.workflows.domain.commands import Actor, Command, Edition, Order
from siklus.workflows.domain.decide import command_digest, decide
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.standing_in import NOT_ALONE
from siklus.workflows.domain.values import EvaluationKey
from siklus.workflows.ports import limits

log = structlog.get_logger(__name__)

T = TypeVar("T")

ATTEMPTS: Final = 4
"""A run that ends or continues as new may drop an Update; the same id applies once."""
PAUSE: Final = timedelta(milliseconds=150)

IN_AN_OPERATION: Final = timedelta(seconds=9)
"""For one order of an activity, which goes over many evaluations."""
_ITS_OWN_FAULT: Final = frozenset(
    {ServiceReason.NOT_FOUND, ServiceReason.CYCLE_STATE, ServiceReason.INTERNAL_FAULT}
)
_NO_ANSWER: Final = frozenset({ServiceReason.DEADLINE_EXCEEDED, ServiceReason.ENGINE_UNAVAILABLE})

_AWAY: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
    }
)

_DROPPED: Final = frozenset({"AcceptedUpdateCompletedWorkflow", limits.DIVERGED})
"""The run ended under the command, or was begun from a record that had gone on: ask again."""


class Archive(Protocol):
    """What the record knows of evaluations that no workflow answers for."""

    async def load(self, key: EvaluationKey) -> Carry | None:
        """Return the state folded from the recorded events with its latest answers, or None.

        Raises ServiceRefusal STORE_UNAVAILABLE.
        """
        ...

    async def is_closed(self, key: EvaluationKey) -> bool:
        """Tell whether the evaluation's cycle was closed, after which nothing begins in it."""
        ...


class Mandates(Protocol):
    """Knows by which mandates people act."""

    async def relying_on_mandates(self, key: EvaluationKey, order: Order) -> Order | None:
        """Return the order with the chain that it should rely on; None where there is none.

        Raises StoreUnavailable.
        """
        ...


class Engine:
    """Sends commands to evaluations, wherever they are: running, ended or to be reopened."""

    def __init__(
        self, client: Client, archive: Archive, clock: Clock, mandates: Mandates | None = None
    ) -> None:
        """Without `mandates` everybody acts in their own name alone."""
        self._client = client
        self._archive = archive
        self._clock = clock
        self._mandates = mandates

    async def execute(
        self,
        caller: Caller,
        key: EvaluationKey,
        command: Command,
        *,
        request_id: str,
        expected_revision: int = 0,
        vouched: Vouched = NOTHING,
        patience: timedelta,
    ) -> Receipt:
        """Have the command decided and return its receipt, the first one again for a repeat.

        Raises Refusal as the rule book does, or ServiceRefusal: NOT_FOUND, ENGINE_UNAVAILABLE,
        STORE_UNAVAILABLE, DEADLINE_EXCEEDED (it may have been applied: send it again).
        """
        if key.agency != caller.agency:
            # The gate has seen to it; Temporal, unlike the store, has no wall of its own.
            raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such evaluation")
        order = self._order(caller, command, request_id, expected_revision, vouched)
        try:
            async with asyncio.timeout(patience.total_seconds()):
                receipt = await self._in_whose_name(key, order, patience)
        except TimeoutError:
            raise _too_slow() from None
        _must_answer(command, receipt)
        return receipt

    async def give(self, key: EvaluationKey, order: Order) -> Receipt:
        """Have an order of an activity decided, in the actor's own name.

        Raises Refusal; Undecidable for an evaluation that cannot decide, now or later; Unanswered
        where another time may help; and StoreUnavailable.
        """
        try:
            async with asyncio.timeout(IN_AN_OPERATION.total_seconds()):
                return await self._deliver(key, order, IN_AN_OPERATION)
        except TimeoutError:
            late = _too_slow()
            raise Unanswered(late.reason.value, late.message) from None
        except ServiceRefusal as refusal:
            if refusal.reason in _NO_ANSWER:
                raise Unanswered(refusal.reason.value, refusal.message) from refusal
            if refusal.reason not in _ITS_OWN_FAULT:
                raise
            raise Undecidable(refusal.reason.value, refusal.message) from refusal

    def _order(
        self,
        caller: Caller,
        command: Command,
        request_id: str,
        expected_revision: int,
        vouched: Vouched,
    ) -> Order:
        if caller.person is None:
            raise Refusal(Reason.ROLE_REQUIRED, "only a person may decide on an evaluation")
        return Order(
            actor=Actor(person=caller.person, roles=caller.roles),
            command=command,
            request_key=names.request_key(caller.person, request_id),
            salt=secrets.token_hex(16),
            expected_revision=expected_revision,
            received_at=self._clock.now(),
            roster=vouched.roster,
            group=vouched.group,
            calibration=vouched.calibration,
            edition=Edition.NEWEST,
            panel=vouched.panel,
        )

    async def _in_whose_name(
        self, key: EvaluationKey, order: Order, patience: timedelta
    ) -> Receipt:
        """Deliver the order in the actor's own name first, then by a mandate.

        So whoever needs none waits for no store, and a refusal has left nothing behind.
        """
        try:
            return await self._deliver(key, order, patience)
        except Refusal as refusal:
            if self._mandates is None or refusal.reason not in NOT_ALONE:
                raise
            relying = await self._mandates.relying_on_mandates(key, order)
            if relying is None:
                raise
        return await self._deliver(key, relying, patience)

    async def _deliver(self, key: EvaluationKey, order: Order, patience: timedelta) -> Receipt:
        for _ in range(ATTEMPTS):
            receipt = await self._update(key, order, patience)
            if receipt is not None:
                return receipt
            receipt = await self._consult(key, order, patience)
            if receipt is not None:
                return receipt
            await asyncio.sleep(PAUSE.total_seconds())
        raise engine_away()

    async def _update(
        self, key: EvaluationKey, order: Order, patience: timedelta
    ) -> Receipt | None:
        """Return the workflow's receipt, or None when no run took the command."""
        handle = self._client.get_workflow_handle(names.evaluation_workflow_id(key))
        return await answered(
            handle.execute_update(
                kind_of(order.command),
                order,
                id=order.request_key,
                result_type=Receipt,
                rpc_timeout=patience,
            )
        )

    async def _consult(
        self, key: EvaluationKey, order: Order, patience: timedelta
    ) -> Receipt | None:
        """Answer for an evaluation without a running workflow, from the record.

        None means that the record still has it running: the command met a change of runs.
        """
        carry = await self._archive.load(key)
        if carry is None:
            raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such evaluation")
        state = carry.evaluation
        authority.admit(state, order.actor)
        for known in carry.answered:
            if known.request_key == order.request_key:
                return known.receipt
        if not state.ended:
            return None
        decide(state, order, self._clock.now())
        if await self._archive.is_closed(key):
            raise ServiceRefusal(
                ServiceReason.CYCLE_STATE, "this cycle is closed: nothing in it is opened again"
            )
        return await self._reopen(carry, order, patience)

    async def _reopen(self, carry: Carry, order: Order, patience: timedelta) -> Receipt | None:
        """Start the next run from the folded events with the command that it begins with."""
        key = carry.evaluation.key
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "EvaluationWorkflow",
            carry,
            id=names.evaluation_workflow_id(key),
            task_queue=names.EVALUATION_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=search_attributes(key, carry.evaluation.stage),
        )
        return await answered(
            self._client.execute_update_with_start_workflow(
                kind_of(order.command),
                order,
                start_workflow_operation=start,
                id=order.request_key,
                result_type=Receipt,
                rpc_timeout=patience,
            )
        )


async def answered(update: Awaitable[T]) -> T | None:
    """Return the receipt that an Update ends with, or None when no run took the command.

    Raises Refusal, and ServiceRefusal for whatever else may come of it.
    """
    try:
        return await update
    except WorkflowUpdateFailedError as error:
        _refuse_unless_dropped(error)
        return None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise _too_slow() from None
    except PayloadUnreadable as error:
        raise engine_away() from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise _engine_fault(error) from error


def _must_answer(command: Command, receipt: Receipt) -> None:
    """Refuse a receipt that was given to another request; after an erasure nobody can tell."""
    if receipt.salt != ERASED_SALT and command_digest(command, receipt.salt) != receipt.digest:
        raise request_id_reused(receipt.revision)


def request_id_reused(revision: int) -> Refusal:
    """Return the refusal of a request whose id was used for another one, which made a revision."""
    return Refusal(
        Reason.REQUEST_ID_REUSED,
        "this request_id was used for another request; take a new one",
        details={"revision": str(revision)},
    )


def kind_of(command: Command) -> str:
    """Return the kind by which a command's Update is known."""
    kind: str = type(command).model_fields["kind"].default
    return kind


def search_attributes(key: EvaluationKey, stage: str) -> TypedSearchAttributes:
    """Return what operators may search an evaluation by; nothing personal."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(names.AGENCY, key.agency),
            SearchAttributePair(names.CYCLE, key.cycle),
            SearchAttributePair(names.STAGE, stage),
        ]
    )


def _refuse_unless_dropped(error: WorkflowUpdateFailedError) -> None:
    """Raise the refusal that an Update failed with; return when its run merely went away."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or _unreadable(cause):
        raise engine_away() from error
    if cause.type in _DROPPED:
        return
    if cause.type not in set(Reason):
        log.error("update_failed", failure_type=cause.type)
        raise ServiceRefusal(
            ServiceReason.INTERNAL_FAULT, "the evaluation could not decide this"
        ) from error
    facts = cause.details[0] if cause.details else {}
    raise Refusal(
        Reason(cause.type),
        _message(cause),
        details=_texts(facts, "details"),
        fields=_texts(facts, "fields"),
    ) from None


def _unreadable(cause: ApplicationError) -> bool:
    """Tell whether the worker lacked the key of the command, which it refused before all else."""
    why = cause.cause
    return isinstance(why, ApplicationError) and why.type == PayloadUnreadable.__name__


def _message(cause: ApplicationError) -> str:
    return cause.message.removeprefix(f"{cause.type}: ")


def _texts(facts: object, name: str) -> dict[str, str]:
    inner = facts.get(name, {}) if isinstance(facts, Mapping) else {}
    return {str(key): str(value) for key, value in inner.items()}


def _engine_fault(error: RPCError) -> ServiceRefusal:
    """Return what an error of Temporal is answered with."""
    if error.status in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
        return _too_slow()
    if error.status in _AWAY:
        return engine_away()
    log.error("engine_refused", status=error.status.name)
    return engine_away()


def engine_away() -> ServiceRefusal:
    """Return the refusal while nobody decides."""
    return ServiceRefusal(
        ServiceReason.ENGINE_UNAVAILABLE,
        "decisions cannot be taken right now; send the same request again",
    )


def _too_slow() -> ServiceRefusal:
    """Return the refusal of a call whose decision did not come in time."""
    return ServiceRefusal(
        ServiceReason.DEADLINE_EXCEEDED,
        "no answer in time; it may have been applied: send it again with the same request_id",
    )
