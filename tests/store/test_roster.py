"""The roster in the store: what an import writes, and the lines that are followed up from it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import days, lines, roster
from siklus.workflows.domain.calendar import DayOff
from siklus.workflows.domain.roster import Outcome, to_write
from siklus.workflows.domain.roster_people import PersonRow, plan_people
from siklus.workflows.domain.roster_units import Unit, UnitRow, plan_units
from siklus.workflows.domain.values import AgencyId, PersonId

AT = datetime(2026, 1, 1, tzinfo=UTC)


def nip(number: int) -> str:
    return f"19860926201505{1}{number:03}"


async def import_units(store: Store, agency: AgencyId, *rows: UnitRow) -> list[Outcome]:
    async with store.agency(agency) as connection, connection.transaction():
        await roster.lock(connection, agency)
        known = {unit.code: unit for unit in await roster.units(connection, agency)}
        people = await roster.directory(connection, agency, [row.approver for row in rows])
        drafts = plan_units(rows, known, people)
        await roster.put_units(connection, agency, to_write(drafts))
        return [draft.outcome for draft in drafts]


async def import_people(store: Store, agency: AgencyId, rows: Sequence[PersonRow]) -> list[Outcome]:
    async with store.agency(agency) as connection, connection.transaction():
        await roster.lock(connection, agency)
        keys = {key for row in rows for key in (row.nip, row.ref, row.person_id, row.supervisor)}
        known = await roster.directory(connection, agency, keys)
        units = {unit.code for unit in await roster.units(connection, agency)}
        drafts = plan_people(rows, known, units, lambda row: PersonId("made"))
        await roster.put_people(connection, agency, to_write(drafts))
        return [draft.outcome for draft in drafts]


def row(person: str, number: int, supervisor: str, **more: str) -> PersonRow:
    given = {"name": person.title(), "unit": "jkt", "person_id": person} | more
    return PersonRow(nip=nip(number), supervisor=supervisor, **given)


LINE = [
    row("siti", 1, "budi"),
    row("budi", 2, nip(3)),
    row("rina", 3, "R-9"),
    row("agus", 4, "TOP", ref="R-9"),
]


@pytest.fixture
async def staffed(store: Store, agency: AgencyId) -> AgencyId:
    """An office below a ministry, four people in one line."""
    units = [
        UnitRow(code="jkt", name="Kantor", parent="min", zone="Asia/Jakarta"),
        UnitRow(code="min", name="Kementerian", zone="Asia/Jakarta"),
    ]
    assert await import_units(store, agency, *units) == [Outcome.CREATED] * 2
    assert await import_people(store, agency, LINE) == [Outcome.CREATED] * 4
    return agency


async def deactivate(store: Store, agency: AgencyId, person: str) -> None:
    async with store.agency(agency) as connection:
        known = await roster.person(connection, agency, PersonId(person))
        assert known is not None
        left = known.model_copy(update={"active": False})
        await roster.put_people(connection, agency, [left])


async def test_an_import_is_read_back_and_safe_to_repeat(store: Store, staffed: AgencyId) -> None:
    changed = row("siti", 1, "budi", joined_on="2025-03-01", position="Analis", email="s@a.test")

    assert await import_people(store, staffed, LINE) == [Outcome.UNCHANGED] * 4
    assert await import_people(store, staffed, [changed]) == [Outcome.CHANGED]

    async with store.agency(staffed) as connection:
        siti = await roster.person(connection, staffed, PersonId("siti"))
        rina = await roster.person(connection, staffed, PersonId("rina"))
    assert siti is not None
    assert (siti.supervisor, siti.joined_on, siti.position) == ("budi", date(2025, 3, 1), "Analis")
    assert rina is not None
    assert (rina.supervisor, rina.top) == ("agus", False)


async def test_a_refused_row_is_not_written_and_stops_no_other(
    store: Store, staffed: AgencyId
) -> None:
    rows = [row("wayan", 5, "nobody"), row("dewi", 6, "budi"), row("eka", 7, "wayan")]

    outcomes = await import_people(store, staffed, rows)

    assert outcomes == [Outcome.REFUSED, Outcome.CREATED, Outcome.REFUSED]
    async with store.agency(staffed) as connection:
        found = await roster.people(connection, staffed, limit=50)
    assert [person.person for person in found] == ["agus", "budi", "dewi", "rina", "siti"]


async def test_a_contract_number_that_changed_finds_its_person_by_ref(
    store: Store, staffed: AgencyId
) -> None:
    renewed = PersonRow(nip=nip(8), name="Agus", unit="jkt", supervisor="TOP", ref="R-9")

    assert await import_people(store, staffed, [renewed]) == [Outcome.CHANGED]

    async with store.agency(staffed) as connection:
        agus = await roster.person(connection, staffed, PersonId("agus"))
    assert agus is not None
    assert agus.nip == nip(8)


async def test_people_by_page_unit_and_supervisor(store: Store, staffed: AgencyId) -> None:
    async with store.agency(staffed) as connection:
        first = await roster.people(connection, staffed, limit=3)
        rest = await roster.people(connection, staffed, after=first[-1].person, limit=3)
        below = await roster.people(connection, staffed, supervisor=PersonId("budi"), limit=9)
        elsewhere = await roster.people(connection, staffed, unit="min", limit=9)
        units = await roster.units(connection, staffed, after="jkt", limit=9)
        names = await roster.names(connection, staffed, [PersonId("siti"), PersonId("gone")])

    assert [person.person for person in (*first, *rest)] == ["agus", "budi", "rina", "siti"]
    assert [person.person for person in below] == ["siti"]
    assert elsewhere == []
    assert [unit.code for unit in units] == ["min"]
    assert names == {"siti": "Siti"}


async def test_lines_pass_over_those_who_left(store: Store, staffed: AgencyId) -> None:
    await deactivate(store, staffed, "rina")

    async with store.agency(staffed) as connection:
        siti = (await lines.lines(connection, staffed, [PersonId("siti")]))[PersonId("siti")]
        assert await lines.superior(connection, staffed, PersonId("budi")) == "agus"
        assert await lines.superior(connection, staffed, PersonId("agus")) is None
        assert await lines.superior(connection, staffed, PersonId("nobody")) is None

    assert siti == ["budi", "agus"]


async def test_a_line_that_loops_ends(store: Store, staffed: AgencyId) -> None:
    async with store.agency(staffed) as connection:
        await connection.execute(
            "UPDATE person SET supervisor = 'siti', top = false WHERE person = 'agus'"
        )
        found = await lines.lines(connection, staffed, [PersonId("siti")])
        directory = await roster.directory(connection, staffed, ["siti"])

    assert found[PersonId("siti")] == ["budi", "rina", "agus"]
    assert set(directory.by_id) == {"siti", "budi", "rina", "agus"}


async def test_approvers_are_inherited_and_those_who_left_passed_over(
    store: Store, staffed: AgencyId
) -> None:
    async with store.agency(staffed) as connection:
        assert await lines.approvers(connection, staffed, ["jkt", "min"]) == {}

        for code, approver in (("min", "agus"), ("jkt", "rina")):
            parent = "min" if code == "jkt" else None
            unit = Unit(code=code, name=code, parent=parent, zone="Asia/Jakarta")
            named = unit.model_copy(update={"approver": PersonId(approver)})
            await roster.put_units(connection, staffed, [named])
        own = await lines.approvers(connection, staffed, ["jkt", "min"])
        await deactivate(store, staffed, "rina")
        inherited = await lines.approvers(connection, staffed, ["jkt", "min"])

    assert own == {"jkt": "rina", "min": "agus"}
    assert inherited == {"jkt": "agus", "min": "agus"}


async def test_days_off_of_a_unit_and_of_the_whole_agency(store: Store, staffed: AgencyId) -> None:
    galungan, whole = DayOff(on=date(2026, 6, 17), name="Galungan"), date(2026, 3, 1)
    async with store.agency(staffed) as connection:
        await days.replace(connection, staffed, "jkt", 2026, [galungan])
        await days.replace(connection, staffed, "", 2026, [DayOff(on=whole, name="Hari jadi")])
        await days.replace(
            connection, staffed, "jkt", 2027, [DayOff(on=date(2027, 1, 5), name="x")]
        )
        both = await days.regional(connection, staffed, ["jkt", "min"], (2026, 2027))
        await days.replace(connection, staffed, "jkt", 2027, [])
        cleared = await days.regional(connection, staffed, ["jkt"], (2027,))

    assert [day.name for day in both["jkt"]] == ["Hari jadi", "Galungan", "x"]
    assert [day.name for day in both["min"]] == ["Hari jadi"]
    assert cleared == {"jkt": ()}
