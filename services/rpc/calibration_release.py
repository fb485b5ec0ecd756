"""The release of a unit's ratings at the end of its calibration: one operation, each on its own."""

import secrets

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import operations
from siklus.activities.store.queries.calibrations import CalibrationRow
from siklus.activities.store.queries.operations import OperationRow, State
from siklus.activities.store.queries.selection import Selection
from siklus.workflows.domain.commands import ReleaseRating
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId, Instant

COMMAND = "release_rating"


async def enter(
    connection: Connection, agency: AgencyId, row: CalibrationRow, *, said: str, at: Instant
) -> str:
    """Enter the operation in the transaction of the close, and return its id.

    It is the system's: the chair need be no member of the team, and of the own rating nothing is
    decided by letting it go on. Whoever is rated afterwards is not on its list.
    """
    waiting = Selection(cycle=row.cycle, unit=row.unit, stages=(Stage.CALIBRATION,))
    command = ReleaseRating(calibration=row.calibration)
    entered = OperationRow(
        operation=f"op-{secrets.token_hex(8)}",
        cycle=row.cycle,
        command=COMMAND,
        body=command.model_dump_json(exclude={"prose"}),
        selection=waiting.model_dump_json(),
        asked=b"",
        reason=said,
        state=State.PREPARING,
        pace=0,
        total=0,
        created_by=None,
        created_at=at,
    )
    await operations.add(connection, agency, entered)
    return entered.operation
