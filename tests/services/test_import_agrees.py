"""An import in pieces comes to what the rule book says of all its rows at once.

Rosters by chance, small and full of faults: the same few people, refs and units named again and
again, under each other, under nobody and in circles.
"""

import os
from collections.abc import Sequence
from random import Random
from typing import Any, Final

import pytest

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import roster
from siklus.services.importing import people as in_pieces
from siklus.services.rpc.roster_rows import person_row, unit_row
from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_service_pb2 as rows_pb
from siklus.workflows.domain.roster import Draft, Outcome
from siklus.workflows.domain.roster_people import Directory, Person
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.roster_whole import Rows, plan_roster
from siklus.workflows.domain.values import AgencyId, PersonId
from tests.services.desk import NIPS, Desk

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
ROSTERS: Final = 400 if PROVE else 10
UNITS: Final = ("a", "b", "c", "d", "e")
NUMBERS: Final = (
    *NIPS,
    *(f"1985050520080710{serial}" for serial in range(10, 22)),
    *("19860926 201505 1 009", "", "123"),
)
REFS: Final = (*("",) * 18, "R-1", "R-2", "R-3", "R 4", "TOP", "x\x00")
IDS: Final = (*("",) * 18, "p-1", "p-2", "p-3", "p-4", "Not An Id")


def unit(random: Random) -> dict[str, Any]:
    return {
        "code": random.choice((*UNITS, *UNITS, "?")),
        "name": random.choice(("Satu", "Dua")),
        "parent": random.choice(("", "", "", *UNITS)),
        "zone": random.choice(("Asia/Jakarta",) * 12 + ("WIB",)),
        "weekdays": random.choice(([], [1, 2, 3], [9])) if random.random() < 0.1 else [],
        "approver": random.choice(("",) * 12 + (*NIPS[:3], "p-1", "R-2")),
    }


def person(random: Random) -> dict[str, Any]:
    superiors = ("TOP", "TOP", *NUMBERS[:20] * 2, "p-1", "p-2", "R-1", "R-3", "R 4", "")
    return {
        "nip": random.choice(NUMBERS),
        "name": random.choice(("Siti",) * 10 + ("Budi", "x\x07")),
        "unit": random.choice((*UNITS * 3, "none")),
        "supervisor": random.choice(superiors),
        "ref": random.choice(REFS),
        "person_id": random.choice(IDS),
        "joined_on": random.choice(("",) * 10 + ("2020-02-29", "2021-02-29")),
    }


Sheets = tuple[list[dict[str, Any]], list[dict[str, Any]]]
BEGINNING: Final[Sheets] = (
    [{"code": code, "name": "Satu", "zone": "Asia/Jakarta"} for code in UNITS],
    [
        {"nip": nip, "name": "Siti", "unit": "a", "supervisor": above, "ref": ref}
        for nip, above, ref in zip(NIPS, ("TOP", *NIPS), ("R-1", "R-2", *("",) * 6), strict=False)
    ],
)


def sheets(random: Random) -> Sheets:
    """Return some units and some people; many of them stand."""
    units = [unit(random) for _ in range(random.randint(0, 8))]
    return units, [person(random) for _ in range(random.randint(0, 24))]


def messages(desk: Desk, made: Sheets, random: Random) -> list[pb.ImportRosterRequest]:
    """Return the rows in messages of one to five."""
    sent = [pb.ImportRosterRequest(parent=desk.parent)]
    for field, rows in zip(("units", "people"), made, strict=True):
        left = list(rows)
        while left:
            size = random.randint(1, 5)
            request: Any = pb.ImportRosterRequest(parent=desk.parent)
            for row in left[:size]:
                getattr(request, field).add(**row)
            sent.append(request)
            del left[:size]
    return sent


async def standing(store: Store, desk: Desk) -> tuple[dict[str, Unit], list[Person]]:
    """Return the roster as it is."""
    agency = AgencyId(desk.agency)
    async with store.agency(agency) as connection:
        units = {each.code: each for each in await roster.units(connection, agency)}
        return units, await roster.people(connection, agency, limit=1_000)


async def leave(store: Store, desk: Desk, nip: str) -> None:
    """Note that somebody left."""
    _, people = await standing(store, desk)
    gone = [each.model_copy(update={"active": False}) for each in people if each.nip == nip]
    async with store.agency(AgencyId(desk.agency)) as connection:
        await roster.put_people(connection, AgencyId(desk.agency), gone)


def planned(made: Sheets, units: dict[str, Unit], people: list[Person]) -> list[list[Draft[Any]]]:
    """Return what the rule book says of all rows at once."""
    unit_rows = [unit_row(rows_pb.UnitRow(**row)) for row in made[0]]
    person_rows = [person_row(rows_pb.PersonRow(**row)) for row in made[1]]
    rows = Rows(
        unit_rows,
        range(1, len(unit_rows) + 1),
        person_rows,
        range(1, len(person_rows) + 1),
    )
    drafts = plan_roster(rows, units, Directory(people), lambda row: PersonId(f"new-{row}"))
    return [list(each) for each in drafts]


def expected(drafts: Sequence[Draft[Any]]) -> list[tuple[int, str, list[tuple[str, str, str]]]]:
    return [
        (
            draft.row,
            str(draft.outcome),
            [(each.field, each.code, each.message) for each in draft.problems],
        )
        for draft in drafts
    ]


def said(rows: Sequence[pb.ImportedRow]) -> list[tuple[int, str, list[tuple[str, str, str]]]]:
    return [
        (
            each.row,
            rows_pb.RowOutcome.Name(each.result.outcome).removeprefix("ROW_OUTCOME_"),
            [(p.field, p.code, p.message) for p in each.result.problems],
        )
        for each in rows
    ]


def without_made_up_ids(people: Sequence[Person]) -> list[dict[str, Any]]:
    """Return people with NIPs in place of ids: new ids are random."""
    nips = {each.person: each.nip for each in people}
    shown = [
        each.model_dump(exclude={"person"})
        | {"supervisor": nips.get(each.supervisor or PersonId(""))}
        for each in people
    ]
    return sorted(shown, key=lambda each: str(each["nip"]))


def applied(people: Sequence[Person], drafts: Sequence[Draft[Any]]) -> list[Person]:
    after = {each.person: each for each in people}
    for draft in drafts:
        if draft.outcome in {Outcome.CREATED, Outcome.CHANGED} and draft.planned:
            after[draft.planned.person] = draft.planned
    return list(after.values())


async def sent(desk: Desk, requests: list[pb.ImportRosterRequest]) -> list[pb.ImportedRow]:
    answers = desk.imports.ImportRoster(iter(requests), **desk.admin)
    return [row async for answer in answers for row in answer.rows.rows]


@pytest.mark.timeout(600)
async def test_in_pieces_and_at_once_is_the_same(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_pieces, "CHUNK", 5)
    monkeypatch.setattr(in_pieces, "WRITE_CHUNK", 8)
    met, before = set[str](), sheets(Random("first"))
    for number in range(ROSTERS):
        random = Random(f"roster/{number}")
        # One agency for several rosters: later ones find somebody there.
        here = Desk(desk.channel, f"{desk.agency}-{number // 10}")
        if number % 10 == 0:
            await sent(here, messages(here, BEGINNING, random))
            await leave(store, here, NIPS[5])
        made = before if number % 3 == 2 else sheets(random)
        before = made
        requests = messages(here, made, random)
        units, people = await standing(store, here)
        drafts = planned(made, units, people)
        wanted = [each for kind in drafts for each in expected(kind)]

        trial = [pb.ImportRosterRequest(parent=here.parent, validate_only=True), *requests[1:]]
        assert said(await sent(here, trial)) == wanted, number
        assert await standing(store, here) == (units, people), number
        assert said(await sent(here, requests)) == wanted, number

        units_now, people_now = await standing(store, here)
        after = applied(people, drafts[1])
        assert without_made_up_ids(people_now) == without_made_up_ids(after), number
        changed = {each.code: each for each in (d.planned for d in drafts[0] if d.accepted) if each}
        nips = {each.person: each.nip for each in (*people_now, *after)}
        assert {code: approved(each, nips) for code, each in units_now.items()} == {
            code: approved(each, nips) for code, each in (units | changed).items()
        }, number
        met |= {code for _, _, problems in wanted for _, code, _ in problems}
        met |= {outcome for _, outcome, _ in wanted}
    assert met >= {
        *("CREATED", "CHANGED", "UNCHANGED", "ROW_REFUSED", "UNKNOWN_PERSON", "REPEATED_ROW"),
        *("SUPERVISOR_LOOP", "PARENT_LOOP", "ANOTHER_PERSON", "UNKNOWN_UNIT", "INVALID_DATE"),
        "INACTIVE_PERSON",
    }


def approved(unit: Unit, nips: dict[PersonId, str]) -> dict[str, Any]:
    who = nips.get(PersonId(unit.approver or ""))
    return unit.model_dump() | {"approver": who}
