"""CSV files that we write: RFC 4180, UTF-8, and no cell that a spreadsheet would run."""

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Final

import typer

from siklus.services.cli.output import Fault

AsCsv = Annotated[str | None, typer.Option("--csv", help="Write CSV to this file; `-` prints it.")]
Cell = str | int | None

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for a formula, or skip on their way to one; wide forms count too."""
_SHIELD: Final = "'"


def harmless(cell: Cell) -> Cell:
    """Return the cell with an apostrophe in front of a text that a spreadsheet would run.

    One that looks as if it had one already gets another, so that `as_meant` takes that off.
    """
    return _SHIELD + cell if isinstance(cell, str) and _runs(cell) else cell


def as_meant(written: str) -> str:
    """Return what `harmless` was given: files that we wrote may be read again."""
    return written[1:] if written[:1] == _SHIELD and _runs(written) else written


def _runs(text: str) -> bool:
    return text.lstrip(_SHIELD).startswith(_BEGINS_A_FORMULA)


def write_sheet(where: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a CSV file that its owner alone may read, `-` for standard output; return its rows.

    Raises `Fault` when it cannot be written; a file appears whole or not at all.
    """
    with _opened(where) as out:
        sheet = csv.writer(out, lineterminator="\r\n")
        sheet.writerow(columns)
        written = 0
        for row in rows:
            sheet.writerow([harmless(cell) for cell in row])
            written += 1
    return written


@contextmanager
def _opened(where: str) -> Iterator[IO[str]]:
    if where == "-":
        yield sys.stdout
        return
    file = Path(where)
    if not file.name:
        raise Fault("NOT_WRITTEN", f"{where!r} names no file")
    unfinished = file.with_name(f"{file.name}.part")
    try:
        opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8", newline="") as out:
            yield out
        unfinished.replace(file)
    except OSError as error:
        raise Fault("NOT_WRITTEN", f"{where} cannot be written: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
