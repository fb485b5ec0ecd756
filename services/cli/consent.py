"""Before something is changed that cannot be taken back: show what, and ask."""

import sys
from typing import Annotated, Final

import typer

from siklus.services.cli.output import Fault, plain

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

SENT_AGAIN: Final = (
    "this cannot be done now; if it was done under this request id before, its answer comes again"
)
"""The preview of a request whose effect may stand already."""


def confirm(preview: str, *, yes: bool, question: str = "Go on?") -> None:
    """Show the preview on standard error and return once somebody agreed; else raise `Fault`.

    `yes` agrees beforehand. Where nobody can be asked, because there is no terminal, nothing is
    agreed to.
    """
    for line in preview.rstrip("\n").split("\n"):
        sys.stderr.write(plain(line) + "\n")
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        message = "nothing was changed, because nobody is there to agree"
        raise Fault("NOT_CONFIRMED", message, "look at what it would do, then add --yes")
    if not typer.confirm(question, err=True):
        raise Fault("NOT_CONFIRMED", "nothing was changed, as you wished")
