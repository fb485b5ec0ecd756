"""An agency whose events go out by webhook, with a clock that a test moves."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import deliveries, sequence, subscriptions
from siklus.activities.store.queries.deliveries import DeliveryRow, DeliveryState
from siklus.activities.store.queries.roster import register
from siklus.activities.store.queries.subscriptions import SubscriptionRow, SubscriptionState
from siklus.activities.store.queries.turns import Turn
from siklus.activities.vault import Vault
from siklus.activities.webhooks.courier import Courier, Pace
from siklus.activities.webhooks.sender import Sender
from siklus.activities.webhooks.signing import SecretBox, new_secret
from siklus.activities.webhooks.targets import Targets
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId
from tests.store.case import Case

KEYRING = Keyring.generate()
LOOPBACK = Targets.of("127.0.0.0/8")
PATIENCE = 8.0
LONG_AGO = 2**63 - 1
FAST = Pace(look=0.01, rest=0)


@dataclass
class Mailroom:
    """One agency; its courier serves every agency of the server."""

    postgres: LocalPostgres
    store: Store
    agency: AgencyId
    tls: ssl.SSLContext
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    cases: dict[str, Case] = field(default_factory=dict)

    async def subscribe(
        self, url: str, subscription: str = "esb", *, kinds: Sequence[str] = (), cycle: str = ""
    ) -> str:
        """Subscribe a receiver to what comes from now on; return its secret."""
        secret = new_secret()
        row = SubscriptionRow(
            subscription=subscription,
            url=url,
            kinds=list(kinds),
            cycle=cycle or None,
            state=SubscriptionState.ACTIVE,
            created_at=self.now,
            old_secret_until=None,
        )
        sealed = SecretBox(KEYRING).seal(self.agency, subscription, secret)
        async with self.store.agency(self.agency) as connection, connection.transaction():
            await register(connection, self.agency, self.agency, at=self.now)
            assert await subscriptions.create(connection, self.agency, row, sealed)
        return secret

    async def record(self, *people: str, returned: bool = False, cycle: str = "2026") -> None:
        """Somebody's year begins (event 1); a plan follows (2), and may be returned (3)."""
        projector = Projector(self.store, Vault(KEYRING))
        for person in people:
            case = Case(self.agency, person, cycle)
            await projector.project(case.taken())
            await projector.project(case.submits_plan().taken())
            if returned:
                await projector.project(case.plan_returned().taken())
        await self.sequenced()

    async def sequenced(self) -> None:
        async with await Connection.connect(self.postgres.feed_url, autocommit=True) as feed:
            while await sequence.sequence(feed, 1000):
                pass

    @asynccontextmanager
    async def courier(
        self,
        pace: Pace = FAST,
        *,
        targets: Targets = LOOPBACK,
        patience: float = 5.0,
    ) -> AsyncIterator[None]:
        """Run a courier while the block is open."""
        async with (
            Store(self.postgres.app_url, size=4, patience=5) as store,
            Store(self.postgres.feed_url, size=1) as feed,
            Sender(targets, lambda: self.now, timeout=patience, tls=self.tls) as sender,
        ):
            courier = Courier(store, feed, KEYRING, sender, lambda: self.now, pace=pace)
            running = asyncio.create_task(courier.run())
            try:
                yield
            finally:
                running.cancel()
                await asyncio.wait([running])

    async def ledger(self, subscription: str = "esb") -> list[DeliveryRow]:
        """Every delivery, the oldest first."""
        async with self.store.agency(self.agency) as connection:
            turn = Turn(self.agency, subscription)
            found = await deliveries.page(connection, turn, None, before=LONG_AGO, limit=1000)
        return found[::-1]

    async def until(
        self, met: Callable[[list[DeliveryRow]], bool], subscription: str = "esb"
    ) -> list[DeliveryRow]:
        """Wait until the ledger looks like that."""
        deadline = monotonic() + PATIENCE
        while not met(rows := await self.ledger(subscription)):
            assert monotonic() < deadline, rows
            await asyncio.sleep(0.01)
        return rows

    async def delivered(self, count: int, subscription: str = "esb") -> list[DeliveryRow]:
        """Wait until so many were taken."""
        return await self.until(
            lambda rows: [row.state for row in rows].count(DeliveryState.DELIVERED) >= count,
            subscription,
        )

    async def paused(self, *, state: SubscriptionState = SubscriptionState.PAUSED) -> None:
        async with self.store.agency(self.agency) as connection, connection.transaction():
            assert await subscriptions.set_state(connection, self.agency, "esb", state)

    async def row(self) -> SubscriptionRow:
        async with self.store.agency(self.agency) as connection:
            found = await subscriptions.get(connection, self.agency, "esb")
        assert found is not None
        return found

    async def rotated(self, overlap: timedelta) -> str:
        secret = new_secret()
        sealed = SecretBox(KEYRING).seal(self.agency, "esb", secret)
        async with self.store.agency(self.agency) as connection, connection.transaction():
            until = self.now + overlap
            assert await subscriptions.rotate(
                connection, self.agency, "esb", sealed, old_until=until
            )
        return secret

    async def replayed(self, *ids: str) -> int | None:
        async with self.store.agency(self.agency) as connection, connection.transaction():
            return await deliveries.replay(connection, Turn(self.agency, "esb"), ids, self.now)

    async def closed(self) -> None:
        """Delete every subscription, so that no later courier sends for this agency."""
        async with self.store.agency(self.agency) as connection, connection.transaction():
            for row in await subscriptions.page(connection, self.agency, after="", limit=100):
                await subscriptions.delete(connection, self.agency, row.subscription)
