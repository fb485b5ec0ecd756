"""`siklus dev`: everything embedded, with a sample agency to try things on."""

import asyncio
import logging
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from siklus.services.cli import checks
from siklus.services.cli.output import Fault
from siklus.services.cli.running import read_settings, run_until_stopped
from siklus.services.local.sample import (
    AGENCY,
    EMPLOYEE,
    SUPERVISOR,
    ensure_sample,
    sample_cycle,
)
from siklus.services.local.stack import LocalStack, Ports
from siklus.services.rpc.pace import Pace
from siklus.services.telemetry import configure_logging

app = typer.Typer(add_completion=False)

TEMPORAL_PORT = 7233
UI_ABOVE = 1000
"""Temporal's page is found so far above Temporal's port, as its own tools have it."""


@app.command()
def dev(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of all data; default: .siklus.")
    ] = None,
    grpc_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="gRPC; default: 50051.")
    ] = None,
    web_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The mailbox's page; default: 8080.")
    ] = None,
    temporal_port: Annotated[
        int,
        typer.Option(min=1, max=65535 - UI_ABOVE, help="Temporal; its page is 1000 above."),
    ] = TEMPORAL_PORT,
) -> None:
    """Run everything embedded with a sample agency, until Ctrl-C; data survives a restart."""
    configure_logging(level=logging.WARNING, pretty=sys.stderr.isatty())
    settings = read_settings(data_dir=data_dir, grpc_port=grpc_port, web_port=web_port)
    ports = Ports(settings.grpc_port, settings.web_port, temporal_port, temporal_port + UI_ABOVE)
    pace = Pace(settings.rate_per_second, settings.rate_burst)
    targets = settings.webhook_allowed_targets
    checks.webhook_targets(targets)
    run_until_stopped(_dev(settings.data_dir, ports, pace, targets))


async def _dev(data_dir: Path, ports: Ports, pace: Pace, targets: str) -> None:
    typer.echo(f"starting in {data_dir} ...")
    try:
        async with LocalStack(data_dir, ports=ports, pace=pace, webhook_targets=targets) as stack:
            await ensure_sample(stack, data_dir)
            typer.echo(_welcome(stack, data_dir, ports))
            typer.echo(f"ready: gRPC on {stack.grpc_address}; Ctrl-C stops everything")
            try:
                await asyncio.Event().wait()
            finally:
                typer.echo("stopping ...")
    except OSError as error:
        if error.filename is None:
            raise
        message = f"{error.filename}: {error.strerror}"
        raise Fault("DATA_DIR", message, "choose another --data-dir") from None


def _welcome(stack: LocalStack, data_dir: Path, ports: Ports) -> str:
    siklus, buf = _program("siklus"), _program("buf")
    folder = "" if data_dir == Path(".siklus") else f" --data-dir {data_dir}"
    cycle = sample_cycle(data_dir)
    evaluation = f"agencies/{AGENCY}/cycles/{cycle}/evaluations/{EMPLOYEE}.1"

    def call(method: str, body: str, person: str) -> str:
        token = f"$({siklus} token --agency {AGENCY} --person {person}{folder})"
        return (
            f"{buf} curl --protocol grpc --http2-prior-knowledge \\\n"
            f'       -H "authorization: Bearer {token}" \\\n'
            f"       -d '{body}' \\\n"
            f"       http://{stack.grpc_address}/siklus.v1.{method}"
        )

    inbox = call("TaskService/ListTasks", f'{{"parent": "agencies/{AGENCY}"}}', SUPERVISOR)
    why = call("EvaluationService/ExplainWaiting", f'{{"name": "{evaluation}"}}', EMPLOYEE)
    page = stack.page.url if stack.page else ""
    return f"""
  gRPC        {stack.grpc_address} (reflection and health are on)
  mailbox     {page} (SMTP {stack.mailbox.host}:{stack.mailbox.port})
  Temporal    {stack.temporal.address}, its page http://127.0.0.1:{ports.temporal_ui}/
  PostgreSQL  127.0.0.1:{stack.postgres.port}, database siklus
  data        {data_dir.absolute()}

The sample agency {AGENCY!r} plans its year {cycle}: people p-0001 to p-0010. Try:

  1. What waits for supervisor {SUPERVISOR}?
     {inbox}

  2. Why does the evaluation of {EMPLOYEE} wait, for whom, and until when?
     {why}

  3. Read the mail that went to p-0006, whose plan came back: {page}
"""


def _program(name: str) -> str:
    """Return what to type for a program that was installed beside ours."""
    beside = Path(sys.executable).with_name(name)
    if not beside.exists() or shutil.which(name) == str(beside):
        return name
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)
