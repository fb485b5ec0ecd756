"""Reading the feed costs what is read, however much the agency has recorded."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import pytest

from siklus.activities.store import migrate
from siklus.activities.store.feed_link import feed_link
from siklus.activities.store.queries import feed, sequence
from siklus.services.local.postgres_roles import APP, FEED, OWNER
from siklus.workflows.domain.values import AgencyId
from tests.feed.test_sequence import Url
from tests.feed.writer import writer

RECORDED: Final = 2000
LIMIT: Final = 20


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_events_of_a_page_alone_are_looked_up_even_without_statistics(
    apart: Url, agency: AgencyId, mode: str
) -> None:
    await asyncio.to_thread(migrate.upgrade, apart(OWNER))
    async with writer(apart(APP), agency) as hand, feed_link(apart(FEED)) as link:
        await hand.opens("siti")
        await hand.writes_many("siti", 1, RECORDED)
        async with link.use() as connection:
            assert await sequence.sequence(connection, RECORDED) == RECORDED
        await hand.connection.execute("SELECT set_config('plan_cache_mode', %s, false)", (mode,))

        rows = await hand.connection.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {feed.AFTER}".encode(),
            (RECORDED // 2, LIMIT),
            prepare=True,
        )
        ((explained,),) = await rows.fetchall()

    looked_up = {
        step.get("Relation Name"): step["Actual Loops"] for step in steps(explained[0]["Plan"])
    }
    assert looked_up["event"] == LIMIT
    assert max(looked_up.values()) == LIMIT


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every step of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from steps(part)
