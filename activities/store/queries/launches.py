"""The mark of a launch on its cycle."""

from datetime import datetime

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId

BEGIN = """
    UPDATE cycle SET launched_at = coalesce(launched_at, %s),
        state = CASE WHEN state = 'CREATED' THEN 'LAUNCHING' ELSE state END
    WHERE agency = %s AND cycle = %s
"""


async def begin(connection: Connection, agency: AgencyId, cycle: CycleId, *, at: datetime) -> None:
    """Note that evaluations are being started; the first time and a finished launch are kept."""
    await connection.execute(BEGIN, (at, agency, cycle))
