"""How far a long command is: a bar on a terminal, a line now and then in a pipe."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[int, int], None]
"""Takes how much is done, and of how much."""
SECONDS_BETWEEN_LINES = 5.0
"""In a pipe; what takes less says nothing."""


@contextmanager
def progress_of(what: str) -> Iterator[Show]:
    """Show progress on standard error, so that standard output stays what it is."""
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    # Imported here: a pipe never pays for it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(what: str) -> Show:
    said_at = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES:
            said_at = time.monotonic()
            sys.stderr.write(f"{what}: {done} of {total}\n")

    return show
