"""Every evaluation as it stood at one instant, for data platforms, and from where to watch on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from siklus.activities.store.queries import exports, feed
from siklus.activities.store.snapshots import Snapshot, Snapshots
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.glossary import Glossary
from siklus.services.rpc import views
from siklus.services.rpc.reading import sees_undelivered
from siklus.services.rpc.resume import Resume
from siklus.services.rpc.snapshots import snapshot_for
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import watch_pb2

PART_EVALUATIONS: Final = 200
PART_BYTES: Final = 1_000_000
"""Clients take messages of 4 MiB unasked."""
CONVERTED_AT_ONCE: Final = 20
"""Some milliseconds of work, after which whoever waits has a turn."""


async def export_evaluations(
    snapshots: Snapshots,
    caller: Caller,
    request: watch_pb2.ExportEvaluationsRequest,
    clock: Clock,
    glossary: Glossary,
) -> AsyncIterator[watch_pb2.ExportEvaluationsResponse]:
    """Yield all parts; the last one, which may be empty, has the token.

    The token's place is the end of the feed as the same snapshot sees it. Whatever is recorded but
    has no place yet is in the rows and comes again in the watch; nothing is in neither.
    """
    async with snapshot_for(snapshots, caller) as snapshot:
        async with snapshot.reading() as connection:
            place = await feed.head(connection)
            now = clock.now()
            rows = await exports.begin(
                connection, caller.agency, cycle=request.cycle or None, unit=request.unit or None
            )
        parts = _Parts(now)
        async for evaluation in _evaluations(caller, snapshot, rows, now, glossary):
            full = parts.add(evaluation)
            if full is not None:
                yield full
        last = parts.rest()
        last.resume_token = _token(caller, request, place)
        yield last


async def _evaluations(
    caller: Caller, snapshot: Snapshot, rows: exports.Listed, now: datetime, glossary: Glossary
) -> AsyncIterator[pb.Evaluation]:
    while True:
        async with snapshot.reading():
            page = await rows.next()
        if not page:
            return
        for number, row in enumerate(page):
            if number % CONVERTED_AT_ONCE == 0:
                await asyncio.sleep(0)
            yield views.evaluation(
                row.document,
                updated_at=row.updated_at,
                now=now,
                withhold=not sees_undelivered(caller, row.person),
                words=await glossary.of(row.document),
            )


class _Parts:
    """Gathers evaluations into parts of a size that every client takes."""

    def __init__(self, now: datetime) -> None:
        self._snapshot_at = views.to_timestamp(now)
        self._exported = 0
        self._gathered: list[pb.Evaluation] = []
        self._size = 0

    def add(self, evaluation: pb.Evaluation) -> watch_pb2.ExportEvaluationsResponse | None:
        """Add one; return a part when it had no place in it any more."""
        size = evaluation.ByteSize()
        full = len(self._gathered) == PART_EVALUATIONS or self._size + size > PART_BYTES
        part = self.rest() if full and self._gathered else None
        self._gathered.append(evaluation)
        self._size += size
        return part

    def rest(self) -> watch_pb2.ExportEvaluationsResponse:
        """Return what was gathered, and begin a new part."""
        self._exported += len(self._gathered)
        part = watch_pb2.ExportEvaluationsResponse(
            evaluations=self._gathered, exported=self._exported, snapshot_at=self._snapshot_at
        )
        self._gathered, self._size = [], 0
        return part


def _token(caller: Caller, request: watch_pb2.ExportEvaluationsRequest, place: int) -> str:
    """Return the token with which the same caller watches on, with the same filters."""
    watch = watch_pb2.WatchEvaluationsRequest(
        parent=request.parent, cycle=request.cycle, unit=request.unit
    )
    return Resume(watch, caller).token(place)
