"""The command `siklus`: finds the subcommand, tells mistakes in one line, ends the process."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from siklus.services.cli.output import Fault, tell_fault
from siklus.services.cli.registry import LazyCommands

app = typer.Typer(
    cls=LazyCommands,
    help="The yearly performance-evaluation cycles of civil-service agencies.",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"siklus {version('siklus')}")
        raise typer.Exit


@app.callback()
def _siklus(
    version_only: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Keep `siklus` a group, whatever the number of its commands."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 2 a mistake of the user's."""
    as_json = "--json" in arguments
    command = typer.main.get_command(app)
    try:
        code = command.main([*arguments] or ["--help"], prog_name="siklus", standalone_mode=False)
    except Fault as fault:
        tell_fault(fault, as_json=as_json)
        return fault.exit_code
    except typer.TyperException as mistake:
        told = mistake.format_message().replace("Value error, ", "")
        text = " ".join(told.split()).rstrip(".")
        hint = "`siklus --help` shows what there is"
        tell_fault(Fault("USAGE", text, hint), as_json=as_json)
        return mistake.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """Run `siklus` and end the process with the exit code of the command, and no other.

    A process that used the Temporal client may abort while the interpreter shuts down, which
    would falsify the exit code: so it ends at once, after everything was written out.
    """
    try:
        code = run(sys.argv[1:])
    except BrokenPipeError:
        code = 1
    except Exception:  # the last line of defence: a fault of ours, told in full
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)
