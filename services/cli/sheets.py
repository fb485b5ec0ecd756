"""CSV files that commands write: RFC 4180, UTF-8, and no cell that a spreadsheet would run."""

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from siklus.services.cells import Cell, as_meant, harmless
from siklus.services.cli.output import Fault

__all__ = ["AsCsv", "Cell", "as_meant", "harmless", "write_sheet"]

AsCsv = Annotated[str | None, typer.Option("--csv", help="Write CSV to this file; `-` prints it.")]


def write_sheet(where: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a CSV file that its owner alone may read, `-` for standard output; return its rows.

    Raises `Fault` when it cannot be written; a file appears whole or not at all.
    """
    with opened(where) as out:
        put, written = sheet_on(out, columns), 0
        for row in rows:
            put(row)
            written += 1
    return written


def sheet_on(out: IO[str], columns: Sequence[str]) -> Callable[[Sequence[Cell]], None]:
    """Begin a sheet; return what adds a row to it."""
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerow(columns)
    return lambda row: sheet.writerow([harmless(cell) for cell in row])


@contextmanager
def opened(where: str) -> Iterator[IO[str]]:
    """Open a file that its owner alone may read and that appears whole or not at all, or `-`."""
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
