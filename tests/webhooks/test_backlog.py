"""A receiver with very much waiting: what it costs does not grow with that."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from siklus.activities.store.queries import deliveries, turns
from siklus.activities.store.queries.deliveries import DeliveryState
from tests.webhooks.mailroom import Mailroom

MANY = 20_000
WAIT = """
    INSERT INTO delivery (agency, subscription, delivery, position, cycle, person, segment, number,
        kind, recorded_at, body, state, attempts, next_attempt_at, last_status, last_error)
    SELECT %(agency)s, 'esb', 'evt_' || n, n, '2026', 'p' || n / %(each)s, 1, n,
        'plan_submitted', %(now)s, '{}', %(state)s::varchar, 0,
        CASE WHEN %(state)s::varchar = 'PENDING' THEN %(now)s::timestamptz END, 0, ''
    FROM generate_series(0, %(many)s - 1) AS n
"""


def rows_of(plan: Mapping[str, Any]) -> Iterator[float]:
    """Yield how many rows each part of a plan went through."""
    yield plan["Actual Rows"] * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from rows_of(part)


async def filled(mailroom: Mailroom, state: DeliveryState, many: int, each: int = 1) -> None:
    """Put so many deliveries into the ledger, `each` of one evaluation, and let the planner see."""
    given = {
        "agency": mailroom.agency,
        "now": mailroom.now,
        "state": state,
        "many": many,
        "each": each,
    }
    async with await psycopg.AsyncConnection.connect(
        mailroom.postgres.superuser_url, autocommit=True
    ) as owner:
        await owner.execute(WAIT, given)
        await owner.execute("ANALYZE delivery")


@pytest.mark.parametrize("statement", [turns.SETTLE, deliveries.TAKE])
async def test_an_attempt_looks_at_few_rows_however_many_wait(
    mailroom: Mailroom, statement: str
) -> None:
    await mailroom.subscribe("https://127.0.0.1:1/")
    given = {
        "agency": mailroom.agency,
        "subscription": "esb",
        "position": 0,
        "now": mailroom.now,
        "until": mailroom.now + timedelta(seconds=30),
    }
    # All at one instant, as after a replay.
    await filled(mailroom, DeliveryState.PENDING, MANY)
    async with mailroom.store.agency(mailroom.agency) as connection:
        cursor = await connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", given)
        row = await cursor.fetchone()

    assert row is not None
    (plan,) = row[0]
    assert max(rows_of(plan["Plan"])) < 20


async def test_many_dead_letters_are_replayed_at_once_each_evaluation_from_its_first(
    mailroom: Mailroom,
) -> None:
    await mailroom.subscribe("https://127.0.0.1:1/")
    await filled(mailroom, DeliveryState.DEAD, 9000, each=3)

    assert await mailroom.replayed() == 9000

    rows = await mailroom.ledger()
    assert {row.number % 3 for row in rows if row.next_attempt_at} == {0}
    assert {row.number % 3 for row in rows if not row.next_attempt_at} == {1, 2}
