"""A receiver with very much waiting: what it costs does not grow with that."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from siklus.activities.store.queries import deliveries, turns
from tests.webhooks.mailroom import Mailroom

MANY = 20_000
WAIT = """
    INSERT INTO delivery (agency, subscription, delivery, position, cycle, person, segment, number,
        kind, recorded_at, body, state, attempts, next_attempt_at, last_status, last_error)
    SELECT %s, 'esb', 'evt_' || n, n, '2026', 'p' || n, 1, 1, 'plan_submitted', %s, '{}',
        'PENDING', 0, %s, 0, ''
    FROM generate_series(1, %s) AS n
"""


def rows_of(plan: Mapping[str, Any]) -> Iterator[float]:
    """Yield how many rows each part of a plan went through."""
    yield plan["Actual Rows"] * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from rows_of(part)


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
    async with mailroom.store.agency(mailroom.agency) as connection:
        # All at one instant, as after a replay.
        await connection.execute(WAIT, (mailroom.agency, mailroom.now, mailroom.now, MANY))
        async with await psycopg.AsyncConnection.connect(
            mailroom.postgres.superuser_url, autocommit=True
        ) as owner:
            await owner.execute("ANALYZE delivery")
        cursor = await connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", given)
        row = await cursor.fetchone()

    assert row is not None
    (plan,) = row[0]
    assert max(rows_of(plan["Plan"])) < 20
