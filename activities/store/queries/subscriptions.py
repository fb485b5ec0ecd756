"""Receivers of events: made, read, paused, given new secrets, deleted.

Every function works on a connection that one agency was set on; those that change something, inside
its transaction. What changes a subscription locks its turn first, so that nobody works on it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import feed
from siklus.activities.store.queries.turns import lock, settle
from siklus.workflows.domain.values import AgencyId


class SubscriptionState(StrEnum):
    """What a subscription does."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A signing secret as it is stored: useless without the keyring."""

    keyring_key: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription without its secrets."""

    subscription: str
    url: str
    kinds: list[str]
    cycle: str | None
    state: SubscriptionState
    created_at: datetime
    old_secret_until: datetime | None
    pending: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Receiver:
    """What sending to a subscription needs: where to, what of, and what signs."""

    url: str
    kinds: list[str]
    cycle: str | None
    keyring_key: str
    secret: bytes
    old_keyring_key: str | None
    old_secret: bytes | None
    old_secret_until: datetime | None

    def wants(self, kind: str, cycle: str) -> bool:
        """Tell whether an event is sent to it."""
        return (not self.kinds or kind in self.kinds) and self.cycle in {None, cycle}

    def secrets(self, now: datetime) -> list[SealedSecret]:
        """Return those that sign at this moment, the newest first."""
        found = [SealedSecret(self.keyring_key, self.secret)]
        old_counts = self.old_secret_until is not None and now < self.old_secret_until
        if self.old_keyring_key and self.old_secret and old_counts:
            found.append(SealedSecret(self.old_keyring_key, self.old_secret))
        return found


# Two who create at once are counted one after the other.
LOCK_AGENCY = "SELECT FROM agency WHERE agency = %s FOR UPDATE"
COUNT = "SELECT count(*) FROM subscription WHERE agency = %s"
CREATE = """
    INSERT INTO subscription (agency, subscription, url, kinds, cycle, state, created_at,
        keyring_key, secret)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING subscription
"""
BEGIN = "INSERT INTO subscription_turn (agency, subscription, position) VALUES (%s, %s, %s)"
COLUMNS = """
    s.subscription, s.url, s.kinds, s.cycle, s.state, s.created_at, s.old_secret_until,
    (SELECT count(*) FROM delivery AS d WHERE d.agency = s.agency
        AND d.subscription = s.subscription AND d.state = 'PENDING') AS pending,
    (SELECT count(*) FROM delivery AS d WHERE d.agency = s.agency
        AND d.subscription = s.subscription AND d.state = 'DEAD') AS dead
"""
GET = f"""
    SELECT {COLUMNS} FROM subscription AS s WHERE s.agency = %s AND s.subscription = %s
"""  # noqa: S608 - constants alone
PAGE = f"""
    SELECT {COLUMNS} FROM subscription AS s WHERE s.agency = %s AND s.subscription > %s
    ORDER BY s.subscription LIMIT %s
"""  # noqa: S608 - constants alone
RECEIVER = """
    SELECT url, kinds, cycle, keyring_key, secret, old_keyring_key, old_secret, old_secret_until
    FROM subscription WHERE agency = %s AND subscription = %s
"""
ASKING_FOR = """
    SELECT subscription FROM subscription
    WHERE agency = %s AND %s = ANY (kinds) AND state = 'ACTIVE'
    ORDER BY subscription LIMIT 1
"""
SET_STATE = "UPDATE subscription SET state = %s WHERE agency = %s AND subscription = %s"
ROTATE = """
    UPDATE subscription SET old_keyring_key = keyring_key, old_secret = secret,
        old_secret_until = %s, keyring_key = %s, secret = %s
    WHERE agency = %s AND subscription = %s
"""
FORGET_OLD = """
    UPDATE subscription SET old_keyring_key = NULL, old_secret = NULL, old_secret_until = NULL
    WHERE agency = %s AND subscription = %s AND old_secret_until <= %s
"""
DELETE = (
    "DELETE FROM delivery WHERE agency = %s AND subscription = %s",
    "DELETE FROM subscription_turn WHERE agency = %s AND subscription = %s",
    "DELETE FROM subscription WHERE agency = %s AND subscription = %s",
)


async def count(connection: Connection, agency: AgencyId) -> int:
    """Return how many the agency has; until the transaction's end nobody else creates one."""
    await connection.execute(LOCK_AGENCY, (agency,))
    found = await (await connection.execute(COUNT, (agency,))).fetchone()
    return int(found[0]) if found else 0


async def create(
    connection: Connection, agency: AgencyId, row: SubscriptionRow, secret: SealedSecret
) -> bool:
    """Create it at the end of the feed; False if the agency has one of that id."""
    made = await connection.execute(
        CREATE,
        (
            agency,
            row.subscription,
            row.url,
            row.kinds,
            row.cycle,
            row.state,
            row.created_at,
            secret.keyring_key,
            secret.sealed,
        ),
    )
    if await made.fetchone() is None:
        return False
    await connection.execute(BEGIN, (agency, row.subscription, await feed.head(connection)))
    return True


async def get(
    connection: Connection, agency: AgencyId, subscription: str
) -> SubscriptionRow | None:
    """Return one, None if there is none of that id."""
    async with connection.cursor(row_factory=class_row(SubscriptionRow)) as cursor:
        return await (await cursor.execute(GET, (agency, subscription))).fetchone()


async def page(
    connection: Connection, agency: AgencyId, *, after: str, limit: int
) -> list[SubscriptionRow]:
    """Return the next ones by id."""
    async with connection.cursor(row_factory=class_row(SubscriptionRow)) as cursor:
        return await (await cursor.execute(PAGE, (agency, after, limit))).fetchall()


async def receiver(connection: Connection, agency: AgencyId, subscription: str) -> Receiver | None:
    """Return what sending needs, None if there is no such subscription."""
    async with connection.cursor(row_factory=class_row(Receiver)) as cursor:
        return await (await cursor.execute(RECEIVER, (agency, subscription))).fetchone()


async def asking_for(connection: Connection, agency: AgencyId, kind: str) -> str | None:
    """Return the first subscription that delivers and names a kind, None if there is none."""
    found = await (await connection.execute(ASKING_FOR, (agency, kind))).fetchone()
    return str(found[0]) if found else None


async def set_state(
    connection: Connection, agency: AgencyId, subscription: str, state: SubscriptionState
) -> bool:
    """Pause or resume it; False if there is none of that id."""
    if not await lock(connection, agency, subscription):
        return False
    await connection.execute(SET_STATE, (state, agency, subscription))
    await settle(connection, agency, subscription)
    return True


async def rotate(
    connection: Connection,
    agency: AgencyId,
    subscription: str,
    secret: SealedSecret,
    *,
    old_until: datetime,
) -> bool:
    """Let another secret sign, and the one until now as well for a while; False if none is there.

    The one before that signs no more.
    """
    if not await lock(connection, agency, subscription):
        return False
    await connection.execute(
        ROTATE, (old_until, secret.keyring_key, secret.sealed, agency, subscription)
    )
    return True


async def forget_old_secret(
    connection: Connection, agency: AgencyId, subscription: str, *, now: datetime
) -> None:
    """Erase the secret before if it signs no more."""
    if await lock(connection, agency, subscription):
        await connection.execute(FORGET_OLD, (agency, subscription, now))


async def delete(connection: Connection, agency: AgencyId, subscription: str) -> bool:
    """Delete it with all its deliveries; False if there is none of that id."""
    if not await lock(connection, agency, subscription):
        return False
    for statement in DELETE:
        await connection.execute(statement, (agency, subscription))
    return True
