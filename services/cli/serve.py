"""`siklus serve`: the gRPC server of an installation."""

import asyncio
from typing import Annotated

import typer

from siklus.activities.store.pool import Store
from siklus.services.cli import checks
from siklus.services.cli.running import read_settings, run_until_stopped
from siklus.services.rpc.pace import Pace
from siklus.services.server import Parts, running_server
from siklus.services.settings import Settings
from siklus.services.telemetry import configure_logging

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    share_port: Annotated[
        bool, typer.Option(help="Let several `siklus serve` answer on one port, one a core.")
    ] = False,
) -> None:
    """Serve gRPC until stopped; settings come from `SIKLUS_*` or a TOML file."""
    configure_logging()
    run_until_stopped(serving(read_settings(), share_port=share_port))


async def serving(settings: Settings, *, share_port: bool = False) -> None:
    """Serve until cancelled, or raise `Fault` for the first thing that is missing."""
    clock = checks.wall_clock(settings)
    verifier = checks.token_verifier(settings, clock)
    keyring = checks.text_keyring(settings.text_keys)
    checkpoints = checks.checkpoint_keys(settings.checkpoint_keys)
    host, port = settings.grpc_host, settings.grpc_port
    checks.port_must_be_free(host, port, shared=share_port)
    url = settings.database_url.get_secret_value()
    await checks.database_must_be_ready(url)
    client = await checks.connected(settings, keyring)
    pace = Pace(settings.rate_per_second, settings.rate_burst)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    async with (
        Store(url) as store,
        running_server(Parts(store, client, keyring, verifier, clock, pace, checkpoints), address),
    ):
        typer.echo(f"ready: gRPC on {address}")
        await asyncio.Event().wait()
