"""The ledger of deliveries: what is to be sent, taken up, and what became of it.

Within one evaluation a delivery waits, with no instant of its own, until the one before is
delivered or given up. Every function that changes something works inside a transaction and locks
the turn.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.subscriptions import RECEIVER, Receiver
from siklus.activities.store.queries.turns import Turn, lock, lock_unseen, settle


class DeliveryState(StrEnum):
    """What became of a delivery."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


class Evaluation(NamedTuple):
    """An evaluation within its agency: events of one are sent one after the other."""

    cycle: str
    person: str
    segment: int


@dataclass(frozen=True, slots=True)
class New:
    """An event to send, as the envelope that is sent."""

    delivery: str
    position: int
    cycle: str
    person: str
    segment: int
    number: int
    kind: str
    recorded_at: str
    body: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that was taken up: nobody else sends it for a while."""

    delivery: str
    cycle: str
    person: str
    segment: int
    body: str
    attempts: int
    """Counts this one."""


@dataclass(frozen=True, slots=True)
class Note:
    """What came of an attempt; `next_attempt_at` None ends a delivery that is not pending."""

    state: DeliveryState
    status: int
    error: str
    next_attempt_at: datetime | None
    at: datetime
    pauses: bool = False
    """The receiver wants no more: everything is kept until somebody resumes the subscription."""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as an administrator sees it."""

    delivery: str
    position: int
    cycle: str
    person: str
    segment: int
    number: int
    kind: str
    recorded_at: datetime
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_status: int
    last_error: str
    ended_at: datetime | None


ADD = """
    INSERT INTO delivery (agency, subscription, delivery, position, cycle, person, segment, number,
        kind, recorded_at, body, state, attempts, last_status, last_error)
    SELECT %s, %s, new.*, 'PENDING', 0, 0, ''
    FROM json_to_recordset(%s) AS new (delivery text, position bigint, cycle text, person text,
        segment int, number int, kind text, recorded_at timestamptz, body text)
    ON CONFLICT DO NOTHING
"""
# Evaluation by evaluation, each found by the index in its order: whatever the planner believes of
# how many wait, these never look at all of them for each. The locked turn keeps the ctids.
_WAITING = """
    SELECT waiting.ctid, waiting.next_attempt_at
    FROM delivery AS waiting WHERE waiting.agency = %(agency)s
        AND waiting.subscription = %(subscription)s AND waiting.cycle = of.cycle
        AND waiting.person = of.person AND waiting.segment = of.segment
        AND waiting.state = 'PENDING'
    ORDER BY waiting.position
"""
_OF = """
    unnest(%(cycles)s::text[], %(people)s::text[], %(segments)s::int[])
        AS of (cycle, person, segment)
"""
RELEASE = f"""
    UPDATE delivery SET next_attempt_at = %(now)s WHERE ctid = ANY (ARRAY(
        SELECT first.ctid FROM {_OF}, LATERAL ({_WAITING} LIMIT 1) AS first
        WHERE first.next_attempt_at IS NULL
    ))
"""  # noqa: S608 - constants alone
HOLD_BACK = f"""
    UPDATE delivery SET next_attempt_at = NULL WHERE ctid = ANY (ARRAY(
        SELECT later.ctid FROM {_OF}, LATERAL ({_WAITING} OFFSET 1) AS later
        WHERE later.next_attempt_at IS NOT NULL
    ))
"""  # noqa: S608 - constants alone
DUE = """
    SELECT count(*) FROM (
        SELECT FROM delivery JOIN subscription USING (agency, subscription)
        WHERE agency = %s AND subscription = %s AND subscription.state = 'ACTIVE'
            AND delivery.state = 'PENDING' AND next_attempt_at <= %s LIMIT %s
    ) AS due
"""
TAKE = """
    UPDATE delivery SET attempts = attempts + 1, next_attempt_at = %(until)s
    WHERE agency = %(agency)s AND subscription = %(subscription)s AND state = 'PENDING'
        AND delivery = (
            SELECT delivery FROM delivery JOIN subscription USING (agency, subscription)
            WHERE agency = %(agency)s AND subscription = %(subscription)s
                AND subscription.state = 'ACTIVE' AND delivery.state = 'PENDING'
                AND next_attempt_at <= %(now)s
            ORDER BY next_attempt_at, position LIMIT 1
        )
    RETURNING delivery, cycle, person, segment, body, attempts
"""
# An attempt that was given up as lost, and taken up by another, has nothing to say but success.
NOTE = """
    UPDATE delivery SET state = %(state)s, last_status = %(status)s, last_error = %(error)s,
        next_attempt_at = %(next_attempt_at)s,
        ended_at = CASE WHEN %(state)s <> 'PENDING' THEN %(at)s::timestamptz END
    WHERE agency = %(agency)s AND subscription = %(subscription)s AND delivery = %(delivery)s
        AND state = 'PENDING' AND (attempts = %(attempts)s OR %(state)s = 'DELIVERED')
"""
PAUSE = "UPDATE subscription SET state = 'PAUSED' WHERE agency = %s AND subscription = %s"
PUT_BACK = """
    UPDATE delivery SET attempts = attempts - 1, next_attempt_at = %(now)s
    WHERE agency = %(agency)s AND subscription = %(subscription)s AND delivery = %(delivery)s
        AND state = 'PENDING' AND attempts = %(attempts)s
"""
REPLAY = """
    UPDATE delivery SET state = 'PENDING', attempts = 0, next_attempt_at = NULL, ended_at = NULL
    WHERE agency = %s AND subscription = %s AND state = 'DEAD'
        AND (%s::text[] = '{}' OR delivery = ANY (%s::text[]))
    RETURNING cycle, person, segment
"""
PAGE = """
    SELECT delivery, position, cycle, person, segment, number, kind, recorded_at, state, attempts,
        next_attempt_at, last_status, last_error, ended_at
    FROM delivery
    WHERE agency = %(agency)s AND subscription = %(subscription)s
        AND (%(state)s::text IS NULL OR state = %(state)s) AND position < %(before)s
    ORDER BY position DESC LIMIT %(limit)s
"""
PRUNE = """
    DELETE FROM delivery WHERE agency = %(agency)s AND subscription = %(subscription)s
        AND delivery IN (
            SELECT delivery FROM (
                SELECT delivery, ended_at FROM delivery
                WHERE agency = %(agency)s AND subscription = %(subscription)s AND state = %(state)s
                ORDER BY position LIMIT %(limit)s
            ) AS oldest WHERE ended_at < %(before)s
        )
    RETURNING delivery
"""


async def add(
    connection: Connection, turn: Turn, rows: Sequence[New], *, read_to: int, now: datetime
) -> None:
    """Take over events of the feed up to a place in it; repeating it adds nothing."""
    if rows:
        written = json.dumps([asdict(row) for row in rows])
        await connection.execute(ADD, (*turn, written))
        touched = {Evaluation(row.cycle, row.person, row.segment) for row in rows}
        await connection.execute(RELEASE, _of(turn, touched, now))
    await settle(connection, *turn, read_to=read_to)


async def due(connection: Connection, turn: Turn, now: datetime, *, at_most: int) -> int:
    """Return how many may be sent now, counted up to a limit."""
    found = await (await connection.execute(DUE, (*turn, now, at_most))).fetchone()
    return int(found[0]) if found else 0


async def take(
    connection: Connection, turn: Turn, now: datetime, until: datetime
) -> tuple[Taken, Receiver] | None:
    """Take one up that may be sent now; unless its end is noted, others may after `until`.

    A transaction of its own, in one network round trip.
    """
    given = {"agency": turn.agency, "subscription": turn.subscription, "now": now, "until": until}
    async with (
        connection.cursor(row_factory=class_row(Taken)) as taking,
        connection.cursor(row_factory=class_row(Receiver)) as asking,
    ):
        # A pipeline is one transaction up to its end.
        async with connection.pipeline():
            await lock_unseen(connection, turn)
            await taking.execute(TAKE, given)
            await settle(connection, *turn)
            await asking.execute(RECEIVER, turn)
        taken, receiver = await taking.fetchone(), await asking.fetchone()
    return (taken, receiver) if taken and receiver else None


async def note(connection: Connection, turn: Turn, taken: Taken, what: Note) -> None:
    """Note what came of an attempt; when it was the last, the evaluation's next event follows.

    A transaction of its own, in one network round trip. Of what was deleted nothing is noted.
    """
    given = {
        **_one(turn, taken),
        "state": what.state,
        "status": what.status,
        "error": what.error,
        "next_attempt_at": what.next_attempt_at,
        "at": what.at,
    }
    async with connection.pipeline():
        await lock_unseen(connection, turn)
        await connection.execute(NOTE, given)
        # One that waits again lets those go first that were replayed meanwhile.
        follows = HOLD_BACK if what.state is DeliveryState.PENDING else RELEASE
        await connection.execute(follows, _of(turn, {_evaluation(taken)}, what.at))
        if what.pauses:
            await connection.execute(PAUSE, turn)
        await settle(connection, *turn)


async def put_back(connection: Connection, turn: Turn, taken: Taken, now: datetime) -> None:
    """Let it be taken up at once: this attempt was broken off and does not count."""
    if await lock(connection, *turn):
        await connection.execute(PUT_BACK, {**_one(turn, taken), "now": now})
        await connection.execute(HOLD_BACK, _of(turn, {_evaluation(taken)}, now))
        await settle(connection, *turn)


async def replay(
    connection: Connection, turn: Turn, ids: Collection[str], now: datetime
) -> int | None:
    """Begin dead letters anew, all if no ids are given, in the order of their evaluations.

    Returns how many; None if there is no such subscription.
    """
    if not await lock(connection, *turn):
        return None
    wanted = list(ids)
    rows = await (await connection.execute(REPLAY, (*turn, wanted, wanted))).fetchall()
    touched = {Evaluation(*row) for row in rows}
    await connection.execute(HOLD_BACK, _of(turn, touched, now))
    await connection.execute(RELEASE, _of(turn, touched, now))
    await settle(connection, *turn)
    return len(rows)


async def page(
    connection: Connection, turn: Turn, state: DeliveryState | None, *, before: int, limit: int
) -> list[DeliveryRow]:
    """Return the newest ones whose place in the feed lies before that one."""
    given = {"agency": turn.agency, "subscription": turn.subscription}
    async with connection.cursor(row_factory=class_row(DeliveryRow)) as cursor:
        await cursor.execute(PAGE, {**given, "state": state, "before": before, "limit": limit})
        return await cursor.fetchall()


async def prune(
    connection: Connection, turn: Turn, state: DeliveryState, *, before: datetime, limit: int
) -> int:
    """Delete the oldest that ended so long ago; return how many of them went."""
    if not await lock(connection, *turn):
        return 0
    given = {"agency": turn.agency, "subscription": turn.subscription, "state": state}
    gone = await connection.execute(PRUNE, {**given, "before": before, "limit": limit})
    return len(await gone.fetchall())


def _one(turn: Turn, taken: Taken) -> dict[str, object]:
    return {
        "agency": turn.agency,
        "subscription": turn.subscription,
        "delivery": taken.delivery,
        "attempts": taken.attempts,
    }


def _evaluation(taken: Taken) -> Evaluation:
    return Evaluation(taken.cycle, taken.person, taken.segment)


def _of(turn: Turn, evaluations: Iterable[Evaluation], now: datetime) -> dict[str, object]:
    found = sorted(evaluations)
    return {
        "agency": turn.agency,
        "subscription": turn.subscription,
        "now": now,
        "cycles": [each.cycle for each in found],
        "people": [each.person for each in found],
        "segments": [each.segment for each in found],
    }
