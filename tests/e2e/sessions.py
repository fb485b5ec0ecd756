"""Calibrations and panels that are there from the beginning, for tests that ask about them."""

from typing import Any

from siklus.activities.store.queries import calibration_votes
from siklus.activities.store.queries import calibrations as calibration_queries
from siklus.activities.store.queries import panels as panel_queries
from siklus.activities.store.queries.calibrations import CalibrationRow
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId
from tests.e2e.agency import Agency


async def has_calibration(of: Agency, calibration: str, unit: str = "dinas") -> None:
    """Have an open calibration of an id that a test knows, with what is said in one."""
    agency, cycle, now = AgencyId(of.id), CycleId(of.cycle_id), of.stack.clock.now()
    row = CalibrationRow(
        calibration=calibration,
        cycle=cycle,
        unit=unit,
        chair=PersonId("rina"),
        state=calibration_queries.OPEN,
        reason="Akhir tahun",
        opened_by=PersonId("tim"),
        opened_at=now,
    )
    said: dict[str, Any] = {"reason": "Nota 12", "by": "tim", "at": now}
    key = EvaluationKey(agency=agency, cycle=cycle, person=PersonId("siti"))
    async with of.stack.store.agency(agency) as connection:
        await calibration_queries.add(connection, agency, row)
        await calibration_queries.say(connection, agency, cycle, unit, "KURANG", **said)
        await calibration_queries.propose(
            connection, key, calibration, before=None, revision=1, proposed="BAIK", **said
        )
        await calibration_votes.vote(
            connection, agency, calibration, 1, agreed=True, by=PersonId("rina"), at=now, said="Ya"
        )


async def has_panel(of: Agency, *members: str) -> None:
    """Have a panel appointed for the appeals of the whole agency."""
    agency, cycle, now = AgencyId(of.id), CycleId(of.cycle_id), of.stack.clock.now()
    async with of.stack.store.agency(agency) as connection:
        await panel_queries.appoint(
            connection, agency, cycle, "", members, reason="SK 12", by="tim", at=now
        )
