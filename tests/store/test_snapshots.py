"""Long reads of one instant: what they see, how many there are, and when they end."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import exports
from siklus.activities.store.snapshots import (
    Snapshot,
    Snapshots,
    SnapshotTooOld,
    TooManySnapshots,
)
from siklus.workflows.domain.values import AgencyId
from tests.e2e.agency import eventually
from tests.store.case import Case


async def people(snapshot: Snapshot) -> list[str]:
    async with snapshot.reading() as connection:
        query = "SELECT person FROM evaluation ORDER BY person"
        return [who for (who,) in await (await connection.execute(query)).fetchall()]


async def reading(
    snapshots: Snapshots, agency: AgencyId, caller: str
) -> AsyncGenerator[list[str], None]:
    """Read again and again, as a stream does."""
    async with snapshots.of(agency, caller) as snapshot:
        while True:
            yield await people(snapshot)


async def test_everything_is_of_the_instant_of_the_first_look(
    store: Store, projector: Projector, case: Case
) -> None:
    agency = case.key.agency
    await projector.project(case.projection())
    await projector.project(Case(AgencyId(f"{agency}-other"), "agus").projection())

    async with aclosing(reading(Snapshots(store), agency, "tim")) as looks:
        assert await anext(looks) == ["siti"]
        await projector.project(Case(agency, "wayan").projection())
        assert await anext(looks) == ["siti"]
    async with aclosing(reading(Snapshots(store), agency, "tim")) as looks:
        assert await anext(looks) == ["siti", "wayan"]


async def test_a_page_after_the_other_gives_every_row_once_in_order(
    store: Store, projector: Projector, agency: AgencyId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    for who, unit in (("siti", "u"), ("ayu", "u"), ("wayan", "v"), ("budi", "u"), ("yos", "v")):
        projection = Case(agency, who).projection()
        await projector.project(projection.model_copy(update={"unit": unit}))

    async def exported(**wanted: str) -> list[str]:
        async with (
            Snapshots(store).of(agency, "tim") as snapshot,
            snapshot.reading() as connection,
        ):
            rows = await exports.begin(
                connection, agency, cycle=wanted.get("cycle"), unit=wanted.get("unit")
            )
            found, page = list[str](), await rows.next()
            while page:
                found += [row.document for row in page]
                page = await rows.next()
        return [document.partition('"person":"')[2].partition('"')[0] for document in found]

    assert await exported() == ["ayu", "budi", "siti", "wayan", "yos"]
    assert await exported(unit="v", cycle="2026") == ["wayan", "yos"]
    assert await exported(cycle="2025") == []


async def test_it_changes_nothing(store: Store, agency: AgencyId) -> None:
    async with Snapshots(store).of(agency, "tim") as snapshot:
        # As after a failover, when a server that does not write answers.
        with pytest.raises(StoreUnavailable):
            async with snapshot.reading() as connection:
                await connection.execute("DELETE FROM unit")


async def test_two_at_once_for_a_caller_and_so_many_for_all(store: Store, agency: AgencyId) -> None:
    snapshots = Snapshots(store, at_once=3)
    one, two, three = (reading(snapshots, agency, who) for who in ("tim", "tim", "rina"))
    for each in (one, two, three):
        await anext(each)

    for caller in ("tim", "wayan"):
        with pytest.raises(TooManySnapshots):
            await anext(reading(snapshots, agency, caller))
    await two.aclose()
    again = reading(snapshots, agency, "tim")
    assert await anext(again) == []
    for each in (one, three, again):
        await each.aclose()


async def test_one_agency_leaves_room_for_the_others(store: Store, agency: AgencyId) -> None:
    snapshots = Snapshots(store, at_once=3, per_agency=2)
    other = AgencyId(f"{agency}-other")
    mine = [reading(snapshots, agency, who) for who in ("tim", "rina")]
    for each in mine:
        await anext(each)

    with pytest.raises(TooManySnapshots):
        await anext(reading(snapshots, agency, "wayan"))
    theirs = reading(snapshots, other, "wayan")
    assert await anext(theirs) == []
    for each in (*mine, theirs):
        await each.aclose()


async def test_a_reader_who_never_comes_back_keeps_no_snapshot(
    store: Store, agency: AgencyId
) -> None:
    async with Snapshots(store, lasting=0.05).of(agency, "tim") as snapshot:
        assert await people(snapshot) == []

        async def closed() -> bool:
            return snapshot.connection.closed

        await eventually(closed)
        with pytest.raises(SnapshotTooOld):
            await people(snapshot)


async def test_a_snapshot_ends_after_the_step_that_is_under_way(
    store: Store, agency: AgencyId
) -> None:
    async with Snapshots(store, lasting=0.05).of(agency, "tim") as snapshot:
        async with snapshot.reading() as connection:
            await connection.execute("SELECT pg_sleep(0.2)")

        with pytest.raises(SnapshotTooOld):
            await people(snapshot)
        assert snapshot.connection.closed
