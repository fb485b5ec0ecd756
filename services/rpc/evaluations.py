"""EvaluationService: every command of the year, and what may be read of it."""

from collections.abc import AsyncIterator
from typing import Any

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import roster
from siklus.activities.store.snapshots import Snapshots
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.feed.watches import Watches
from siklus.services.rpc.commanding import Commanding, servicer
from siklus.services.rpc.exporting import export_evaluations
from siklus.services.rpc.gate import admit
from siklus.services.rpc.history import list_history
from siklus.services.rpc.listing import list_evaluations
from siklus.services.rpc.masks import known, masked
from siklus.services.rpc.names import evaluation_key
from siklus.services.rpc.reading import read
from siklus.services.rpc.spoken import spoken
from siklus.services.rpc.waiting import explain, people_in
from siklus.v1 import (
    evaluation_pb2,
    evaluation_service_pb2_grpc,
    watch_pb2,
)
from siklus.v1 import evaluation_reads_pb2 as pb


class Evaluations(Commanding, evaluation_service_pb2_grpc.EvaluationServiceServicer):
    """The reads, and every command of the year."""

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
        super().__init__(store, engine, clock)
        self.vault = vault
        self.archive = archive
        self.snapshots = snapshots
        self.watches = watches.evaluations

    async def GetEvaluation(  # noqa: N802
        self, request: pb.GetEvaluationRequest, context: Any
    ) -> pb.GetEvaluationResponse:
        """Read one evaluation from the record."""
        caller = admit("GetEvaluation")
        key = evaluation_key(request.name)
        mask = known(request.read_mask, evaluation_pb2.Evaluation)
        row = await read(self.store, caller, key, self.clock, min_revision=request.min_revision)
        shown = await self.view(caller, row)
        return pb.GetEvaluationResponse(evaluation=masked(shown, mask))

    async def ListEvaluations(  # noqa: N802
        self, request: pb.ListEvaluationsRequest, context: Any
    ) -> pb.ListEvaluationsResponse:
        """List what the caller may see."""
        caller = admit("ListEvaluations")
        mask = known(request.read_mask, evaluation_pb2.Evaluation)
        rows, token = await list_evaluations(self.store, caller, request, self.clock)
        found = [masked(await self.view(caller, row), mask) for row in rows]
        return pb.ListEvaluationsResponse(evaluations=found, next_page_token=token)

    async def ExportEvaluations(  # noqa: N802
        self, request: watch_pb2.ExportEvaluationsRequest, context: Any
    ) -> AsyncIterator[watch_pb2.ExportEvaluationsResponse]:
        """Send every evaluation as it stood at one instant."""
        caller = admit("ExportEvaluations")
        async for part in export_evaluations(
            self.snapshots, caller, request, self.clock, self.glossary
        ):
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
        answer = explain(state, self.clock.now(), names)
        return spoken(answer, state.policy.languages)

    async def _watch(self, request: watch_pb2.WatchEvaluationsRequest, context: Any) -> None:
        """Send recorded changes as they happen.

        Through the context, because then no interceptor has to pass on each message by itself.
        """
        await self.watches.watch(admit("WatchEvaluations"), request, context)

    # grpc.aio takes a coroutine that writes through the context; its stubs know generators alone.
    WatchEvaluations: Any = _watch


EvaluationServicer: Any = servicer("EvaluationServicer", Evaluations, "EvaluationService")
"""Evaluations with one method for each command of the year, all of them alike."""
