"""The release of a unit's ratings at the end of its calibration: one operation, each on its own."""

from siklus.activities import undertaking
from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.calibrations import CalibrationRow
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
    entered = await undertaking.enter(
        connection,
        agency,
        COMMAND,
        command.model_dump_json(exclude={"prose"}),
        reason=said,
        at=at,
        cycle=row.cycle,
        selection=waiting.model_dump_json(),
    )
    return entered.operation
