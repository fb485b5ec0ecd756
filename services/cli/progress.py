"""How far a long command is: a bar on a terminal, nothing in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[int, int], None]
"""Takes how much is done, and of how much."""


@contextmanager
def progress_of(what: str) -> Iterator[Show]:
    """Show progress on standard error, so that standard output stays what it is."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    # Imported here: a pipe never pays for it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
