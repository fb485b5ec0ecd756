"""RosterImportService: whole rosters, message by message."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

from siklus.activities.store.pool import Store
from siklus.services.clock import Clock
from siklus.services.importing.limits import IDLE_SECONDS, TOTAL_SECONDS, Places
from siklus.services.importing.run import Import, counts
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.gate import admit
from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_import_service_pb2_grpc
from siklus.workflows.domain.errors import invalid

PROGRESS_SECONDS: Final = 0.5
"""How often is told how far an import is."""


class RosterImport(roster_import_service_pb2_grpc.RosterImportServiceServicer):
    """Imports the roster of the caller's agency."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._places = Places()

    async def ImportRoster(  # noqa: N802
        self, requests: AsyncIterator[pb.ImportRosterRequest], context: Context
    ) -> AsyncIterator[pb.ImportRosterResponse]:
        """Take all rows, decide about them at once, and tell of each what became of it.

        A client that goes away before the end of its side changes nothing; one that goes away
        after it may find everything done, or nothing.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        until = loop.time() + TOTAL_SECONDS
        first = await _next(requests, until)
        agency = admit("ImportRoster").agency
        if first is None:
            raise invalid("parent", "send at least one message, which names the agency")
        trial = first.validate_only
        with self._places.place(agency):
            # Also of a client that reads no answers, for which nothing here waits.
            end = loop.call_at(until, task.cancel) if task else None
            try:
                async with Import.opened(
                    self._store, agency, self._clock, validate_only=trial
                ) as importing:
                    # Who waits for this before sending more is told of a refusal for certain.
                    yield _progress(importing)
                    request: pb.ImportRosterRequest | None = first
                    while request is not None:
                        await importing.take(request)
                        request = await _next(requests, until)
                    async for progress in _decided(importing, until):
                        yield progress
                    async for answer in _told(importing, written=not trial):
                        yield answer
            finally:
                if end is not None:
                    end.cancel()


async def _next(
    requests: AsyncIterator[pb.ImportRosterRequest], until: float
) -> pb.ImportRosterRequest | None:
    """Return the next message, None at the end; raises TimeoutError."""
    idle = asyncio.get_running_loop().time() + IDLE_SECONDS
    async with asyncio.timeout_at(min(until, idle)):
        return await anext(requests, None)


async def _decided(importing: Import, until: float) -> AsyncIterator[pb.ImportRosterResponse]:
    """Tell how far it is until all is decided, whether or not anybody listens."""
    loop = asyncio.get_running_loop()
    deciding = asyncio.create_task(importing.decide())
    try:
        while not (await asyncio.wait({deciding}, timeout=PROGRESS_SECONDS))[0]:
            if loop.time() > until:
                raise TimeoutError
            yield _progress(importing)
        await deciding
    finally:
        if not deciding.done():
            deciding.cancel()
            await asyncio.wait({deciding})


def _progress(importing: Import) -> pb.ImportRosterResponse:
    done, total = importing.steps_done, importing.steps_total
    return pb.ImportRosterResponse(progress=pb.ImportProgress(steps_done=done, steps_total=total))


async def _told(importing: Import, *, written: bool) -> AsyncIterator[pb.ImportRosterResponse]:
    """Tell what became of every row, and then what that comes to."""
    met = Counter[tuple[int, int]]()
    async for rows in importing.results():
        met.update((each.kind, each.result.outcome) for each in rows)
        yield pb.ImportRosterResponse(rows=pb.ImportedRows(rows=rows))
    units, people = (
        counts({outcome: rows for (of, outcome), rows in met.items() if of == kind})
        for kind in (pb.ROSTER_KIND_UNIT, pb.ROSTER_KIND_PERSON)
    )
    yield pb.ImportRosterResponse(
        totals=pb.ImportTotals(written=written, units=units, people=people)
    )
