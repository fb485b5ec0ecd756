"""A cycle's results as a file, written while they are read: beside the event loop, and in parts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Final, ParamSpec, TypeVar

from siklus.activities.store.queries import cycles, policies, results
from siklus.activities.store.snapshots import Snapshot, Snapshots
from siklus.services.auth.caller import Caller
from siklus.services.cells import Cell
from siklus.services.results.columns import COLUMNS, row_of
from siklus.services.results.files import MOST_SHEET_ROWS, CsvTable, Table, XlsxTable
from siklus.services.rpc.names import cycle_id
from siklus.services.rpc.reading import sees_undelivered
from siklus.services.rpc.snapshots import snapshot_for
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import document_service_pb2 as pb
from siklus.workflows.domain.labels import Labels
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.domain.values import AgencyId, CycleId, Role

P = ParamSpec("P")
T = TypeVar("T")
NOBODY_YET: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The date of a workbook without rows."""


async def export_results(
    snapshots: Snapshots, caller: Caller, request: pb.ExportResultsRequest
) -> AsyncIterator[pb.ExportResultsResponse]:
    """Yield the file in parts; the last one counts all evaluations.

    Raises NOT_FOUND, and LIMIT_REACHED for more rows than a workbook holds.
    """
    async with snapshot_for(snapshots, caller) as snapshot:
        cycle = cycle_id(request.name)
        labels, total, dated = await _opened(snapshot, caller.agency, cycle)
        nip_open = caller.has(Role.AGENCY_ADMIN)
        workbook = request.format == pb.RESULTS_FORMAT_XLSX
        if workbook and total > MOST_SHEET_ROWS:
            raise ServiceRefusal(
                ServiceReason.LIMIT_REACHED,
                f"a workbook holds {MOST_SHEET_ROWS:,} rows, these are {total:,}; take CSV",
                details={"limit": str(MOST_SHEET_ROWS)},
            )
        table: Table = XlsxTable(COLUMNS, dated=dated) if workbook else CsvTable(COLUMNS)
        with closing(table):
            written = 0
            async with snapshot.reading() as connection:
                rows = await results.begin(connection, caller.agency, cycle)
            while True:
                async with snapshot.reading():
                    page = await rows.next()
                if not page:
                    break
                written += len(page)
                cells = partial(
                    row_of,
                    labels=labels,
                    nip_open=nip_open,
                    sees_undelivered=partial(sees_undelivered, caller),
                )
                chunk = await _beside(_added, table, page, cells)
                yield pb.ExportResultsResponse(
                    chunk=chunk, evaluations=written, evaluations_total=total
                )
            rest = table.finish()
            while (last := await _beside(_next, rest)) is not None:
                yield pb.ExportResultsResponse(
                    chunk=last, evaluations=written, evaluations_total=total
                )


async def _beside(work: Callable[P, T], *args: P.args, **given: P.kwargs) -> T:
    """Do it on a thread, and end with it: a call that is broken off closes no table in use."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *args, **given))
    try:
        return await asyncio.shield(working)
    finally:
        await asyncio.wait([working])


def _added(
    table: Table, page: list[results.ResultRow], cells: Callable[[results.ResultRow], list[Cell]]
) -> bytes:
    return table.add(map(cells, page))


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


async def _opened(
    snapshot: Snapshot, agency: AgencyId, cycle: CycleId
) -> tuple[Labels, int, datetime]:
    """Return what the cycle's policy calls things, how many rows come, and the newest's date."""
    async with snapshot.reading() as connection:
        found = await cycles.get(connection, agency, cycle)
        if found is None:
            raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such cycle")
        policy = await policies.get(connection, agency, found.policy, found.policy_version)
        total, newest = await results.size(connection, agency, cycle)
    words = words_of(found.policy, policy.source if policy else "")
    return words.labels, total, newest or NOBODY_YET
