"""`siklus roster import`: try it first, show what it would do, ask, and do it."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import grpc
import typer

from siklus.services.cli.consent import Yes, confirm
from siklus.services.cli.output import AsJson, Fault, print_json
from siklus.services.cli.progress import Show, progress_of
from siklus.services.cli.remote import Api, remote
from siklus.services.cli.roster_check import MOST_SHOWN, REFUSED, as_shown, print_refusals
from siklus.services.cli.roster_sheets import (
    Refusal,
    Sheet,
    column_of,
    read_people,
    read_units,
)
from siklus.services.cli.sheets import write_sheet
from siklus.services.importing.limits import MOST_PEOPLE, MOST_UNITS
from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_import_service_pb2_grpc
from siklus.v1.roster_service_pb2 import RowOutcome
from siklus.workflows.domain.roster import Outcome
from siklus.workflows.domain.roster_people import PersonRow
from siklus.workflows.domain.roster_units import UnitRow

MOST_ROWS: Final = 1_000
"""In a message, as the contract has it."""
MOST_BYTES: Final = 512 * 1024
"""In a message; the server takes twice as much."""
UNITS, PEOPLE = "units", "people"


@dataclass
class Sheets:
    """What is imported."""

    units: Sheet[UnitRow]
    people: Sheet[PersonRow]

    def must_not_be_too_long(self) -> None:
        """Raise `Fault` for more rows than the server takes, before any is sent."""
        for kind, rows, most in (
            (UNITS, len(self.units.rows), MOST_UNITS),
            (PEOPLE, len(self.people.rows), MOST_PEOPLE),
        ):
            if rows > most:
                told = f"{rows} rows of {kind} are too many for one import"
                raise Fault(
                    "TOO_MANY_ROWS", told, f"send at most {most}, and the others by another"
                )

    def unreadable(self) -> dict[str, list[Refusal]]:
        """Return the rows that are not even sent."""
        return {UNITS: list(self.units.unreadable), PEOPLE: list(self.people.unreadable)}


@dataclass
class Told:
    """What the server said of an import."""

    written: bool = False
    outcomes: dict[str, Counter[Outcome]] = field(
        default_factory=lambda: {UNITS: Counter(), PEOPLE: Counter()}
    )
    refused: dict[str, list[Refusal]] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """Return how many rows make or change something."""
        kinds = (Outcome.CREATED, Outcome.CHANGED)
        return sum(met[kind] for met in self.outcomes.values() for kind in kinds)

    @property
    def refusals(self) -> int:
        """Return how many rows were refused, unreadable ones among them."""
        return sum(map(len, self.refused.values()))

    def note(self, row: pb.ImportedRow) -> None:
        """Count a row."""
        kind = UNITS if row.kind == pb.ROSTER_KIND_UNIT else PEOPLE
        named = RowOutcome.Name(row.result.outcome).removeprefix("ROW_OUTCOME_")
        self.outcomes[kind][Outcome(named)] += 1
        for first in row.result.problems[:1]:
            why = f"{first.code}: {first.message}"
            self.refused[kind].append(Refusal(row.row, column_of(first.field), why))


@remote
async def import_roster(
    api: Api,
    people: Annotated[Path | None, typer.Argument(help="The sheet of people (CSV).")] = None,
    units: Annotated[Path | None, typer.Option(help="The sheet of units (CSV).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would happen.")
    ] = False,
    refused: Annotated[
        str | None, typer.Option(help="Write the refused rows and why to this file (CSV).")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Import units and people: what is new or changed is written, what is refused is told.

    Safe to repeat. Exit code 1 if a row is refused; the others are imported all the same.
    """
    if people is None and units is None:
        raise Fault("NO_SHEET", "there is nothing to import", "name PEOPLE.csv, --units, or both")
    sheets = Sheets(
        Sheet[UnitRow]() if units is None else read_units(units),
        Sheet[PersonRow]() if people is None else read_people(people),
    )
    sheets.must_not_be_too_long()

    async def tried() -> Told:
        return await _sent(api, sheets, validate_only=True, what="Looking at rows")

    async def done() -> Told:
        return await _sent(api, sheets, validate_only=False, what="Importing rows")

    told = await api.patiently(tried)
    if not dry_run and told.changes:
        confirm(_preview(told), yes=yes, question="Import it?")
        told = await api.patiently(done)
    if refused is not None:
        _write_refused(refused, told)
    _print(told, sheets, as_json=as_json)
    if told.refusals:
        raise typer.Exit(REFUSED)


async def _sent(api: Api, sheets: Sheets, *, validate_only: bool, what: str) -> Told:
    """Send both sheets and return what the server said of them."""
    stub: Any = roster_import_service_pb2_grpc.RosterImportServiceStub(api.channel)
    told = Told(refused=sheets.unreadable())
    call = api.talk(stub.ImportRoster)
    await call.write(pb.ImportRosterRequest(parent=api.parent, validate_only=validate_only))
    # A refusal comes for certain only to who waits for it before sending more.
    await call.read()
    with progress_of(what) as show:
        # Where the call has ended meanwhile, reading tells why.
        with suppress(asyncio.InvalidStateError):
            for request in _messages(api.parent, sheets):
                await call.write(request)
            await call.done_writing()
        while (answer := await call.read()) is not grpc.aio.EOF:
            _take(answer, told, show)
    return told


def _take(answer: pb.ImportRosterResponse, told: Told, show: Show) -> None:
    match answer.WhichOneof("said"):
        case "progress":
            show(answer.progress.steps_done, answer.progress.steps_total)
        case "rows":
            for row in answer.rows.rows:
                told.note(row)
        case _:
            told.written = answer.totals.written


def _messages(parent: str, sheets: Sheets) -> Iterator[pb.ImportRosterRequest]:
    """Yield the messages of an import: rows that stand next to each other, as many as fit."""
    for kind, numbers, rows in (
        (UNITS, sheets.units.numbers, map(_unit, sheets.units.rows)),
        (PEOPLE, sheets.people.numbers, map(_person, sheets.people.rows)),
    ):
        request: Any = pb.ImportRosterRequest(parent=parent)
        size = 0
        for number, row in zip(numbers, rows, strict=True):
            held = getattr(request, kind)
            size += row.ByteSize()
            if held and (
                number != request.first_row + len(held)
                or len(held) == MOST_ROWS
                or size > MOST_BYTES
            ):
                yield request
                request, size = pb.ImportRosterRequest(parent=parent), row.ByteSize()
                held = getattr(request, kind)
            if not held:
                request.first_row = number
            held.append(row)
        if getattr(request, kind):
            yield request


def _unit(row: UnitRow) -> Any:
    made: Any = pb.ImportRosterRequest().units.add(**row.model_dump())
    return made


def _person(row: PersonRow) -> Any:
    made: Any = pb.ImportRosterRequest().people.add(**row.model_dump())
    return made


def _preview(told: Told) -> str:
    """Return what an import would do, in a few lines."""
    lines = [_counted(kind, told) for kind in (UNITS, PEOPLE) if _rows(kind, told)]
    every = [(kind, each) for kind in (UNITS, PEOPLE) for each in told.refused[kind]]
    lines += [
        f"  refused: {kind} row {each.row}, {each.field or 'the row'}: {each.reason}"
        for kind, each in every[:MOST_SHOWN]
    ]
    more = [f"  and {len(every) - MOST_SHOWN} more"] if len(every) > MOST_SHOWN else []
    return "\n".join([*lines, *more])


def _rows(kind: str, told: Told) -> int:
    accepted = told.outcomes[kind].total() - told.outcomes[kind][Outcome.REFUSED]
    return accepted + len(told.refused[kind])


def _counted(kind: str, told: Told) -> str:
    met = told.outcomes[kind]
    return (
        f"{kind}: {_rows(kind, told)} rows, {met[Outcome.CREATED]} new,"
        f" {met[Outcome.CHANGED]} changed, {met[Outcome.UNCHANGED]} as they are,"
        f" {len(told.refused[kind])} refused"
    )


def _write_refused(where: str, told: Told) -> None:
    cells = [
        (kind, each.row, each.field, each.reason)
        for kind in (UNITS, PEOPLE)
        for each in sorted(told.refused[kind], key=lambda each: each.row)
    ]
    write_sheet(where, ("sheet", "row", "column", "why"), cells)


def _print(told: Told, sheets: Sheets, *, as_json: bool) -> None:
    if as_json:
        shown = _as_json(PEOPLE, sheets.people.total, told)
        print_json(
            shown | {"written": told.written, UNITS: _as_json(UNITS, sheets.units.total, told)}
        )
        return
    for kind, sheet in ((UNITS, sheets.units), (PEOPLE, sheets.people)):
        if sheet.total:
            print_refusals(kind, sheet.total, _in_order(told.refused[kind]))
            sys.stdout.write(_counted(kind, told) + "\n")
    if not told.written:
        sys.stdout.write("nothing was written\n")


def _as_json(kind: str, rows: int, told: Told) -> dict[str, object]:
    met = told.outcomes[kind]
    counted = {
        "created": met[Outcome.CREATED],
        "changed": met[Outcome.CHANGED],
        "unchanged": met[Outcome.UNCHANGED],
    }
    return as_shown(rows, _in_order(told.refused[kind])) | counted


def _in_order(refused: Sequence[Refusal]) -> list[Refusal]:
    return sorted(refused, key=lambda each: each.row)
