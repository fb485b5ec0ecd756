"""CSV files that others wrote, row by row and never more of one than a row may have.

UTF-8 with or without a byte order mark, comma or semicolon as the first line has it, columns by
their names in any order, quotes as in RFC 4180. Rows are numbered as a spreadsheet shows them: the
names of the columns stand in row 1; an empty row counts and is passed over. A row that cannot be
read is told and the next one is read, beginning in the line after that in which it began.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from siklus.services.cli.output import Fault
from siklus.services.cli.sheets import as_meant

LONGEST_ROW: Final = 64 * 1024
"""Bytes; what is longer is no roster, and is not read to its end."""
MOST_LINES: Final = 50
"""Lines of one row: a cell in quotes may hold line breaks."""
SAVE_AGAIN: Final = "save it as CSV UTF-8"
_MARK: Final = b"\xef\xbb\xbf"
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Columns:
    """The names that a sheet must have in its first row, and those that it may have."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its cells by column, or why it cannot be read."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    unreadable: str = ""


def read_sheet(file: Path, columns: Columns) -> Iterator[SheetRow]:
    """Yield the rows of a sheet; raises `Fault` where the file as a whole cannot be read."""
    try:
        with file.open("rb", buffering=LONGEST_ROW) as source:
            yield from _Sheet(file.name, source, columns).rows()
    except OSError as error:
        raise Fault("NO_SHEET", f"{file} cannot be read: {error.strerror}") from None


class _Sheet:
    def __init__(self, name: str, source: IO[bytes], columns: Columns) -> None:
        self._name = name
        self._source = source
        self._again = deque[bytes]()
        self._taken: list[bytes] = []
        self._number = 1
        self._separator, self._columns = self._first_row(columns)

    def rows(self) -> Iterator[SheetRow]:
        """Yield row after row."""
        while True:
            self._number += 1
            self._taken = []
            try:
                cells = next(csv.reader(self._lines(), delimiter=self._separator, strict=True))
            except StopIteration:
                return
            except (csv.Error, UnicodeDecodeError, _TooLongError) as wrong:
                self._again.extendleft(reversed(self._taken[1:]))
                yield SheetRow(self._number, unreadable=_why(wrong))
                continue
            if any(cell.strip() for cell in cells):
                yield self._row(cells)

    def _row(self, cells: Sequence[str]) -> SheetRow:
        if len(cells) != len(self._columns):
            why = f"{len(cells)} cells under {len(self._columns)} columns; is a quote missing?"
            return SheetRow(self._number, unreadable=why)
        meant = {name: as_meant(cell) for name, cell in zip(self._columns, cells, strict=True)}
        if any("\x00" in cell for cell in cells):
            return SheetRow(self._number, unreadable="it holds a NUL")
        return SheetRow(self._number, meant)

    def _lines(self) -> Iterator[str]:
        """Yield the lines of one row, no more than a row may have."""
        while line := self._next_line():
            self._taken.append(line)
            if len(self._taken) > MOST_LINES or sum(map(len, self._taken)) > LONGEST_ROW:
                raise _TooLongError
            yield line.decode("utf-8")

    def _next_line(self) -> bytes:
        if self._again:
            return self._again.popleft()
        line = self._source.readline(LONGEST_ROW + 1)
        if len(line) > LONGEST_ROW:
            raise Fault(
                "ROW_TOO_LONG",
                f"{self._name}: a line in row {self._number} is over {LONGEST_ROW // 1024} KB",
                "no roster has such rows; nothing after it was read",
            )
        return line

    def _first_row(self, columns: Columns) -> tuple[str, list[str]]:
        """Return what separates cells, and the names of the columns."""
        line = self._next_line()
        if line.startswith(_WIDE) or b"\x00" in line:
            raise Fault("NOT_UTF_8", f"{self._name} is no UTF-8 text", SAVE_AGAIN)
        try:
            text = line.removeprefix(_MARK).decode("utf-8").strip()
        except UnicodeDecodeError:
            raise Fault("NOT_UTF_8", f"{self._name} is no UTF-8 text", SAVE_AGAIN) from None
        if not text:
            hint = f"its first row names the columns: {','.join(columns.needed)}"
            raise Fault("EMPTY_SHEET", f"{self._name} has no first row", hint)
        if "\r" in text:
            raise Fault("LINE_ENDS", f"{self._name} ends its lines with CR alone", SAVE_AGAIN)
        separator = ";" if text.count(";") > text.count(",") else ","
        try:
            names = next(csv.reader([text], delimiter=separator, strict=True))
        except csv.Error:
            raise Fault("BAD_COLUMNS", f"{self._name}: the first row has an odd quote") from None
        names = [name.strip().lower() for name in names]
        self._must_be_the_columns(names, columns)
        return separator, names

    def _must_be_the_columns(self, names: Sequence[str], columns: Columns) -> None:
        known = {*columns.needed, *columns.optional}
        problems = {
            "lacks": [name for name in columns.needed if name not in names],
            "has twice": sorted({name for name in names if names.count(name) > 1}),
            "knows no": [repr(name[:40]) for name in names if name not in known],
        }
        told = [f"{what} {', '.join(which)}" for what, which in problems.items() if which]
        if told:
            also = f", and may have {', '.join(columns.optional)}" if columns.optional else ""
            hint = f"it must have {', '.join(columns.needed)}{also}, in any order"
            raise Fault("BAD_COLUMNS", f"{self._name}: the first row {'; '.join(told)}", hint)


class _TooLongError(Exception):
    """A row goes on and on."""


def _why(wrong: Exception) -> str:
    match wrong:
        case UnicodeDecodeError():
            return f"it is no UTF-8; {SAVE_AGAIN}"
        case _TooLongError():
            return "a quote is opened and not closed"
        case _ if "unexpected end" in str(wrong):
            return "a quote is opened and not closed"
        case _:
            return "its quotes are not as in CSV: a quote within a cell is written twice"
