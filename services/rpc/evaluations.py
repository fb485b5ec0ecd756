"""EvaluationService: every command of the year, and what may be read of it."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations as queries
from siklus.activities.store.queries import roster
from siklus.activities.store.snapshots import Snapshots
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.feed.watches import Watches
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import views
from siklus.services.rpc.convert import COMMANDS, to_command
from siklus.services.rpc.exporting import export_evaluations
from siklus.services.rpc.gate import admit, admit_decision
from siklus.services.rpc.history import list_history
from siklus.services.rpc.listing import list_evaluations
from siklus.services.rpc.masks import known, masked
from siklus.services.rpc.names import evaluation_key, evaluation_name
from siklus.services.rpc.reading import read
from siklus.services.rpc.waiting import explain, people_in
from siklus.services.seats import in_roster
from siklus.v1 import (
    evaluation_pb2,
    evaluation_service_pb2,
    evaluation_service_pb2_grpc,
    watch_pb2,
)
from siklus.v1 import evaluation_reads_pb2 as pb
from siklus.workflows.carry import Receipt
from siklus.workflows.domain.values import EvaluationKey

PATIENCE: Final = timedelta(seconds=9)
"""For a decision whose caller set no deadline; a little less than any call may take."""


class Evaluations(evaluation_service_pb2_grpc.EvaluationServiceServicer):
    """The reads, and the one way that every command goes."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        archive: Archive,
        engine: Engine,
        clock: Clock,
        watches: Watches,
        snapshots: Snapshots,
    ) -> None:
        self.store = store
        self.vault = vault
        self.archive = archive
        self.engine = engine
        self.snapshots = snapshots
        self.clock = clock
        self.watches = watches.evaluations

    async def GetEvaluation(  # noqa: N802
        self, request: pb.GetEvaluationRequest, context: Any
    ) -> pb.GetEvaluationResponse:
        """Read one evaluation from the record."""
        caller = admit("GetEvaluation")
        key = evaluation_key(request.name)
        mask = known(request.read_mask, evaluation_pb2.Evaluation)
        row = await read(self.store, caller, key, self.clock, min_revision=request.min_revision)
        return pb.GetEvaluationResponse(evaluation=masked(self.view(row), mask))

    async def ListEvaluations(  # noqa: N802
        self, request: pb.ListEvaluationsRequest, context: Any
    ) -> pb.ListEvaluationsResponse:
        """List what the caller may see."""
        caller = admit("ListEvaluations")
        mask = known(request.read_mask, evaluation_pb2.Evaluation)
        rows, token = await list_evaluations(self.store, caller, request, self.clock)
        found = [masked(self.view(row), mask) for row in rows]
        return pb.ListEvaluationsResponse(evaluations=found, next_page_token=token)

    async def ExportEvaluations(  # noqa: N802
        self, request: watch_pb2.ExportEvaluationsRequest, context: Any
    ) -> AsyncIterator[watch_pb2.ExportEvaluationsResponse]:
        """Send every evaluation as it stood at one instant."""
        caller = admit("ExportEvaluations")
        async for part in export_evaluations(self.snapshots, caller, request, self.clock):
            yield part

    async def ListHistory(  # noqa: N802
        self, request: pb.ListHistoryRequest, context: Any
    ) -> pb.ListHistoryResponse:
        """List the events of one evaluation with their texts."""
        return await list_history(self.store, self.vault, admit("ListHistory"), request, self.clock)

    async def ExplainWaiting(  # noqa: N802
        self, request: pb.ExplainWaitingRequest, context: Any
    ) -> pb.ExplainWaitingResponse:
        """Explain who holds it, until when and why, and what comes next."""
        caller = admit("ExplainWaiting")
        key = evaluation_key(request.name)
        row = await read(self.store, caller, key, self.clock, min_revision=request.min_revision)
        state = await self.archive.standing(key, row.document)
        async with self.store.agency(key.agency) as connection:
            names = await roster.names(connection, key.agency, people_in(state))
        return explain(state, self.clock.now(), names)

    async def WatchEvaluations(  # type: ignore[override]  # noqa: N802
        self, request: watch_pb2.WatchEvaluationsRequest, context: Any
    ) -> None:
        """Send recorded changes as they happen.

        Through the context, because then no interceptor has to pass on each message by itself.
        """
        await self.watches.watch(admit("WatchEvaluations"), request, context)

    def view(self, row: queries.EvaluationRow) -> evaluation_pb2.Evaluation:
        """Return a row as the contract shows it."""
        return views.evaluation(row.document, updated_at=row.updated_at, now=self.clock.now())

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
            roster=await in_roster(self.store, caller, command),
            patience=_patience(context),
        )
        shown = await self._read_back(key, receipt) if receipt.projected else None
        return {"evaluation": shown, "receipt": _receipt(key, receipt, shown is not None)}

    async def _read_back(
        self, key: EvaluationKey, receipt: Receipt
    ) -> evaluation_pb2.Evaluation | None:
        """Return the evaluation from the record; a decision holds without it."""
        try:
            async with self.store.agency(key.agency) as connection:
                row = await queries.get(connection, key)
        except StoreUnavailable:
            return None
        return self.view(row) if row is not None and row.revision >= receipt.revision else None


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
    )


def _command(name: str) -> Callable[[Evaluations, Any, Context], Any]:
    service = evaluation_service_pb2.DESCRIPTOR.services_by_name["EvaluationService"]
    response = GetMessageClass(service.methods_by_name[name].output_type)

    async def method(self: Evaluations, request: Any, context: Context) -> Message:
        return response(**await self.execute(request, context))

    return method


EvaluationServicer: Any = type(
    "EvaluationServicer", (Evaluations,), {name: _command(name) for name in COMMANDS}
)
"""Evaluations with one method for each command of the year, all of them alike."""
