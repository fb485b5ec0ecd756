"""Files that commands write: whole or not at all, and for their owner alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from siklus.services.cli.output import Fault


@contextmanager
def whole_file(file: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name once everything was written.

    Raises `Fault` when it cannot be written.
    """
    if not file.name:
        raise Fault("NOT_WRITTEN", f"{str(file)!r} names no file")
    unfinished = file.with_name(f"{file.name}.part")
    try:
        opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "wb") as out:
            yield out
        unfinished.replace(file)
    except OSError as error:
        raise Fault("NOT_WRITTEN", f"{file} cannot be written: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
