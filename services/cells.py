"""Cells of the tables that we hand out: none that a spreadsheet would run."""

from typing import Final

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
