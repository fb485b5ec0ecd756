"""Whose turn it is: which subscriptions have something to read in the feed, or to send."""

from datetime import datetime
from typing import NamedTuple

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId


class Turn(NamedTuple):
    """One subscription of one agency."""

    agency: AgencyId
    subscription: str


# Asked as the feed's reader, who sees every agency's turns and places in the feed.
DUE = """
    SELECT agency, subscription FROM subscription_turn AS turn
    WHERE due_at <= %s OR EXISTS (
        SELECT FROM feed WHERE feed.agency = turn.agency AND feed.position > turn.position
    )
"""
EVERY = "SELECT agency, subscription FROM subscription_turn"
LOCK = """
    SELECT position FROM subscription_turn WHERE agency = %s AND subscription = %s FOR UPDATE
"""
# The first by an index, however many wait: this runs twice for each attempt.
SETTLE = """
    UPDATE subscription_turn AS turn
    SET position = greatest(position, %(position)s), due_at = CASE
        WHEN (
            SELECT state FROM subscription
            WHERE agency = %(agency)s AND subscription = %(subscription)s
        ) = 'ACTIVE' THEN (
            SELECT next_attempt_at FROM delivery
            WHERE agency = %(agency)s AND subscription = %(subscription)s AND state = 'PENDING'
            ORDER BY next_attempt_at LIMIT 1
        )
    END
    WHERE turn.agency = %(agency)s AND turn.subscription = %(subscription)s
"""


async def due(connection: Connection, now: datetime) -> list[Turn]:
    """Return every agency's subscriptions that have something to do; for the feed's reader."""
    rows = await (await connection.execute(DUE, (now,))).fetchall()
    return [Turn(*row) for row in rows]


async def every(connection: Connection) -> list[Turn]:
    """Return every agency's subscriptions; for the feed's reader."""
    return [Turn(*row) for row in await (await connection.execute(EVERY)).fetchall()]


async def lock(connection: Connection, agency: AgencyId, subscription: str) -> bool:
    """Keep others from the subscription until the transaction's end; False if it is not there."""
    return await position(connection, agency, subscription) is not None


async def lock_unseen(connection: Connection, turn: Turn) -> None:
    """Lock without waiting for the answer, in a pipeline whose statements do nothing without it."""
    await connection.execute(LOCK, turn)


async def position(connection: Connection, agency: AgencyId, subscription: str) -> int | None:
    """Lock the turn and return how far it has read the feed, None if it is not there."""
    found = await (await connection.execute(LOCK, (agency, subscription))).fetchone()
    return int(found[0]) if found else None


async def settle(
    connection: Connection, agency: AgencyId, subscription: str, *, read_to: int = 0
) -> None:
    """Note when the next delivery is due, and how far the feed was read; the turn is locked."""
    given = {"agency": agency, "subscription": subscription, "position": read_to}
    await connection.execute(SETTLE, given)
