"""The sheets of a roster as CSV: their columns, and the rows that they become."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from siklus.services.cli.sheet_reading import Columns, SheetRow, read_sheet
from siklus.workflows.domain.roster_people import PersonRow
from siklus.workflows.domain.roster_units import UnitRow
from siklus.workflows.domain.weekdays import UnreadableWeekdays, parse_weekdays

Row = TypeVar("Row")

PEOPLE: Final = Columns(
    ("nip", "name", "email", "unit", "position", "supervisor", "language", "joined"), ("ref",)
)
UNITS: Final = Columns(("code", "name", "parent", "zone", "weekdays"), ("approver",))
NO_WEEKDAY: Final = (0,)
"""In place of working days that cannot be read: the rule book refuses it, and its field."""
_AS_WRITTEN: Final = {"joined_on": "joined"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused: the first thing that is wrong with it."""

    row: int
    field: str
    reason: str

    def shown(self) -> dict[str, object]:
        """Return it as JSON shows it."""
        return {"row": self.row, "field": self.field, "reason": self.reason}


@dataclass
class Sheet(Generic[Row]):
    """The rows of a sheet with their numbers, and those that could not be read."""

    rows: list[Row] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    unreadable: list[Refusal] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Return how many rows the sheet has, empty ones aside."""
        return len(self.rows) + len(self.unreadable)


def read_people(file: Path) -> Sheet[PersonRow]:
    """Read a sheet of people; raises `Fault` where the file as a whole cannot be read."""
    sheet = Sheet[PersonRow]()
    for number, cells in _readable(file, PEOPLE, sheet.unreadable):
        sheet.rows.append(
            PersonRow(
                nip=cells["nip"],
                name=cells["name"],
                email=cells["email"],
                unit=cells["unit"],
                position=cells["position"],
                supervisor=cells["supervisor"],
                language=cells["language"],
                joined_on=cells["joined"],
                ref=cells.get("ref", ""),
            )
        )
        sheet.numbers.append(number)
    return sheet


def read_units(file: Path) -> Sheet[UnitRow]:
    """Read a sheet of units; raises `Fault` where the file as a whole cannot be read."""
    sheet = Sheet[UnitRow]()
    for number, cells in _readable(file, UNITS, sheet.unreadable):
        sheet.rows.append(
            UnitRow(
                code=cells["code"],
                name=cells["name"],
                parent=cells["parent"],
                zone=cells["zone"],
                weekdays=_weekdays(cells["weekdays"]),
                approver=cells.get("approver", ""),
            )
        )
        sheet.numbers.append(number)
    return sheet


def column_of(field_name: str) -> str:
    """Return the column in which a field of a row is written."""
    return _AS_WRITTEN.get(field_name, field_name)


def _readable(
    file: Path, columns: Columns, unreadable: list[Refusal]
) -> Iterator[tuple[int, dict[str, str]]]:
    for row in read_sheet(file, columns):
        where, wrong = ("", row.unreadable) if row.unreadable else _too_long(row)
        if wrong:
            unreadable.append(Refusal(row.number, where, f"UNREADABLE: {wrong}"))
        else:
            yield row.number, row.cells


LONGEST_CELLS: Final = {
    **{"nip": 100, "name": 400, "email": 400, "unit": 200, "position": 400, "supervisor": 200},
    **{"language": 20, "joined": 40, "ref": 200},
    **{"code": 200, "parent": 200, "zone": 100, "weekdays": 200, "approver": 200},
}
"""What the contract takes of a field, in characters."""


def _too_long(row: SheetRow) -> tuple[str, str]:
    for name, cell in row.cells.items():
        if len(cell) > LONGEST_CELLS[name]:
            return name, f"it has {len(cell)} characters, at most {LONGEST_CELLS[name]} are taken"
    return "", ""


def _weekdays(written: str) -> tuple[int, ...]:
    try:
        return parse_weekdays(written)
    except UnreadableWeekdays:
        return NO_WEEKDAY
