"""Watching evaluations: what is recorded comes at once, to whom it concerns, and only once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

import grpc
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.auth.caller import Caller
from siklus.services.feed.attendance import WatchLimits
from siklus.services.local.postgres import LocalPostgres
from siklus.services.rpc.resume import Resume
from siklus.v1 import evaluation_pb2, watch_pb2
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.values import AgencyId
from tests.feed.writer import writer, written_every
from tests.keys import KEYS
from tests.services.desk import Refused, refused, token, verify
from tests.services.watchers import WatchedServer, Watching, connected, watched_server, watching
from tests.store.case import Case

MANY = 5000
"""Events that a narrow connection's buffers do not hold."""
NARROW = (("grpc.http2.bdp_probe", 0), ("grpc.use_local_subchannel_pool", 1))


@pytest.fixture
def agency() -> AgencyId:
    return AgencyId(f"a-{uuid4().hex[:12]}")


@pytest.fixture
def projector(store: Store) -> Projector:
    return Projector(store, Vault(KEYS))


@pytest.fixture(scope="module")
async def server(store: Store, database: LocalPostgres) -> AsyncIterator[WatchedServer]:
    async with watched_server(store, database.feed_url) as running:
        yield running


async def test_what_is_recorded_is_sent_as_it_happens(
    server: WatchedServer, projector: Projector, agency: AgencyId
) -> None:
    case = Case(agency)
    watch = await watching(server, agency)

    await projector.project(case.taken())
    opened = await watch.change()
    await projector.project(case.submits_plan().taken())
    submitted = await watch.change()

    assert (opened.seq, opened.kind) == (1, "evaluation_opened")
    assert submitted.name == f"agencies/{agency}/cycles/2026/evaluations/siti.1"
    assert (submitted.seq, submitted.kind, submitted.actor) == (2, "plan_submitted", "siti")
    assert submitted.hash == case.record.state.head
    assert (submitted.unit, submitted.supervisor) == (case.projection().unit, "budi")
    assert submitted.stage == evaluation_pb2.STAGE_PLAN_REVIEW
    assert submitted.occurred_at.ToDatetime(tzinfo=case.now.tzinfo) == case.now


async def two_evaluations(
    store: Store, projector: Projector, agency: AgencyId
) -> tuple[Case, Case]:
    """Open Siti's evaluation under Budi, and Eva's under Dewi in another unit and cycle."""
    siti, eva = Case(agency), Case(agency, "eva", "2027", "dewi")
    for case in (siti, eva):
        await record(projector, case)
    await sequenced(store, agency)
    return siti, eva


async def sequenced(store: Store, agency: AgencyId) -> None:
    """Wait until all that is recorded has its place in the feed."""
    waiting = True
    while waiting:
        async with store.agency(agency) as connection:
            rows = await connection.execute("SELECT EXISTS (SELECT FROM unsequenced)")
            (waiting,) = await rows.fetchone() or (False,)


async def record(projector: Projector, case: Case) -> None:
    """Record what is new of a case; Eva's unit is another one."""
    unit = "cabang" if case.key.person == "eva" else "u"
    await projector.project(case.taken().model_copy(update={"unit": unit}))


@pytest.mark.parametrize(
    "filters",
    [
        {"cycle": "2026"},
        {"unit": "u"},
        {"supervisor": "budi"},
        {"person": "siti"},
        {"cycle": "2026", "kinds": ["plan_submitted", "plan_returned"]},
    ],
)
async def test_filters_show_what_was_asked_for_alone(
    server: WatchedServer,
    store: Store,
    projector: Projector,
    agency: AgencyId,
    filters: dict[str, Any],
) -> None:
    siti, eva = await two_evaluations(store, projector, agency)
    watch = await watching(server, agency, **filters)

    for case in (eva, siti):
        await record(projector, case.submits_plan())
        await record(projector, case.does(case.key.person, c.WithdrawPlan()))
        await record(projector, case.submits_plan())

    withdrawn = [] if "kinds" in filters else [("siti", 3, "plan_withdrawn")]
    expected = [("siti", 2, "plan_submitted"), *withdrawn, ("siti", 4, "plan_submitted")]
    assert await watch.seen(len(expected)) == expected


async def test_a_kind_of_event_that_there_is_not_is_told_and_not_waited_for(
    server: WatchedServer, agency: AgencyId
) -> None:
    told = await refused(watching(server, agency, kinds=["plan_submitted", "plan_submited"]))

    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(told.fields) == ["kinds"]


async def test_participants_see_their_own_evaluations_alone(
    server: WatchedServer, store: Store, projector: Projector, agency: AgencyId
) -> None:
    siti, eva = await two_evaluations(store, projector, agency)
    employee = await watching(server, agency, "siti", ("employee",))
    supervisor = await watching(server, agency, "dewi", ("employee",))
    program = await watching(server, agency, "hr", ("integrator", "evaluations.read"))
    stranger = await watching(server, agency, "joko", ("employee",))

    for case in (eva, siti):
        await record(projector, case.submits_plan())

    assert await employee.seen(1) == [("siti", 2, "plan_submitted")]
    assert await supervisor.seen(1) == [("eva", 2, "plan_submitted")]
    assert [who for who, *_ in await program.seen(2)] == ["eva", "siti"]
    for each in (stranger, employee):
        with pytest.raises(TimeoutError):
            await each.message(within=0.2)


async def test_another_agency_is_not_seen(
    server: WatchedServer, projector: Projector, agency: AgencyId
) -> None:
    other = AgencyId(f"{agency}-other")
    watch = await watching(server, agency)

    await projector.project(Case(other).taken())
    await projector.project(Case(agency, "eva").taken())

    assert await watch.seen(1) == [("eva", 1, "evaluation_opened")]


async def test_a_stream_goes_on_where_its_last_token_left_it_without_gap_or_repetition(
    server: WatchedServer,
    projector: Projector,
    agency: AgencyId,
    store: Store,
    database: LocalPostgres,
) -> None:
    case = Case(agency)
    first = await watching(server, agency)
    await projector.project(case.submits_plan().taken())
    assert (await first.seen(1))[0][1] == 1
    first.call.cancel()
    await projector.project(case.plan_returned().taken())

    # After a restart, of which the old server knows nothing.
    async with watched_server(store, database.feed_url) as another:
        again = await watching(another, agency, resume=first.token)
        past = await again.seen(2)
        await projector.project(case.submits_plan().taken())
        live = await again.seen(1)

    assert [number for _, number, _ in past + live] == [2, 3, 4]


async def test_a_long_past_is_read_page_by_page_and_joins_what_happens_meanwhile(
    server: WatchedServer, agency: AgencyId, database: LocalPostgres
) -> None:
    begun = await watching(server, agency)
    async with writer(database.app_url, agency) as hand:
        await hand.opens("siti")
        await hand.writes_many("siti", 1, 1200)
        late = await watching(server, agency, resume=begun.token)
        writing = asyncio.ensure_future(written_every(hand, "siti", 100, 0.002, first=1201))
        seen = await late.seen(1300)
        await writing

    assert [number for _, number, _ in seen] == list(range(1, 1301))


async def test_a_token_is_good_for_its_own_stream_alone(
    server: WatchedServer, projector: Projector, agency: AgencyId
) -> None:
    await projector.project(Case(agency).taken())
    watch = await watching(server, agency, cycle="2026")
    other = AgencyId(f"{agency}-other")
    wrong: list[tuple[Any, ...]] = [
        (other, "admin", ("agency_admin",), {"cycle": "2026"}),
        (agency, "admin", ("agency_admin",), {"cycle": "2027"}),
        (agency, "admin", ("agency_admin",), {"cycle": "2026", "kinds": ["plan_submitted"]}),
        (agency, "other", ("agency_admin",), {"cycle": "2026"}),
        (agency, "admin", ("auditor",), {"cycle": "2026"}),
    ]

    for where, who, roles, filters in wrong:
        told = await refused(watching(server, where, who, roles, resume=watch.token, **filters))
        assert (told.code, told.reason) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "RESUME_TOKEN_INVALID",
        )
    for forged in ("x", "W10", watch.token[:-1], f"{watch.token}A", "eyJ9", "é"):
        told = await refused(watching(server, agency, resume=forged, cycle="2026"))
        assert told.reason == "RESUME_TOKEN_INVALID"


async def test_a_token_from_beyond_the_feed_is_refused(
    server: WatchedServer, agency: AgencyId
) -> None:
    """As after an older backup was restored: to go on quietly would leave a gap."""
    request = watch_pb2.WatchEvaluationsRequest(parent=f"agencies/{agency}")
    caller = verify(token(agency, "admin", "agency_admin"))

    told = await refused(watching(server, agency, resume=Resume(request, caller).token(7)))

    assert told.reason == "RESUME_TOKEN_INVALID"


async def test_checkpoints_come_and_pass_by_what_was_filtered_out(
    store: Store, database: LocalPostgres, projector: Projector, agency: AgencyId
) -> None:
    limits = WatchLimits(heartbeat=0.1)
    async with watched_server(store, database.feed_url, limits) as server:
        watch = await watching(server, agency, person="nobody")
        first = watch.token

        await projector.project(Case(agency).taken())
        while watch.token == first:
            assert not (await watch.message()).HasField("change")

        again = await watching(server, agency, person="nobody", resume=watch.token)
        assert again.token == watch.token


async def test_a_reader_who_is_too_slow_is_told_to_resume(
    store: Store, database: LocalPostgres, agency: AgencyId
) -> None:
    async with (
        watched_server(store, database.feed_url, WatchLimits(waiting=1000)) as server,
        connected(server.watches, server.address, NARROW) as narrow,
        writer(database.app_url, agency) as hand,
    ):
        await hand.opens("siti")
        quick, slow = await watching(server, agency), await watching(narrow, agency)
        for first in range(1, MANY, 500):
            await hand.writes_many("siti", first, 500)
            assert len(await quick.seen(500)) == 500

        numbers, told = await all_until_refused(slow)
        again = await watching(server, agency, resume=slow.token)
        rest = await again.seen(MANY - len(numbers))

    assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW")
    assert numbers + [number for _, number, _ in rest] == list(range(1, MANY + 1))


async def test_a_shutdown_sends_a_last_token_and_ends_the_stream_well(
    store: Store, database: LocalPostgres, agency: AgencyId
) -> None:
    async with watched_server(store, database.feed_url) as server:
        watch = await watching(server, agency)

        closing = asyncio.ensure_future(server.watches.close())
        last = await watch.message()
        with pytest.raises(EOFError):
            await watch.message()
        await closing

        assert last.closing
        assert last.resume_token
        assert await watch.call.code() == grpc.StatusCode.OK
        told = await refused(watching(server, agency))
    assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")


async def test_a_stream_ends_when_the_token_that_opened_it_does(
    store: Store, database: LocalPostgres, agency: AgencyId
) -> None:
    def soon_over(written: str) -> Caller:
        return replace(verify(written), until=datetime.now(UTC) + timedelta(seconds=0.5))

    async with watched_server(store, database.feed_url, verifier=soon_over) as server:
        watch = await watching(server, agency)
        last = await watch.message()
        told = await refused(watch.message())

    assert last.resume_token
    assert not last.closing
    assert (told.code, told.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_streams_are_limited_for_each_caller_and_for_all(
    store: Store, database: LocalPostgres, agency: AgencyId
) -> None:
    limits = WatchLimits(per_caller=2, per_process=3)
    async with watched_server(store, database.feed_url, limits) as server:
        mine = [await watching(server, agency) for _ in range(2)]
        third = await refused(watching(server, agency))
        await watching(server, agency, "other")
        fourth = await refused(watching(server, agency, "another"))
        mine[0].call.cancel()
        again = await eventually_admitted(server, agency)

    for told in (third, fourth):
        assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    assert again.token


async def all_until_refused(watch: Watching) -> tuple[list[int], Refused]:
    """Read to the end; return the numbers of the events and what the stream ended with."""
    numbers: list[int] = []

    async def read_on() -> None:
        while True:
            numbers.append((await watch.change()).seq)

    return numbers, await refused(read_on())


async def eventually_admitted(server: WatchedServer, agency: AgencyId) -> Watching:
    """Open a stream as soon as another one's end is known."""
    deadline = monotonic() + 5
    while True:
        try:
            return await watching(server, agency)
        except grpc.aio.AioRpcError:
            assert monotonic() < deadline
            await asyncio.sleep(0.02)
