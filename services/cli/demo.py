"""`siklus demo`: a small agency through a whole year, in virtual time."""

import logging
import sys

import typer

from siklus.services.cli.running import run_until_stopped
from siklus.services.telemetry import configure_logging

app = typer.Typer(add_completion=False)


@app.command()
def demo() -> None:
    """Play a year of 25 people and of 5 more in a minute; exit code 1 if a count is off."""
    typer.echo("Starting PostgreSQL, Temporal, a worker, the gRPC server and a mailbox ...")
    # Imported here, so that the line above does not wait for it.
    from siklus.services.demo.play import play
    from siklus.services.demo.tables import Screen

    configure_logging(level=logging.WARNING, pretty=sys.stderr.isatty())
    agreed = False

    async def run() -> None:
        nonlocal agreed
        agreed = not any([each.disagreements() for each in await play(Screen())])

    run_until_stopped(run())
    if not agreed:
        raise typer.Exit(1)
