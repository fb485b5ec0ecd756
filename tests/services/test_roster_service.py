"""Rosters through the server: imports row by row, who may look, and what is never shown."""

from datetime import date, timedelta
from typing import Any

import grpc
import pytest

from siklus.activities.store.pool import Store
from siklus.v1 import roster_service_pb2 as pb
from siklus.workflows.domain.values import AgencyId
from tests.services.desk import NIPS, Desk, Refused, person, refused, unit

CREATED, CHANGED, UNCHANGED, REFUSED = (
    pb.ROW_OUTCOME_CREATED,
    pb.ROW_OUTCOME_CHANGED,
    pb.ROW_OUTCOME_UNCHANGED,
    pb.ROW_OUTCOME_REFUSED,
)


def outcomes(results: list[Any]) -> list[int]:
    return [result.outcome for result in results]


def problems(results: list[Any]) -> list[list[tuple[str, str]]]:
    return [[(each.field, each.code) for each in result.problems] for result in results]


async def list_people(desk: Desk, caller: Any = None, **fields: Any) -> Any:
    request = pb.ListPeopleRequest(parent=desk.parent, **fields)
    return await desk.roster.ListPeople(request, **(caller or desk.admin))


async def get_person(desk: Desk, who: str, caller: Any = None) -> Any:
    request = pb.GetPersonRequest(name=f"{desk.parent}/people/{who}")
    return (await desk.roster.GetPerson(request, **(caller or desk.admin))).person


async def list_units(desk: Desk, **fields: Any) -> Any:
    request = pb.ListUnitsRequest(parent=desk.parent, **fields)
    return await desk.roster.ListUnits(request, **desk.admin)


async def test_an_import_is_safe_to_repeat(desk: Desk) -> None:
    rows = [unit("kota", parent="pusat", weekdays=[6, 1, 2]), unit("pusat")]

    assert outcomes(await desk.units(*rows)) == [CREATED, CREATED]
    assert outcomes(await desk.units(*rows)) == [UNCHANGED, UNCHANGED]
    rows[0]["name"] = "Kota Palu"
    assert outcomes(await desk.units(*rows)) == [CHANGED, UNCHANGED]

    units = (await list_units(desk)).units
    assert [(each.code, each.parent_unit, each.display_name) for each in units] == [
        ("kota", "pusat", "Kota Palu"),
        ("pusat", "", "Pusat"),
    ]
    assert units[0].name == f"{desk.parent}/units/kota"
    assert [list(each.weekdays) for each in units] == [[1, 2, 6], [1, 2, 3, 4, 5]]


async def test_an_agency_is_known_from_its_first_import(desk: Desk, store: Store) -> None:
    await desk.units(unit("pusat"))
    await desk.units(unit("pusat"))

    async with store.agency(AgencyId(desk.agency)) as connection:
        rows = await (await connection.execute("SELECT agency, name FROM agency")).fetchall()
    assert rows == [(desk.agency, desk.agency)]


async def test_one_bad_unit_never_stops_the_rest(desk: Desk) -> None:
    results = await desk.units(
        unit("a", zone="WIB"), unit("b", parent="a"), unit("c", weekdays=[9]), unit("d")
    )

    assert outcomes(results) == [REFUSED, REFUSED, REFUSED, CREATED]
    assert problems(results) == [
        [("zone", "UNKNOWN_ZONE")],
        [("parent", "ROW_REFUSED")],
        [("weekdays", "INVALID_WEEKDAY")],
        [],
    ]
    assert [each.code for each in (await list_units(desk)).units] == ["d"]


async def test_a_unit_names_its_approver_by_any_key(desk: Desk) -> None:
    await desk.staffed()

    (result,) = await desk.units(unit("pusat", approver=NIPS[0]))

    assert result.outcome == CHANGED
    assert (await list_units(desk)).units[0].approver == "kepala"


async def test_people_stand_under_each_other_in_any_order(desk: Desk) -> None:
    await desk.units(unit("pusat"))
    rows = [
        person(NIPS[0], NIPS[1], email="siti@kota.go.id", language="en", joined_on="2024-02-29"),
        person(NIPS[1], "TOP", person_id="kepala", ref="R-1", position="Kepala"),
        person(NIPS[2], "R-1"),
    ]

    results = await desk.people(*rows)

    assert outcomes(results) == [CREATED] * 3
    siti = await get_person(desk, results[0].id)
    assert (siti.supervisor, siti.top, siti.joined_on) == ("kepala", False, "2024-02-29")
    assert (siti.email, siti.language, siti.active) == ("siti@kota.go.id", 2, True)
    boss = await get_person(desk, "kepala")
    assert (boss.supervisor, boss.top, boss.ref, boss.position) == ("", True, "R-1", "Kepala")
    assert outcomes(await desk.people(*rows)) == [UNCHANGED] * 3


async def test_ids_that_siklus_makes_say_nothing(desk: Desk) -> None:
    await desk.units(unit("pusat"))

    first, second = await desk.people(person(NIPS[0]), person(NIPS[1]))

    assert first.id != second.id
    assert len(first.id) == len("p-") + 20
    assert NIPS[0] not in first.id


async def test_one_bad_person_never_stops_the_rest(desk: Desk) -> None:
    await desk.units(unit("pusat"))
    rows = [
        person("198602302015051001"),
        person(NIPS[1], NIPS[2]),
        person(NIPS[2], unit="cabang"),
        person(NIPS[3], "", email="x", joined_on="2026-13-01"),
        person(NIPS[4], name="a\x00b", ref="a\x00b", person_id="\x00"),
        person(NIPS[5], NIPS[5]),
        person(NIPS[6]),
    ]

    results = await desk.people(*rows)

    assert problems(results) == [
        [("nip", "NO_SUCH_BIRTH_DATE")],
        [("supervisor", "ROW_REFUSED")],
        [("unit", "UNKNOWN_UNIT")],
        [("supervisor", "MISSING"), ("email", "INVALID_EMAIL"), ("joined_on", "INVALID_DATE")],
        [("ref", "INVALID_TEXT"), ("person_id", "INVALID_ID"), ("name", "INVALID_TEXT")],
        [("supervisor", "SUPERVISOR_LOOP")],
        [],
    ]
    assert outcomes(results) == [REFUSED] * 6 + [CREATED]
    assert len((await list_people(desk)).people) == 1
    assert not any(nip in str(results) for nip in NIPS)


async def test_a_trial_tells_the_same_and_keeps_nothing(desk: Desk) -> None:
    await desk.units(unit("pusat"), unit("lain"), validate_only=True)
    assert not (await list_units(desk)).units
    await desk.units(unit("pusat"))

    results = await desk.people(
        person(NIPS[0]), person(NIPS[1], person_id="p-1"), person("1"), validate_only=True
    )

    assert outcomes(results) == [CREATED, CREATED, REFUSED]
    assert [result.id for result in results] == ["", "p-1", ""]
    assert not (await list_people(desk)).people


async def test_a_number_changes_with_the_ref_and_the_id_stays(desk: Desk) -> None:
    await desk.units(unit("pusat"))
    (before,) = await desk.people(person(NIPS[0], ref="R-1"))

    (after,) = await desk.people(person(NIPS[1], ref="R-1"))

    assert (after.outcome, after.id) == (CHANGED, before.id)
    assert (await get_person(desk, before.id)).nip == NIPS[1]


async def test_an_id_of_somebody_else_is_refused(desk: Desk) -> None:
    await desk.staffed()

    results = await desk.people(person(NIPS[5], person_id="siti"), person(NIPS[2], "kepala"))

    assert problems(results) == [[("person_id", "ANOTHER_PERSON")], []]
    assert (await get_person(desk, "siti")).nip == NIPS[2]


async def test_a_line_never_becomes_a_ring(desk: Desk) -> None:
    await desk.staffed()

    (result,) = await desk.people(person(NIPS[0], "siti", person_id="kepala"))

    assert problems([result]) == [[("supervisor", "SUPERVISOR_LOOP")]]


async def test_only_an_admin_and_the_person_see_the_whole_nip(desk: Desk) -> None:
    await desk.staffed()
    auditor = desk.who("auditor", "auditor")

    assert (await get_person(desk, "siti", desk.who("siti", "employee"))).nip == NIPS[2]
    assert (await get_person(desk, "siti")).nip == NIPS[2]
    assert (await get_person(desk, "siti", auditor)).nip == f"{'*' * 15}{NIPS[2][-3:]}"
    listed = (await list_people(desk, auditor)).people
    assert len(listed) == 3
    assert all(each.nip.startswith("*" * 15) for each in listed)


async def test_people_are_listed_page_by_page_with_filters(desk: Desk) -> None:
    await desk.staffed(("a", "b", "c", "d", "e"))

    met: list[str] = []
    page_token = ""
    for _ in range(3):
        answer = await list_people(desk, page_size=2, page_token=page_token)
        met += [each.person_id for each in answer.people]
        page_token = answer.next_page_token

    assert (met, page_token) == (["a", "b", "c", "d", "e"], "")
    assert [each.person_id for each in (await list_people(desk, supervisor="b")).people] == ["c"]
    assert not (await list_people(desk, unit="lain")).people


async def test_a_page_token_of_another_list_is_refused(desk: Desk) -> None:
    await desk.staffed()
    first = (await list_people(desk, page_size=1)).next_page_token
    assert first

    for call in (
        list_people(desk, page_token=first, unit="pusat"),
        list_people(desk, page_token=f"{first}x"),
        list_people(desk, desk.who("other", "agency_admin"), page_token=first),
        list_units(desk, page_token=first),
    ):
        answer = await refused(call)
        assert (answer.code, answer.reason) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "PAGE_TOKEN_INVALID",
        )


async def test_regional_days_replace_those_of_the_same_year(desk: Desk) -> None:
    await desk.units(unit("pusat"))

    async def set_days(*days: tuple[str, str], **fields: Any) -> list[tuple[str, str]]:
        off = [pb.Holiday(on=on, name=name) for on, name in days]
        request = pb.SetHolidaysRequest(parent=desk.parent, holidays=off, **fields)
        answer = await desk.roster.SetHolidays(request, **desk.admin)
        return [(day.on, day.name) for day in answer.holidays]

    later, sooner = ("2026-09-27", "Hari jadi"), ("2026-04-13", "Nomoni")
    assert await set_days(later, sooner, sooner, year=2026) == [sooner, later]
    assert await set_days(later, year=2026, unit="pusat") == [later]
    assert await set_days(year=2026) == []

    for days, fields, path in [
        ([("2026-02-30", "x")], {"year": 2026}, "holidays[0].on"),
        ([later, ("2027-01-01", "x")], {"year": 2026}, "holidays[1].on"),
        ([("2026-01-01", "a\x00b")], {"year": 2026}, "holidays[0].name"),
        ([("2026-01-01", " ")], {"year": 2026}, "holidays[0].name"),
        ([], {"year": 1066}, "year"),
    ]:
        answer = await refused(set_days(*days, **fields))
        assert (answer.reason, set(answer.fields)) == ("FIELD_INVALID", {path})
    assert (await refused(set_days(year=2026, unit="lain"))).reason == "NOT_FOUND"


@pytest.mark.parametrize("roles", [("employee",), ("auditor",), ()])
async def test_only_an_admin_changes_a_roster(desk: Desk, roles: tuple[str, ...]) -> None:
    caller = desk.who("siti", *roles)
    for method, request in (
        ("ImportUnits", pb.ImportUnitsRequest(parent=desk.parent, rows=[pb.UnitRow()])),
        ("ImportPeople", pb.ImportPeopleRequest(parent=desk.parent, rows=[pb.PersonRow()])),
        ("SetHolidays", pb.SetHolidaysRequest(parent=desk.parent, year=2026)),
    ):
        answer = await refused(getattr(desk.roster, method)(request, **caller))
        assert denied(answer)
        assert answer.details["roles"] == "agency_admin"


async def test_an_employee_reads_nobody_else(desk: Desk) -> None:
    await desk.staffed()
    siti = desk.who("siti", "employee")

    assert denied(await refused(get_person(desk, "budi", siti)))
    assert denied(await refused(list_people(desk, siti)))
    answer = await refused(get_person(desk, "nobody"))
    assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_another_agencys_people_do_not_exist(desk: Desk) -> None:
    await desk.staffed()
    elsewhere = desk.who("admin", "agency_admin", agency="elsewhere")

    answer = await refused(get_person(desk, "siti", elsewhere))

    assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_a_call_without_rows_or_with_too_many_is_refused(desk: Desk) -> None:
    assert (await refused(desk.units())).fields.keys() == {"rows"}
    many = [unit(f"u{number}") for number in range(1001)]
    assert (await refused(desk.units(*many))).reason == "FIELD_INVALID"


async def test_a_thousand_people_come_in_one_call(desk: Desk) -> None:
    await desk.units(unit("pusat"))
    births = [date(1960, 1, 1) + timedelta(days=number) for number in range(1000)]
    rows = [
        person(
            f"{birth:%Y%m%d}2000031001",
            supervisor=f"p-{(number - 1) // 8}" if number else "TOP",
            person_id=f"p-{number}",
        )
        for number, birth in enumerate(births)
    ]

    assert outcomes(await desk.people(*reversed(rows))) == [CREATED] * 1000
    assert outcomes(await desk.people(*rows)) == [UNCHANGED] * 1000


def denied(answer: Refused) -> bool:
    return (answer.code, answer.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_REQUIRED")
