"""What must hold before something is said in a calibration."""

from collections.abc import Sequence
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import calibrations as queries
from siklus.activities.store.queries.calibrations import CalibrationRow, ProposalRow
from siklus.services.auth.caller import Caller
from siklus.services.rpc.names import calibration_id
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId, Role

MOST: Final = 500
"""Proposals of one calibration."""


def must_have_room(proposals: Sequence[ProposalRow]) -> None:
    """Refuse one more proposal than a session takes."""
    if len(proposals) >= MOST:
        raise ServiceRefusal(
            ServiceReason.LIMIT_REACHED,
            f"a calibration has at most {MOST} proposals",
            details={"limit": str(MOST)},
        )


def must_have_part(caller: Caller, row: CalibrationRow, *roles: Role, members: bool = True) -> None:
    """Refuse whoever neither leads the session, nor has one of the roles, nor is of its panel.

    Without `members` the panel does not count.
    """
    people = {row.chair, *(row.members if members else ())}
    if caller.person not in people and not caller.has(*roles):
        message = "this calibration is led by others; ask its chair or the agency's team"
        raise Refusal(Reason.NOT_A_PARTICIPANT, message)


async def found(connection: Connection, agency: AgencyId, name: str) -> CalibrationRow:
    """Return the session of that name; raises NOT_FOUND."""
    cycle, calibration = calibration_id(name)
    row = await queries.get(connection, agency, cycle, calibration)
    if row is None:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND, "there is no such calibration", details={"name": name}
        )
    return row
