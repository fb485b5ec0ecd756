"""Cycles by their names, as the record has them, for every method that speaks of one."""

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import cycles
from siklus.activities.store.queries.cycles import CycleRow
from siklus.services.rpc import cycle_views, names
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import cycle_service_pb2 as pb
from siklus.workflows.domain.values import AgencyId


async def found(connection: Connection, agency: AgencyId, name: str) -> CycleRow:
    """Return the cycle of that name; raises NOT_FOUND."""
    row = await cycles.get(connection, agency, names.cycle_id(name))
    if row is None:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND, "there is no such cycle", details={"name": name}
        )
    return row


async def shown(connection: Connection, agency: AgencyId, row: CycleRow) -> pb.Cycle:
    """Return a cycle with its progress."""
    return cycle_views.cycle(agency, row, await cycles.progress(connection, agency, row.cycle))
