"""`siklus serve`: the gRPC server of an installation."""

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from siklus.activities.store.pool import Store
from siklus.services.auth.jwks import RemoteKeys
from siklus.services.auth.tokens import TokenVerifier
from siklus.services.cli import checks, trust
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
    """Serve until cancelled, or raise `Fault` for the first thing that is missing.

    An identity provider that does not answer is waited for while serving, unhealthy until then:
    what restarts meanwhile would otherwise stay down for longer than it.
    """
    clock = checks.wall_clock(settings)
    source, tls = trust.token_keys(settings), trust.server_tls(settings)
    keyring = checks.text_keyring(settings.text_keys)
    checkpoints = checks.checkpoint_keys(settings.checkpoint_keys)
    host, port = settings.grpc_host, settings.grpc_port
    checks.port_must_be_free(host, port, shared=share_port)
    url = settings.database_url.get_secret_value()
    await checks.database_must_be_ready(url)
    client = await checks.connected(settings, keyring)
    pace = Pace(settings.rate_per_second, settings.rate_burst)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    verifier = TokenVerifier(source, settings.token_issuer, settings.token_audience, clock)
    async with AsyncExitStack() as running:
        remote = source if isinstance(source, RemoteKeys) else None
        if remote is not None:
            await running.enter_async_context(remote)
        store = await running.enter_async_context(Store(url))
        targets = checks.webhook_targets(settings.webhook_allowed_targets)
        feed_url = settings.feed_database_url.get_secret_value()
        parts = Parts(
            store, client, keyring, verifier, clock, pace, checkpoints, targets, feed_url=feed_url
        )
        usable = remote.usable() if remote is not None else None
        await running.enter_async_context(running_server(parts, address, tls=tls, usable=usable))
        typer.echo(f"ready: gRPC on {address}, {trust.mode(tls)}")
        if not source.keys():
            typer.echo("the identity provider does not answer: nobody is let in until it does")
        await asyncio.Event().wait()
