"""How commands speak: colour on a terminal, plain lines in a pipe, JSON when asked."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class Fault(Exception):  # noqa: N818 - a mistake of the user's, told in one line
    """What is wrong, why, and how to go on; ends the command with `exit_code`."""

    exit_code = 2

    def __init__(
        self, code: str, message: str, hint: str = "", *, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.fields = dict(fields or {})
        """Path → what is wrong there, where an answer of the API names fields."""


class Unanswered(Fault):
    """The caller did nothing wrong: who should answer is away, late or at fault."""

    exit_code = 1


def plain(text: str) -> str:
    """Return a text of one line with nothing in it that a terminal would obey.

    Reasons and messages are shown as somebody else typed them.
    """
    return "".join(char if char.isprintable() else " " for char in text)


def tell_fault(fault: Fault, *, as_json: bool) -> None:
    """Write a fault to standard error, as one line or as JSON."""
    if as_json:
        error: dict[str, object] = {"code": fault.code, "message": fault.message}
        error |= {"hint": fault.hint} | ({"fields": fault.fields} if fault.fields else {})
        print_json({"error": error}, error=True)
        return
    line = f"siklus: {fault.message}" + (f"; {fault.hint}" if fault.hint else "")
    sys.stderr.write(plain(line) + "\n")


def print_json(value: Mapping[str, object], *, error: bool = False) -> None:
    """Print one JSON object."""
    stream = sys.stderr if error else sys.stdout
    stream.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_lines(lines: Mapping[str, str], *, strong: str = "") -> None:
    """Print `name  value` lines, the one named `strong` standing out on a terminal."""
    width = max(len(name) for name in lines)
    rows = [(name, plain(f"{name:<{width}}  {value}")) for name, value in lines.items()]
    if not sys.stdout.isatty():
        sys.stdout.write("".join(f"{row}\n" for _, row in rows))
        return
    # Imported here: a pipe or `--json` never pays for it.
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    for name, row in rows:
        console.print(Text(row, style="bold green" if name == strong else ""))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their column names; aligned plain lines in a pipe."""
    rows = [[plain(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        lines = [columns, *rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
        for line in lines:
            cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
            sys.stdout.write("  ".join(cells).rstrip() + "\n")
        return
    # Imported here: a pipe or `--json` never pays for it.
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Not as markup: somebody's name may hold brackets.
        table.add_row(*map(Text, row))
    Console().print(table)
