"""Giving events their positions, as the role that sees of every agency ids, numbers and hashes.

Whoever sequences holds one advisory lock for as long as the session lives, and works in one
statement at a time: so positions are handed out by one, in one order, and each batch is committed
before the next one is begun. Events that are not committed yet are not seen and hold nothing up.
"""

from dataclasses import dataclass

from siklus.activities.store.pool import Connection

LOCK = 0x51C1_05FE_ED00
"""Siklus's own number among the database's advisory locks."""
CHANNEL = "siklus_feed"
"""Where word is sent that the feed has grown."""

TAKE_LEAD = "SELECT pg_try_advisory_lock(%s)"
# Whoever is stopped or cut off and holds the lock loses its session, and another takes over.
LEADS_ONLY_WHILE_AWAKE = "SELECT set_config('idle_session_timeout', %s, false)"
# By arrival: of two events, one of which was written after the other had been committed, that is
# the right order, and so is it within one evaluation, whose writers wait for each other.
SEQUENCE = """
    WITH gone AS (
        DELETE FROM unsequenced WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM unsequenced ORDER BY arrival LIMIT %s
        ))
        RETURNING arrival, agency, cycle, person, segment, number, hash
    ), placed AS (
        INSERT INTO feed (position, agency, cycle, person, segment, number, hash)
        SELECT (SELECT coalesce(max(position), 0) FROM feed) + row_number() OVER (ORDER BY arrival),
            agency, cycle, person, segment, number, hash
        FROM gone
        ON CONFLICT DO NOTHING
        RETURNING position
    )
    SELECT count(*), pg_notify(%s, '') FROM placed HAVING count(*) > 0
"""
LISTEN = f"LISTEN {CHANNEL}"
GROWN = """
    SELECT agency, max(position) FROM feed WHERE position > %s GROUP BY agency
"""
HEAD = "SELECT coalesce(max(position), 0) FROM feed"


@dataclass(frozen=True, slots=True)
class Grown:
    """How far the feed of one agency has come."""

    agency: str
    position: int


async def take_lead(connection: Connection, *, awake: float) -> bool:
    """Become the one who sequences, unless another is; the session then lives while it is used.

    `awake` is how many seconds it may stay unused.
    """
    row = await (await connection.execute(TAKE_LEAD, (LOCK,))).fetchone()
    if row is None or not row[0]:
        return False
    await connection.execute(LEADS_ONLY_WHILE_AWAKE, (f"{awake * 1000:.0f}",))
    return True


async def sequence(connection: Connection, limit: int) -> int:
    """Give at most so many committed events their positions; return how many got one."""
    row = await (await connection.execute(SEQUENCE, (limit, CHANNEL))).fetchone()
    return int(row[0]) if row else 0


async def listen(connection: Connection) -> None:
    """Be told from now on when the feed grows."""
    await connection.execute(LISTEN)


async def word(connection: Connection, *, within: float) -> None:
    """Wait until told that the feed has grown, or so many seconds."""
    async for _ in connection.notifies(timeout=within, stop_after=1):
        pass


async def grown(connection: Connection, position: int) -> list[Grown]:
    """Return every agency whose feed goes beyond a position."""
    rows = await (await connection.execute(GROWN, (position,))).fetchall()
    return [Grown(*row) for row in rows]


async def head(connection: Connection) -> int:
    """Return the last position of all."""
    row = await (await connection.execute(HEAD)).fetchone()
    return int(row[0]) if row else 0
