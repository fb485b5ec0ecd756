"""Tables as files, written while their rows come in: CSV, and a workbook that waits on disk."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import IO, Final, Protocol

import xlsxwriter

from siklus.services.cells import Cell, harmless
from siklus.workflows.domain.labels import Text

MOST_SHEET_ROWS: Final = 1_048_575
"""Under the head; no spreadsheet holds more."""
MOST_CELL: Final = 32_767
"""Characters; no spreadsheet holds more."""
IN_MEMORY: Final = 1_000_000
CHUNK: Final = 128 * 1024
WIDTH: Final = 22


class Table(Protocol):
    """A file that grows by rows; the same rows make the same bytes."""

    def add(self, rows: Iterable[Sequence[Cell]]) -> bytes:
        """Write rows; return the bytes that may leave already."""

    def finish(self) -> Iterator[bytes]:
        """Yield the rest, in chunks; nothing is added after it."""

    def close(self) -> None:
        """Give up what it holds; safe to repeat."""


class CsvTable:
    """RFC 4180 in UTF-8 under the names of the columns; nothing that a spreadsheet would run."""

    def __init__(self, columns: Mapping[str, Text]) -> None:
        self._text = io.StringIO()
        self._sheet = csv.writer(self._text, lineterminator="\r\n")
        self._sheet.writerow(columns)

    def add(self, rows: Iterable[Sequence[Cell]]) -> bytes:
        """Write rows and return them."""
        self._sheet.writerows([harmless(cell) for cell in row] for row in rows)
        written = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return written

    def finish(self) -> Iterator[bytes]:
        """Yield the head, where no row ever came."""
        yield self.add(())

    def close(self) -> None:
        """Do nothing: nothing is held."""


class XlsxTable:
    """A workbook of one sheet; every text is a text, whatever it begins with."""

    def __init__(self, columns: Mapping[str, Text], *, dated: datetime) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by close
        self._rows_folder = TemporaryDirectory()
        self._book = xlsxwriter.Workbook(
            self._file,
            {
                "constant_memory": True,
                "tmpdir": self._rows_folder.name,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        self._book.set_properties({"created": dated.replace(tzinfo=None), "author": "Siklus"})
        self._sheet = self._book.add_worksheet("Hasil - Results")
        head = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._sheet.set_column(0, len(columns) - 1, WIDTH)
        self._sheet.freeze_panes(1, 0)
        for place, label in enumerate(columns.values()):
            self._sheet.write_string(0, place, f"{label.id}\n{label.en}", head)
        self._rows = 0

    def add(self, rows: Iterable[Sequence[Cell]]) -> bytes:
        """Write rows; a workbook leaves only when it is whole."""
        for row in rows:
            self._rows += 1
            for place, cell in enumerate(row):
                match cell:
                    case None:
                        pass
                    case int():
                        self._sheet.write_number(self._rows, place, cell)
                    case _:
                        self._sheet.write_string(self._rows, place, cell[:MOST_CELL])
        return b""

    def finish(self) -> Iterator[bytes]:
        """Yield the workbook."""
        self._book.close()
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            yield chunk

    def close(self) -> None:
        """Remove what lies on disk."""
        # A workbook that is not whole would be written when it is collected, into a closed file.
        self._book.fileclosed = True
        self._rows_folder.cleanup()
        self._file.close()
