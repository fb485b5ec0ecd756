"""As a program: the worker or the gRPC server of Siklus, each in a process of its own."""

import asyncio
import os
import sys

import uvloop

from siklus.activities.keyring import Keyring
from siklus.activities.mail.post import SmtpMailer
from siklus.activities.store.pool import Store
from siklus.services.auth.keys import FixedKeys, load_keys
from siklus.services.auth.tokens import TokenVerifier
from siklus.services.clock import Clock
from siklus.services.server import Parts, running_server
from siklus.services.settings import Settings
from siklus.services.temporal import connect
from siklus.services.worker import running_worker


async def run(kind: str) -> None:
    """Serve until killed."""
    settings, clock = Settings(), Clock()
    assert settings.text_keys is not None
    assert settings.token_keys is not None
    keyring = Keyring.load(settings.text_keys)
    client = await connect(settings)
    async with Store(settings.database_url.get_secret_value()) as store:
        if kind == "worker":
            mailer = SmtpMailer(settings.smtp_host, settings.smtp_port, settings.smtp_from)
            async with running_worker(client, store, keyring, mailer, clock):
                print("ready 0", flush=True)
                await asyncio.Event().wait()
        keys = FixedKeys(load_keys(settings.token_keys))
        verifier = TokenVerifier(keys, settings.token_issuer, settings.token_audience, clock)
        parts = Parts(store, client, keyring, verifier, clock)
        async with running_server(parts, "127.0.0.1:0") as port:
            print(f"ready {port}", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1]))
    os._exit(0)
