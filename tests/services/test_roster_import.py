"""Whole rosters through the server: what is told of every row, and what is written at once."""

from collections.abc import Sequence
from typing import Any

from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_service_pb2 as rows_pb
from tests.services.desk import NIPS, Desk, person, unit

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
