"""Positions follow commits, whoever writes for however long and whoever hands them out."""

import asyncio
import os
from collections.abc import Callable
from random import Random
from time import monotonic
from typing import Final

import psycopg
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store import migrate
from siklus.activities.store.feed_link import feed_link
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import feed, sequence
from siklus.activities.vault import Vault
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.postgres_roles import APP, FEED, OWNER
from siklus.services.local.processes import free_port
from siklus.workflows.domain.values import AgencyId
from tests.feed.office import (
    Reader,
    Written,
    eventually,
    must_be_the_order_of_commits,
    sequencing,
    writes,
)
from tests.feed.writer import writer
from tests.keys import KEYS
from tests.local.killing import folder_anyone_may_enter
from tests.store.case import Case

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
SECONDS: Final = 20.0 if PROVE else 1.5
SEEDS: Final = range(10 if PROVE else 1)
WRITERS: Final = 6
BEFORE: Final = """
    INSERT INTO event (agency, cycle, person, segment, number, kind, occurred_at, recorded_at,
        actor, body, hash, run)
    VALUES (%s, '2026', %s, 1, 1, 'k', now(), now() + make_interval(secs => %s), 'x', '{}', 'h',
        'r')
"""
"""An event as it was recorded before there was a feed."""

Url = Callable[[str], str]
"""A database's URL by role."""

pytestmark = pytest.mark.timeout(120)


async def all_written(url: str, agency: AgencyId, seed: int, seconds: float) -> Written:
    """Have everybody write at once; return all that was committed."""
    until = monotonic() + seconds
    parts = await asyncio.gather(
        *(
            writes(url, agency, f"p{each}", Random(f"{seed}/{each}"), until)
            for each in range(WRITERS)
        )
    )
    whole = Written()
    for part in parts:
        whole.began |= part.began
        whole.committed |= part.committed
    return whole


@pytest.mark.parametrize("seed", SEEDS)
async def test_each_committed_event_is_shown_once_in_the_order_of_commits(
    database: LocalPostgres, store: Store, agency: AgencyId, seed: int
) -> None:
    reader = Reader(store, agency, Random(seed))

    async with sequencing(database.feed_url, 2) as both:
        reading = asyncio.ensure_future(reader.run())
        written = await all_written(database.app_url, agency, seed, SECONDS)
        await reader.caught_up(len(written.committed))
        led = [each.leads for each in both]
        reading.cancel()

    assert len(written.committed) > 50
    must_be_the_order_of_commits(reader.rows, written)
    assert sum(led) <= 1


async def test_nothing_is_lost_or_doubled_when_who_sequences_dies_or_the_server_restarts(
    agency: AgencyId,
) -> None:
    with folder_anyone_may_enter() as folder:
        async with LocalPostgres(folder / "postgres", port=free_port(), fsync=False) as own:
            await asyncio.to_thread(migrate.upgrade, own.owner_url)
            async with Store(own.app_url) as store, sequencing(own.feed_url, 2):
                reader = Reader(store, agency, Random(1))
                reading = asyncio.ensure_future(reader.run())
                writing = asyncio.ensure_future(all_written(own.app_url, agency, 1, SECONDS))
                while not writing.done():
                    await asyncio.sleep(0.15)
                    await end_whoever_sequences(own)
                written = await writing
                await own.stop()
                await own.start()
                async with writer(own.app_url, agency) as hand:
                    await hand.opens("late")
                    written.began["late", 1] = monotonic()
                    await hand.writes("late", 1)
                    written.committed["late", 1] = monotonic()
                await reader.caught_up(len(written.committed))
                reading.cancel()

    must_be_the_order_of_commits(reader.rows, written)


async def end_whoever_sequences(server: LocalPostgres) -> None:
    query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    async with await psycopg.AsyncConnection.connect(server.superuser_url) as superuser:
        await superuser.execute(query + " AND objsubid = 1 AND classid <> 0")


async def test_whoever_holds_the_lead_and_falls_silent_loses_it(apart: Url) -> None:
    await asyncio.to_thread(migrate.upgrade, apart(OWNER))
    async with feed_link(apart(FEED)) as silent:
        async with silent.use() as connection:
            assert await sequence.take_lead(connection, awake=0.5)
        async with feed_link(apart(FEED)) as other, other.use() as connection:
            assert not await sequence.take_lead(connection, awake=0.5)
        async with sequencing(apart(FEED)) as (another,):
            await eventually(lambda: another.leads)


async def test_an_open_transaction_that_has_written_holds_nobody_up(
    database: LocalPostgres, store: Store, agency: AgencyId
) -> None:
    reader = Reader(store, agency, Random(1))
    async with (
        sequencing(database.feed_url),
        writer(database.app_url, agency) as slow,
        writer(database.app_url, agency) as fast,
    ):
        reading = asyncio.ensure_future(reader.run())
        await slow.opens("eva")
        await fast.opens("siti")
        async with slow.connection.transaction():
            await slow.writes("eva", 1)
            await fast.writes("siti", 1)
            await reader.caught_up(1)
        await reader.caught_up(2)
        reading.cancel()

    assert [row.person for row in reader.rows] == ["siti", "eva"]


async def test_a_superseded_event_and_what_took_its_place_are_both_shown(
    database: LocalPostgres, store: Store, agency: AgencyId
) -> None:
    projector = Projector(store, Vault(KEYS))
    lost, taken = Case(agency), Case(agency)
    for each in (lost, taken):
        await projector.project(each.submits_plan().taken())
    taken.now = lost.now.replace(second=10)
    await projector.project(lost.plan_returned().projection())
    reader = Reader(store, agency, Random(1))

    await projector.project(taken.plan_returned().projection())
    async with sequencing(database.feed_url):
        reading = asyncio.ensure_future(reader.run())
        await reader.caught_up(4)
        reading.cancel()

    assert [(row.number, row.superseded) for row in reader.rows] == [
        (1, False),
        (2, False),
        (3, True),
        (3, False),
    ]
    gone, stands = reader.rows[2:]
    assert (gone.kind, gone.stage) == (stands.kind, stands.stage) == ("plan_returned", "PLAN")
    assert gone.hash != stands.hash == taken.record.state.head


async def test_what_was_recorded_before_the_feed_has_its_place_in_it(
    apart: Url, agency: AgencyId
) -> None:
    await asyncio.to_thread(migrate.upgrade, apart(OWNER), "0006")
    async with writer(apart(APP), agency) as hand:
        for person, later in (("siti", 2), ("eva", 1), ("budi", 3)):
            await hand.opens(person)
            await hand.connection.execute(BEFORE, (agency, person, later))

    await asyncio.to_thread(migrate.upgrade, apart(OWNER))

    async with Store(apart(APP)) as store, store.agency(agency) as connection:
        rows = await feed.after(connection, 0, 10)
    assert [(row.position, row.person) for row in rows] == [(1, "eva"), (2, "siti"), (3, "budi")]
    # Nobody wrote down where it stood then: it is shown as it stands.
    assert {(row.stage, row.unit, row.supervisor) for row in rows} == {("PLAN", "u", "budi")}
