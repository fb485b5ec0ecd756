"""Run as a program: a courier that dies at once when a receiver has taken its first event."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from siklus.activities.keyring import Keyring
from siklus.activities.store.pool import Store
from siklus.activities.webhooks.courier import Courier
from siklus.activities.webhooks.sender import Outcome, Sender
from siklus.activities.webhooks.targets import Targets
from siklus.services.clock import Clock


class Deadly(Sender):
    async def post(self, target: str, headers: Mapping[str, str], body: str) -> Outcome:
        await super().post(target, headers, body)
        os.kill(os.getpid(), 9)
        raise AssertionError


async def main(url: str, feed_url: str, keyring: str) -> None:
    now = Clock().now
    async with (
        Store(url) as store,
        Store(feed_url) as feed,
        Deadly(Targets.of("127.0.0.0/8"), now) as sender,
    ):
        await Courier(store, feed, Keyring.load(Path(keyring)), sender, now).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
