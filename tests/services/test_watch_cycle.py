"""Watching a cycle: as it stands, again when its progress has changed, and not otherwise."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import grpc
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cohort, cycles, members
from siklus.activities.store.queries.cycles import CycleState
from siklus.activities.vault import Vault
from siklus.services.clock import Clock
from siklus.services.feed.attendance import WatchLimits
from siklus.services.local.postgres import LocalPostgres
from siklus.v1 import cycle_service_pb2 as pb
from siklus.v1 import evaluation_pb2
from siklus.workflows.domain.values import AgencyId, CycleId
from tests.keys import KEYS
from tests.services.desk import Desk, refused
from tests.services.watchers import WatchedServer, Watching, watched_server
from tests.store.case import Case

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def server(store: Store, database: LocalPostgres) -> AsyncIterator[WatchedServer]:
    async with watched_server(store, database.feed_url, WatchLimits(heartbeat=0.3)) as running:
        yield running


@pytest.fixture
async def ready(desk: Desk) -> Desk:
    """An agency with a cycle that has not begun."""
    await desk.staffed()
    await desk.published()
    request = pb.CreateCycleRequest(
        parent=desk.parent,
        cycle_id="2026",
        title="SKP",
        year=2026,
        policy="palu-skp",
        policy_version=1,
        request_id="c-1",
    )
    await desk.cycles.CreateCycle(request, **desk.admin)
    return desk


def watching_cycle(
    server: WatchedServer, desk: Desk, *, resume: str = "", who: str = "admin", role: str = ""
) -> Watching:
    request = pb.WatchCycleRequest(name=f"{desk.parent}/cycles/2026", resume_token=resume)
    metadata = desk.who(who, role or "agency_admin")["metadata"]
    return Watching(server.cycles.WatchCycle(request, metadata=metadata))


async def shown(watch: Watching) -> Any:
    """Return the cycle as it is sent next, past checkpoints."""
    while not (message := await watch.message()).HasField("cycle"):
        pass
    return message.cycle


async def test_a_cycle_is_sent_as_it_stands_and_when_an_evaluation_moves_on(
    server: WatchedServer, ready: Desk, store: Store
) -> None:
    projector, case = Projector(store, Vault(KEYS)), Case(AgencyId(ready.agency))
    watch = watching_cycle(server, ready)

    before = await shown(watch)
    await projector.project(case.taken())
    opened = await shown(watch)
    await projector.project(case.submits_plan().taken())
    submitted = await shown(watch)

    assert (before.title, list(before.progress.stages)) == ("SKP", [])
    stages = [[each.stage for each in one.progress.stages] for one in (opened, submitted)]
    assert stages == [[evaluation_pb2.STAGE_PLAN], [evaluation_pb2.STAGE_PLAN_REVIEW]]


async def test_a_fault_that_nobody_foresaw_keeps_it_from_nobody_for_ever(
    server: WatchedServer, ready: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector, case = Projector(store, Vault(KEYS)), Case(AgencyId(ready.agency))
    watch = watching_cycle(server, ready)
    await shown(watch)
    count, failed = cycles.progress, 0

    async def fails_once(*which: Any) -> Any:
        nonlocal failed
        failed += 1
        if failed == 1:
            raise ValueError
        return await count(*which)

    monkeypatch.setattr(cycles, "progress", fails_once)
    await projector.project(case.taken())
    opened = await shown(watch)

    assert failed > 1
    assert [each.stage for each in opened.progress.stages] == [evaluation_pb2.STAGE_PLAN]


async def test_the_launch_is_sent_although_no_evaluation_tells_of_it(
    server: WatchedServer, ready: Desk, store: Store
) -> None:
    watch = watching_cycle(server, ready)
    assert (await shown(watch)).state == pb.CYCLE_STATE_DRAFT
    agency, cycle = AgencyId(ready.agency), CycleId("2026")

    async with store.agency(agency) as connection:
        await cycles.launching(connection, agency, cycle, at=Clock().now())
    launching = await shown(watch)
    async with store.agency(agency) as connection:
        await cycles.launched(connection, agency, cycle)

    assert launching.state == pb.CYCLE_STATE_LAUNCHING
    assert (await shown(watch)).state == pb.CYCLE_STATE_RUNNING


async def test_a_pause_its_pace_and_whom_a_cancelled_launch_leaves_are_sent(
    server: WatchedServer, ready: Desk, store: Store
) -> None:
    agency, cycle = AgencyId(ready.agency), CycleId("2026")
    async with store.agency(agency) as connection:
        await cycles.launching(connection, agency, cycle, at=Clock().now())
        await cohort.freeze(connection, agency, cycle, ends_on=date(2026, 12, 31))
    watch = watching_cycle(server, ready)
    waiting = (await shown(watch)).progress.waiting

    async with store.agency(agency) as connection:
        await cycles.steered(connection, agency, cycle, CycleState.PAUSED, 7)
    paused = await shown(watch)
    async with store.agency(agency) as connection:
        await cycles.steered(connection, agency, cycle, CycleState.CANCELLED, 7)
    called_off = await shown(watch)
    # The page that was under way ends only now: no event tells of it.
    async with store.agency(agency) as connection:
        await members.cancel_waiting(connection, agency, cycle)
    over = await shown(watch)

    assert (paused.state, paused.pace) == (pb.CYCLE_STATE_PAUSED, 7)
    assert called_off.state == pb.CYCLE_STATE_CANCELLED
    assert (over.progress.waiting, over.progress.cancelled) == (0, waiting)
    assert waiting > 0


async def test_a_resumed_stream_sends_the_cycle_only_once_it_has_changed(
    server: WatchedServer, ready: Desk, store: Store
) -> None:
    first = watching_cycle(server, ready)
    await shown(first)
    first.call.cancel()

    again = watching_cycle(server, ready, resume=first.token)
    silent = [await again.message() for _ in range(3)]
    await Projector(store, Vault(KEYS)).project(Case(AgencyId(ready.agency)).taken())
    changed = await shown(again)

    assert [message.HasField("cycle") for message in silent] == [False] * 3
    assert {message.resume_token for message in silent} == {first.token}
    assert [each.count for each in changed.progress.stages] == [1]


async def test_who_may_not_see_it_is_refused(server: WatchedServer, ready: Desk) -> None:
    told = await refused(watching_cycle(server, ready, who="siti", role="employee").message())
    assert told.reason == "ROLE_REQUIRED"

    first = watching_cycle(server, ready)
    await first.message()
    other = watching_cycle(server, ready, resume=first.token, who="other")
    assert (await refused(other.message())).reason == "RESUME_TOKEN_INVALID"

    request = pb.WatchCycleRequest(name=f"{ready.parent}/cycles/2099")
    unknown = server.cycles.WatchCycle(request, metadata=ready.admin["metadata"])
    told = await refused(Watching(unknown).message())
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_a_shutdown_sends_a_last_token(server: WatchedServer, ready: Desk) -> None:
    watch = watching_cycle(server, ready)
    await shown(watch)

    await server.watches.close()
    last = await watch.message()

    assert last.closing
    with pytest.raises(EOFError):
        await watch.message()
