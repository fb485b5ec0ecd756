"""What `siklus keys` does beyond the keyring's file: stored data keys, schedules, old runs."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
import typer
from temporalio.client import Client
from temporalio.service import RPCError

from siklus.activities import rewrapping
from siklus.activities.keyring import Keyring
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.services import rotation
from siklus.services.cli import checks
from siklus.services.cli.output import Fault
from siklus.services.settings import Settings
from siklus.workflows.domain.values import AgencyId

AGAIN = "`siklus keys rewrap` goes on"


@dataclass(frozen=True, slots=True)
class InUse:
    """Everything that keys are needed for, in reach."""

    store: Store
    client: Client
    agencies: list[AgencyId]
    keyring: Keyring

    async def rewrap(self) -> dict[str, int]:
        """Wrap and encrypt by the current key what lasts, and tell how much it was."""
        current = self.keyring.current
        counted = await rewrapping.counted(self.store, self.agencies)
        waiting = counted.total() - counted[current]
        with typer.progressbar(length=waiting, label="stored keys", file=sys.stderr) as bar:
            done = await rewrapping.rewrap(self.store, self.keyring, self.agencies, bar.update)
        schedules = 0
        async for handle in rotation.schedules_not_under(self.client, current):
            await rotation.renew_schedule(self.client, handle)
            schedules += 1
        return {
            "stored_keys": done.wrapped,
            "unreadable": done.unreadable,
            "schedules": schedules,
        }

    async def must_not_need(self, key_id: str, until: datetime | None, now: datetime) -> None:
        """Raise `Fault` while anything needs a key that was current until then, if ever."""
        counted = await rewrapping.counted(self.store, self.agencies)
        if counted[key_id]:
            raise _needed(
                f"{counted[key_id]} stored keys and secrets are wrapped by {key_id}", AGAIN
            )
        if until is None:
            hint = "only a key that `siklus keys rotate` replaced can be retired"
            raise _needed(f"nobody wrote down until when {key_id} was current", hint)
        settled = until + rotation.SETTLED
        if now < settled:
            hint = f"wait until {settled.isoformat(timespec='seconds')}"
            raise _needed(f"some process may still write under {key_id}", hint)
        schedules = await rotation.schedules_under(self.client, key_id)
        if schedules:
            raise _needed(f"{schedules} schedules are encrypted by {key_id}", AGAIN)
        runs = await rotation.runs_begun_before(self.client, settled)
        if runs:
            hint = "they end with their evaluations and leave Temporal with its retention"
            raise _needed(f"Temporal keeps {runs} runs from the time of {key_id}", hint)


@asynccontextmanager
async def in_use(settings: Settings, keyring: Keyring) -> AsyncIterator[InUse]:
    """Connect to everything first, so that nothing is begun that cannot be ended; or `Fault`."""
    url = settings.database_url.get_secret_value()
    await checks.database_must_be_ready(url)
    try:
        agencies = await rewrapping.agencies(settings.feed_database_url.get_secret_value())
    except psycopg.Error as error:
        raise checks.no_database("SIKLUS_FEED_DATABASE_URL", error) from None
    client = await checks.connected(settings, keyring)
    try:
        async with Store(url) as store:
            yield InUse(store, client, agencies, keyring)
    except (StoreUnavailable, RPCError) as error:
        raise Fault("CUT_SHORT", f"it was cut short: {error}", AGAIN) from None


def _needed(why: str, hint: str) -> Fault:
    return Fault("KEY_NEEDED", why, hint)
