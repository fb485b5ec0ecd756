"""Cycles and their units as the record has them, for every method that speaks of one."""

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import cycles, roster
from siklus.activities.store.queries.cycles import CycleRow
from siklus.services.rpc import cycle_views, names
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import cycle_service_pb2 as pb
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.values import AgencyId, CycleId


async def found(connection: Connection, agency: AgencyId, name: str) -> CycleRow:
    """Return the cycle of that name; raises NOT_FOUND."""
    row = await cycles.get(connection, agency, names.cycle_id(name))
    if row is None:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND, "there is no such cycle", details={"name": name}
        )
    return row


async def cycle_of(connection: Connection, agency: AgencyId, cycle: CycleId) -> CycleRow:
    """Return the cycle of that id; raises NOT_FOUND."""
    return await found(connection, agency, names.cycle_name(agency, cycle))


async def must_be_a_unit(connection: Connection, agency: AgencyId, unit: str) -> None:
    """Refuse a code that no unit of the agency has."""
    if unit not in {each.code for each in await roster.units(connection, agency)}:
        raise invalid("unit", "is no unit of the agency")


async def shown(connection: Connection, agency: AgencyId, row: CycleRow) -> pb.Cycle:
    """Return a cycle with its progress."""
    return cycle_views.cycle(agency, row, await cycles.progress(connection, agency, row.cycle))
