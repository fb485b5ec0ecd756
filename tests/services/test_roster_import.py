"""Whole rosters through the server: what is told of every row, and what is written at once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_service_pb2 as rows_pb
from tests.services.desk import NIPS, Desk, person, refused, unit

CREATED, CHANGED, UNCHANGED, REFUSED = (
    rows_pb.ROW_OUTCOME_CREATED,
    rows_pb.ROW_OUTCOME_CHANGED,
    rows_pb.ROW_OUTCOME_UNCHANGED,
    rows_pb.ROW_OUTCOME_REFUSED,
)


def message(desk: Desk, *rows: dict[str, Any], **fields: Any) -> pb.ImportRosterRequest:
    """Return a message of units or people, told apart by their fields."""
    request = pb.ImportRosterRequest(parent=desk.parent, **fields)
    for row in rows:
        if "nip" in row:
            request.people.add(**row)
        else:
            request.units.add(**row)
    return request


async def imported(
    desk: Desk, *messages: pb.ImportRosterRequest, caller: Any = None
) -> tuple[list[pb.ImportedRow], pb.ImportTotals]:
    """Send an import; return what came of its rows, and the totals."""
    rows: list[pb.ImportedRow] = []
    async for answer in desk.imports.ImportRoster(iter(messages), **(caller or desk.admin)):
        rows += answer.rows.rows
        last = answer
    assert last.WhichOneof("said") == "totals"
    return rows, last.totals


def told(rows: Sequence[pb.ImportedRow]) -> list[tuple[int, int, list[tuple[str, str]]]]:
    return [
        (each.row, each.result.outcome, [(p.field, p.code) for p in each.result.problems])
        for each in rows
    ]


async def names(desk: Desk) -> dict[str, str]:
    request = rows_pb.ListPeopleRequest(parent=desk.parent, page_size=200)
    people = (await desk.roster.ListPeople(request, **desk.admin)).people
    return {each.person_id: each.supervisor or "TOP" for each in people}


async def test_a_roster_comes_in_any_order_and_is_safe_to_repeat(desk: Desk) -> None:
    messages = [
        message(desk, unit("kota", parent="pusat"), unit("pusat", approver=NIPS[0])),
        message(desk, person(NIPS[2], NIPS[1], person_id="siti", unit="kota")),
        message(desk, person(NIPS[1], "R-1", person_id="budi")),
        message(desk, person(NIPS[0], "TOP", person_id="kepala", ref="R-1")),
    ]

    rows, totals = await imported(desk, *messages)
    again, repeated = await imported(desk, *messages)

    assert told(rows) == [(row, CREATED, []) for row in (1, 2, 1, 2, 3)]
    assert totals.written
    assert (totals.units.created, totals.people.created, totals.people.rows) == (2, 3, 3)
    assert told(again) == [(row, UNCHANGED, []) for row in (1, 2, 1, 2, 3)]
    assert repeated.people.unchanged == 3
    assert await names(desk) == {"kepala": "TOP", "budi": "kepala", "siti": "budi"}


async def test_one_bad_row_never_stops_the_rest(desk: Desk) -> None:
    rows, totals = await imported(
        desk,
        message(desk, unit("pusat"), unit("kota", zone="WIB"), unit("desa", parent="kota")),
        message(desk, person(NIPS[0], person_id="kepala"), person("19", "kepala"), first_row=2),
        message(desk, person(NIPS[1], "kepala", unit="kota"), person(NIPS[2], NIPS[1])),
        message(desk, person(NIPS[3], NIPS[0], person_id="dewi"), person(NIPS[0])),
    )

    assert told(rows) == [
        (1, CREATED, []),
        (2, REFUSED, [("zone", "UNKNOWN_ZONE")]),
        (3, REFUSED, [("parent", "ROW_REFUSED")]),
        (2, CREATED, []),
        (3, REFUSED, [("nip", "WRONG_LENGTH")]),
        (4, REFUSED, [("unit", "UNKNOWN_UNIT")]),
        (5, REFUSED, [("supervisor", "ROW_REFUSED")]),
        (6, CREATED, []),
        (7, REFUSED, [("nip", "REPEATED_ROW")]),
    ]
    assert rows[-1].result.problems[0].message == "row 2 is about this person already"
    assert (totals.people.created, totals.people.refused) == (2, 4)
    assert await names(desk) == {"kepala": "TOP", "dewi": "kepala"}


async def test_a_unit_falls_with_its_approver_and_takes_its_people_along(desk: Desk) -> None:
    rows, _ = await imported(
        desk,
        message(desk, unit("pusat"), unit("kota", approver=NIPS[1]), unit("desa", approver="R-9")),
        message(desk, person(NIPS[0], person_id="kepala"), person(NIPS[1], "R-5")),
        message(desk, person(NIPS[2], NIPS[0], unit="kota", ref="R-9")),
    )

    assert told(rows) == [
        (1, CREATED, []),
        (2, REFUSED, [("approver", "ROW_REFUSED")]),
        (3, REFUSED, [("approver", "ROW_REFUSED")]),
        (1, CREATED, []),
        (2, REFUSED, [("supervisor", "UNKNOWN_PERSON")]),
        (3, REFUSED, [("unit", "UNKNOWN_UNIT")]),
    ]


async def test_a_trial_tells_the_same_and_writes_nothing(desk: Desk) -> None:
    sheets = [message(desk, unit("pusat")), message(desk, person(NIPS[0]), person("x"))]

    rows, totals = await imported(desk, message(desk, validate_only=True), *sheets)

    assert told(rows) == told((await imported(desk, *sheets))[0])
    assert not totals.written
    # An id that was only made up is not told.
    assert [each.result.id for each in rows] == ["pusat", "", ""]


async def test_whoever_goes_away_before_the_end_changes_nothing_and_frees_the_place(
    desk: Desk,
) -> None:
    call = desk.imports.ImportRoster(**desk.admin)
    await call.write(message(desk, unit("pusat")))
    await call.read()
    call.cancel()

    rows, _ = await patiently(desk, message(desk, unit("kota")))

    assert told(rows) == [(1, CREATED, [])]
    request = rows_pb.ListUnitsRequest(parent=desk.parent)
    units = (await desk.roster.ListUnits(request, **desk.admin)).units
    assert [each.code for each in units] == ["kota"]


async def patiently(
    desk: Desk, *messages: pb.ImportRosterRequest
) -> tuple[list[pb.ImportedRow], pb.ImportTotals]:
    """Import as soon as there is a place."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await imported(desk, *messages)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
            await asyncio.sleep(0.02)


async def test_one_import_of_an_agency_runs_at_a_time(desk: Desk) -> None:
    first = desk.imports.ImportRoster(**desk.admin)
    await first.write(message(desk, unit("pusat")))
    await first.read()

    second = await refused(imported(desk, message(desk, unit("kota"))))
    await first.done_writing()
    rows: list[pb.ImportedRow] = []
    while (answer := await first.read()) is not grpc.aio.EOF:
        rows += answer.rows.rows

    assert (second.code, second.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    assert told(rows) == [(1, CREATED, [])]


async def test_rows_come_in_the_order_of_their_numbers_and_units_first(desk: Desk) -> None:
    people = message(desk, person(NIPS[0]), person(NIPS[1]))
    again = message(desk, person(NIPS[2]), first_row=2)

    early = await refused(imported(desk, people, again))
    late = await refused(imported(desk, people, message(desk, unit("pusat"))))

    assert early.fields == {"first_row": "the message before ended with row 2"}
    assert late.fields == {"units": "send all units before the first person"}


async def test_every_message_is_held_to_the_rules_and_to_the_callers_agency(desk: Desk) -> None:
    good = message(desk, unit("pusat"))
    both = message(desk, unit("kota"))
    both.people.add(nip=NIPS[0])
    foreign = pb.ImportRosterRequest(parent="agencies/elsewhere")
    foreign.people.add(nip=NIPS[0])

    assert (await refused(imported(desk, good, both))).reason == "FIELD_INVALID"
    assert (await refused(imported(desk, good, foreign))).reason == "NOT_FOUND"
    assert (await refused(imported(desk))).reason == "FIELD_INVALID"
    employee = desk.who("siti", "employee")
    assert (await refused(imported(desk, good, caller=employee))).reason == "ROLE_REQUIRED"
    assert await names(desk) == {}


async def test_an_import_may_not_be_endless(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("siklus.services.importing.run.MOST_PEOPLE", 2)
    people = message(desk, person(NIPS[0]), person(NIPS[1]))

    told_why = await refused(imported(desk, people, message(desk, person(NIPS[2]))))

    assert told_why.fields == {"people": "at most 2 in one import; send the others by another"}


async def test_a_client_that_stops_in_the_middle_is_let_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.services.rpc.roster_import.IDLE_SECONDS", 0.2)
    call = desk.imports.ImportRoster(**desk.admin)
    await call.write(message(desk, unit("pusat")))
    await call.read()

    assert (await refused(call.read())).reason == "DEADLINE_EXCEEDED"
