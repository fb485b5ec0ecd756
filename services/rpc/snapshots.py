"""What a caller is told when a long read cannot begin, or cannot go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from siklus.activities.store.snapshots import Snapshot, Snapshots, SnapshotTooOld, TooManySnapshots
from siklus.services.auth.caller import Caller
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

TRY_AGAIN_SECONDS = 10.0


@asynccontextmanager
async def snapshot_for(snapshots: Snapshots, caller: Caller) -> AsyncIterator[Snapshot]:
    """Open a snapshot of the caller's agency.

    Raises RATE_LIMITED when too many are open, DEADLINE_EXCEEDED when the reader took too long.
    """
    try:
        async with snapshots.of(caller.agency, caller.subject) as snapshot:
            try:
                yield snapshot
            except SnapshotTooOld:
                raise _too_slow(snapshot.lasting) from None
    except TooManySnapshots:
        raise ServiceRefusal(
            ServiceReason.RATE_LIMITED,
            "too many exports are under way; wait until one has ended",
            retry_after=TRY_AGAIN_SECONDS,
        ) from None


def _too_slow(lasting: float) -> ServiceRefusal:
    return ServiceRefusal(
        ServiceReason.DEADLINE_EXCEEDED,
        f"the export was not read within {lasting / 60:g} minutes; begin again and read faster",
        details={"limit_seconds": f"{lasting:g}"},
    )
