"""One cycle as an audit file, written while it is sent: nothing holds all of it at once."""

from collections.abc import AsyncIterator, Iterator
from itertools import groupby
from typing import Final

from siklus.activities.store.queries import audit as queries
from siklus.activities.store.snapshots import Snapshot, Snapshots
from siklus.services.auth.caller import Caller
from siklus.services.auth.checkpoints import CheckpointKeys
from siklus.services.clock import Clock
from siklus.services.rpc.names import cycle_id
from siklus.services.rpc.snapshots import snapshot_for
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import audit_service_pb2 as pb
from siklus.workflows.domain.audit_file import AuditWriter, Scope
from siklus.workflows.domain.values import AgencyId, CycleId

CHUNK_BYTES: Final = 128 * 1024
EVENTS_AT_ONCE: Final = 300
"""Read together, or one evaluation's, if it has more."""


async def export_audit(
    snapshots: Snapshots,
    keys: CheckpointKeys,
    caller: Caller,
    request: pb.ExportAuditRequest,
    clock: Clock,
) -> AsyncIterator[pb.ExportAuditResponse]:
    """Yield the file in parts, as the record stood at one instant."""
    async with snapshot_for(snapshots, caller) as snapshot:
        file = _File(snapshot, caller.agency, cycle_id(request.name), clock)
        pending = bytearray()
        async for lines in file.parts(keys):
            pending += lines
            while len(pending) >= CHUNK_BYTES:
                yield file.response(bytes(pending[:CHUNK_BYTES]))
                del pending[:CHUNK_BYTES]
        yield file.response(bytes(pending))


class _File:
    """The file of one cycle, as it is read from a snapshot."""

    def __init__(self, snapshot: Snapshot, agency: AgencyId, cycle: CycleId, clock: Clock) -> None:
        self._snapshot = snapshot
        self._of = (agency, cycle)
        self._clock = clock
        self._written = 0
        self._total = 0

    def response(self, chunk: bytes) -> pb.ExportAuditResponse:
        """Return a part with how far we are."""
        return pb.ExportAuditResponse(
            chunk=chunk, evaluations=self._written, evaluations_total=self._total
        )

    async def parts(self, keys: CheckpointKeys) -> AsyncIterator[bytes]:
        """Yield all lines, many at a time."""
        writer = AuditWriter(await self._scope())
        yield writer.header()
        async for lines in self._evaluations(writer):
            yield lines
        async with self._snapshot.reading() as connection:
            gone = await queries.superseded(connection, *self._of)
        while True:
            async with self._snapshot.reading():
                page = await gone.next()
            if not page:
                break
            yield b"".join(writer.superseded(each) for each in page)
        async with self._snapshot.reading() as connection:
            erasures = await queries.erasures(connection, *self._of)
            used = await queries.mandates(connection, *self._of)
        yield b"".join(writer.erasure(each) for each in erasures)
        while True:
            async with self._snapshot.reading():
                mandates = await used.next()
            if not mandates:
                break
            yield b"".join(writer.mandate(each) for each in mandates)
        yield writer.checkpoint(keys.sign(writer.claims()))

    async def _scope(self) -> Scope:
        async with self._snapshot.reading() as connection:
            if not await queries.cycle_exists(connection, *self._of):
                raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such cycle")
            exported_at = self._clock.now()
            counts = await queries.counts(connection, *self._of)
            policies, calendars = await queries.pinned(connection, *self._of)
        self._total = counts.evaluations
        agency, cycle = self._of
        return Scope(
            agency=agency,
            cycle=cycle,
            exported_at=exported_at,
            evaluations=counts.evaluations,
            events=counts.events,
            superseded=counts.superseded,
            erasures=counts.erasures,
            mandates=counts.mandates,
            policies=policies,
            calendars=calendars,
        )

    async def _evaluations(self, writer: AuditWriter) -> AsyncIterator[bytes]:
        async with self._snapshot.reading() as connection:
            chains = await queries.chains(connection, *self._of)
        while True:
            async with self._snapshot.reading():
                page = await chains.next()
            if not page:
                return
            for some in _batches(page):
                async with self._snapshot.reading() as connection:
                    found = await queries.events(connection, *self._of, some)
                self._written += len(some)
                yield b"".join(
                    line
                    for (person, segment), rows in groupby(found, key=lambda row: row[:2])
                    for line in writer.evaluation(person, segment, [event for *_, event in rows])
                )


def _batches(page: list[queries.Chain]) -> Iterator[list[queries.Chain]]:
    """Yield the evaluations in groups that are read together."""
    some: list[queries.Chain] = []
    for chain in page:
        some.append(chain)
        if sum(each.events for each in some) >= EVENTS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some
