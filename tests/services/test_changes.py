"""Which rows of the feed a watcher is shown."""

from dataclasses import replace
from datetime import UTC, datetime

from siklus.activities.store.queries.feed import FeedRow
from siklus.services.rpc.changes import Wanted
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

AT = datetime(2027, 1, 6, tzinfo=UTC)
WARNED = FeedRow(
    position=1,
    agency=AgencyId("kota"),
    cycle=CycleId("2026"),
    person=PersonId("siti"),
    segment=1,
    number=9,
    hash="",
    kind="distribution_warned",
    occurred_at=AT,
    recorded_at=AT,
    actor="system",
    stage="CALIBRATION",
    unit="u",
    supervisor="budi",
    participants=["siti", "budi"],
    superseded=False,
)


def shown(row: FeedRow, reader: str) -> bool:
    who = PersonId(reader)
    return Wanted(who, "", "", "", "", frozenset(), reader=who).shows(row)


def test_a_warning_about_a_rating_in_calibration_is_not_for_its_employee() -> None:
    assert not shown(WARNED, "siti")
    assert shown(WARNED, "budi")
    assert shown(replace(WARNED, kind="rated"), "siti")
    assert shown(replace(WARNED, stage="DELIVERY"), "siti")
