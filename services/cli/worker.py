"""`siklus worker`: runs workflows and their activities for an installation."""

import asyncio

import typer
from temporalio.runtime import Runtime

from siklus.activities.mail.post import SmtpMailer
from siklus.activities.store.pool import Store
from siklus.services.cli import checks
from siklus.services.cli.running import read_settings, run_until_stopped
from siklus.services.couriers import Stores, running_courier
from siklus.services.settings import Settings
from siklus.services.telemetry import configure_logging, runtime
from siklus.services.worker import running_worker

app = typer.Typer(add_completion=False)


@app.command()
def worker() -> None:
    """Take work until stopped; settings come from `SIKLUS_*` or a TOML file."""
    configure_logging()
    run_until_stopped(_work(read_settings()))


async def _work(settings: Settings) -> None:
    clock = checks.wall_clock(settings)
    keyring = checks.text_keyring(settings.text_keys)
    checks.port_must_be_free(settings.metrics_host, settings.metrics_port)
    Runtime.set_default(runtime(f"{settings.metrics_host}:{settings.metrics_port}"))
    url = settings.database_url.get_secret_value()
    await checks.database_must_be_ready(url)
    targets = checks.webhook_targets(settings.webhook_allowed_targets)
    stores = Stores(url, settings.feed_database_url.get_secret_value())
    client = await checks.connected(settings, keyring)
    async with (
        Store(url) as store,
        running_worker(
            client,
            store,
            keyring,
            mailer(settings),
            clock,
            targets=targets,
            default_language=settings.default_language,
        ),
        running_courier(stores, keyring, targets, clock),
    ):
        typer.echo(f"ready: work from {settings.temporal_address}")
        await asyncio.Event().wait()


def mailer(settings: Settings) -> SmtpMailer:
    """Return the mail server of the settings."""
    password = settings.smtp_password
    return SmtpMailer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_from,
        username=settings.smtp_username,
        password=password.get_secret_value() if password is not None else None,
        starttls=settings.smtp_starttls,
    )
