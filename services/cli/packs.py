"""Finding the pack that a command names: a shipped one, or a file."""

from pathlib import Path
from typing import Annotated

import typer

from siklus.services.cli.output import Fault
from siklus.workflows.domain.pack_source import MAX_BYTES
from siklus.workflows.domain.packs import PolicyPack, load
from siklus.workflows.domain.problems import PolicyInvalid
from siklus.workflows.packs import shipped, source_of

Pack = Annotated[str, typer.Option(help="A shipped pack's name, or a file.")]


def read_source(name_or_path: str) -> bytes:
    """Return a pack as it is written; a shipped name wins over a file. Raises `Fault`."""
    if name_or_path in shipped():
        return source_of(name_or_path)
    try:
        with Path(name_or_path).open("rb") as file:
            # One byte more than allowed is enough to refuse it, however long the file is.
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        known = ", ".join(shipped())
        message = f"{name_or_path!r} is neither a shipped pack nor a file"
        raise Fault("NO_SUCH_PACK", message, f"shipped are {known}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        message = f"{name_or_path!r} cannot be read: {why}"
        raise Fault("UNREADABLE", message, "name a YAML file") from None


def read_pack(name_or_path: str) -> PolicyPack:
    """Return a pack that passed every check, or raise `Fault`."""
    try:
        return load(read_source(name_or_path))
    except PolicyInvalid as invalid:
        first, count = invalid.problems[0], len(invalid.problems)
        message = f"{name_or_path!r} has {count} problem(s), first {first.path}: {first.message}"
        hint = f"`siklus policy check {name_or_path}` shows all"
        raise Fault("POLICY_INVALID", message, hint) from None
