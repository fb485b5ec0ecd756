"""`siklus roster check`: what an import would refuse, told without a server."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from siklus.services.cli.output import AsJson, print_json, print_table
from siklus.services.cli.roster_sheets import (
    Refusal,
    Sheet,
    column_of,
    read_people,
    read_units,
)
from siklus.workflows.domain.roster import Draft
from siklus.workflows.domain.roster_people import Directory
from siklus.workflows.domain.roster_units import UnitRow
from siklus.workflows.domain.roster_whole import Rows, plan_roster
from siklus.workflows.domain.values import PersonId

REFUSED = 1
"""The exit code when something is refused."""
MOST_SHOWN = 20


def check(
    people: Annotated[Path, typer.Argument(help="The sheet of people (CSV).")],
    units: Annotated[
        Path | None,
        typer.Option(help="The sheet of units (CSV); without it no unit is looked up."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a roster as an import into an empty agency would; exit code 1 if a row is refused.

    Rows are numbered as a spreadsheet shows them: the first person stands in row 2.
    """
    unit_sheet = Sheet[UnitRow]() if units is None else read_units(units)
    person_sheet = read_people(people)
    rows = Rows(unit_sheet.rows, unit_sheet.numbers, person_sheet.rows, person_sheet.numbers)
    unit_drafts, person_drafts = plan_roster(
        rows, {}, Directory([]), _nobodys_id, units_are_known=units is not None
    )
    refused_units = refusals(unit_drafts, unit_sheet.unreadable)
    refused = refusals(person_drafts, person_sheet.unreadable)
    if as_json:
        told = as_shown(person_sheet.total, refused)
        if refused_units:
            told["units"] = as_shown(unit_sheet.total, refused_units)
        print_json(told)
    else:
        if units is not None:
            print_refusals(units.name, unit_sheet.total, refused_units)
        print_refusals(people.name, person_sheet.total, refused)
    if refused or refused_units:
        raise typer.Exit(REFUSED)


def refusals(drafts: Iterable[Draft[Any]], unreadable: Sequence[Refusal]) -> list[Refusal]:
    """Return the refused rows in their order, each with the first thing that is wrong with it."""
    found = [
        Refusal(draft.row, column_of(first.field), f"{first.code}: {first.message}")
        for draft in drafts
        for first in draft.problems[:1]
    ]
    return sorted([*found, *unreadable], key=lambda each: each.row)


def as_shown(rows: int, refused: Sequence[Refusal]) -> dict[str, object]:
    """Return what became of a sheet, as JSON shows it."""
    shown = [each.shown() for each in refused]
    return {"rows": rows, "ok": rows - len(refused), "refused": shown}


def print_refusals(name: str, rows: int, refused: Sequence[Refusal]) -> None:
    """Print the refused rows of a sheet, the first of them where there are many."""
    sys.stdout.write(f"{name}: {rows} rows, {rows - len(refused)} ok, {len(refused)} refused\n")
    if refused:
        shown = [(str(each.row), each.field, each.reason) for each in refused[:MOST_SHOWN]]
        print_table(("row", "column", "why"), shown)
    if len(refused) > MOST_SHOWN:
        sys.stdout.write(f"and {len(refused) - MOST_SHOWN} more; --json shows all of them\n")


def _nobodys_id(row: int) -> PersonId:
    """Return an id that no cell can name."""
    return PersonId(f"\x00{row}")
