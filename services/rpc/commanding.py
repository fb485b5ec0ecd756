"""The one way that every command of an evaluation goes, whichever service offers it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import evaluations as queries
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.glossary import Glossary
from siklus.services.guides import Guides
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import views
from siklus.services.rpc.convert import COMMANDS, SERVICES, to_command
from siklus.services.rpc.distribution_views import warning
from siklus.services.rpc.gate import admit_decision
from siklus.services.rpc.names import evaluation_key, evaluation_name
from siklus.services.rpc.once import Answer, Request
from siklus.services.rpc.reading import sees_undelivered
from siklus.services.seats import vouched_for
from siklus.v1 import evaluation_pb2, panels_pb2
from siklus.workflows.carry import Receipt
from siklus.workflows.domain.values import EvaluationKey

PATIENCE: Final = timedelta(seconds=9)
"""For a decision whose caller set no deadline; a little less than any call may take."""


class Commanding:
    """Has commands decided and reads back what they led to; other requests it applies once."""

    def __init__(self, store: Store, engine: Engine, clock: Clock) -> None:
        self.store = store
        self.engine = engine
        self.clock = clock
        self.guides = Guides()
        self.glossary = Glossary(store)

    async def once(
        self,
        caller: Caller,
        request: Any,
        kind: type[Answer],
        make: Callable[[Connection], Awaitable[Answer]],
    ) -> Answer:
        """Return the first answer again, or make it in one transaction with what it speaks of."""
        once = Request(caller, request, self.clock)
        async with self.store.agency(caller.agency) as connection:
            return await once.once(connection, kind, lambda: make(connection))

    async def execute(self, request: Any, context: Context) -> dict[str, Message | None]:
        """Have a command decided; return its receipt and the evaluation as read back."""
        caller, key = admit_decision(), evaluation_key(request.name)
        command = to_command(request)
        receipt = await self.engine.execute(
            caller,
            key,
            command,
            request_id=request.request_id,
            expected_revision=request.expected_revision,
            vouched=await vouched_for(self.store, caller, key, command, self.guides),
            patience=_patience(context),
        )
        shown = await self._read_back(caller, key, receipt) if receipt.projected else None
        return {"evaluation": shown, "receipt": _receipt(key, receipt, shown is not None)}

    async def _read_back(
        self, caller: Caller, key: EvaluationKey, receipt: Receipt
    ) -> evaluation_pb2.Evaluation | None:
        """Return the evaluation from the record; a decision holds without it."""
        try:
            async with self.store.agency(key.agency) as connection:
                row = await queries.get(connection, key)
            if row is None or row.revision < receipt.revision:
                return None
            return await self.view(caller, row)
        except StoreUnavailable:
            return None

    async def view(self, caller: Caller, row: queries.EvaluationRow) -> evaluation_pb2.Evaluation:
        """Return a row as the contract shows it to the caller, in the words of its policy."""
        return views.evaluation(
            row.document,
            updated_at=row.updated_at,
            now=self.clock.now(),
            withhold=not sees_undelivered(caller, row.person),
            words=await self.glossary.of(row.document),
        )


def _patience(context: Context) -> timedelta:
    remaining: float | None = context.time_remaining()
    return PATIENCE if remaining is None else min(PATIENCE, timedelta(seconds=remaining))


def _receipt(key: EvaluationKey, receipt: Receipt, current: bool) -> evaluation_pb2.Receipt:
    return evaluation_pb2.Receipt(
        name=evaluation_name(key),
        revision=receipt.revision,
        stage=views.stage(receipt.stage),
        holder=receipt.holder or "",
        due_at=views.to_timestamp(receipt.due_at) if receipt.due_at else None,
        digest=receipt.digest,
        projection=evaluation_pb2.PROJECTION_CURRENT
        if current
        else evaluation_pb2.PROJECTION_BEHIND,
        recorded_at=views.to_timestamp(receipt.recorded_at),
        warnings=[warning(breach) for breach in receipt.warnings],
        panel=panels_pb2.AppealPanel(**receipt.panel.model_dump()) if receipt.panel else None,
    )


def servicer(name: str, base: type[Commanding], service: str) -> Any:
    """Return the servicer with one method for each command that a service offers, all alike."""
    (described,) = (each for each in SERVICES if each.name == service)
    offered = {each.name: _command(each) for each in described.methods if each.name in COMMANDS}
    return type(name, (base,), offered)


def _command(described: MethodDescriptor) -> Callable[[Commanding, Any, Context], Any]:
    response = GetMessageClass(described.output_type)

    async def method(self: Commanding, request: Any, context: Context) -> Message:
        return response(**await self.execute(request, context))

    return method
