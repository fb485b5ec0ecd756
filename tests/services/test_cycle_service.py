"""Cycles through the server: created once, previewed as launched, launched once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cohort, cycles, members
from siklus.services.clock import Clock
from siklus.services.rpc import cycles as rpc
from siklus.services.rpc.cycle_views import REASONS
from siklus.services.temporal import data_converter
from siklus.v1 import cycle_service_pb2 as pb
from siklus.workflows import names
from siklus.workflows.domain.cohort import LeftOut
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId
from tests.keys import KEYS
from tests.services.desk import NIPS, PACK, Desk, person, refused, unit
from tests.services.serving import serving


@pytest.fixture
async def ready(desk: Desk) -> Desk:
    """An agency with people and a policy."""
    await desk.staffed()
    await desk.published()
    return desk


async def create(desk: Desk, caller: Any = None, **fields: Any) -> Any:
    about = {
        "parent": desk.parent,
        "request_id": desk.request_id(),
        "cycle_id": "2027",
        "year": 2027,
        "policy": "palu-skp",
        "title": "Kinerja 2027",
    }
    request = pb.CreateCycleRequest(**{**about, **fields})
    return (await desk.cycles.CreateCycle(request, **(caller or desk.admin))).cycle


async def get(desk: Desk, cycle: str = "2027", caller: Any = None) -> Any:
    request = pb.GetCycleRequest(name=f"{desk.parent}/cycles/{cycle}")
    return (await desk.cycles.GetCycle(request, **(caller or desk.admin))).cycle


async def preview(desk: Desk, cycle: str = "2027", caller: Any = None, **fields: Any) -> Any:
    request = pb.PreviewLaunchRequest(name=f"{desk.parent}/cycles/{cycle}", **fields)
    return await desk.cycles.PreviewLaunch(request, **(caller or desk.admin))


async def launch(desk: Desk, request_id: str = "", cycle: str = "2027", caller: Any = None) -> Any:
    request = pb.LaunchCycleRequest(
        name=f"{desk.parent}/cycles/{cycle}", request_id=request_id or desk.request_id()
    )
    return (await desk.cycles.LaunchCycle(request, **(caller or desk.admin))).cycle


def launched(temporal: Client, desk: Desk, cycle: str = "2027") -> WorkflowHandle[Any, Any]:
    return temporal.get_workflow_handle(
        names.cycle_workflow_id(AgencyId(desk.agency), CycleId(cycle))
    )


async def test_a_cycle_pins_the_version_of_its_policy(ready: Desk) -> None:
    created = await create(ready, units=["pusat"], top_rater="siti")
    await ready.published(f"{PACK}\n# edited\n")

    read = await get(ready)
    assert read == created
    assert (read.name, read.policy_version) == (f"{ready.parent}/cycles/2027", 1)
    assert (read.year, read.title, list(read.units)) == (2027, "Kinerja 2027", ["pusat"])
    assert (read.state, read.top_rater) == (pb.CYCLE_STATE_DRAFT, "siti")
    assert read.progress == pb.CycleProgress()
    assert not read.HasField("launched_at")
    assert (await create(ready, cycle_id="2028", year=2028)).policy_version == 2
    assert (await create(ready, cycle_id="b", policy_version=1)).policy_version == 1


async def test_a_request_sent_again_creates_once(ready: Desk) -> None:
    first, *others = await asyncio.gather(*(create(ready, request_id="r-same") for _ in range(4)))

    assert all(other == first for other in others)
    again = await refused(create(ready))
    assert (again.code, again.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
    reused = await refused(create(ready, request_id="r-same", title="Lain"))
    assert (reused.code, reused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize(
    ("fields", "reason", "paths"),
    [
        ({"policy": "lain"}, "NOT_FOUND", set()),
        ({"policy_version": 7}, "NOT_FOUND", set()),
        ({"units": ["pusat", "cabang"]}, "FIELD_INVALID", {"units[1]"}),
        ({"units": ["pusat", "pusat"]}, "FIELD_INVALID", {"units"}),
        ({"top_rater": "nobody"}, "FIELD_INVALID", {"top_rater"}),
        ({"title": "a\x00b"}, "FIELD_INVALID", {"title"}),
        ({"title": "  "}, "FIELD_INVALID", {"title"}),
        ({"title": ""}, "FIELD_INVALID", {"title"}),
        ({"year": 26}, "FIELD_INVALID", {"year"}),
        ({"cycle_id": "2027/../2026"}, "FIELD_INVALID", {"cycle_id"}),
        ({"request_id": ""}, "FIELD_INVALID", {"request_id"}),
        ({"policy_version": -1}, "FIELD_INVALID", {"policy_version"}),
    ],
)
async def test_a_bad_cycle_is_refused(
    ready: Desk, fields: dict[str, Any], reason: str, paths: set[str]
) -> None:
    answer = await refused(create(ready, **fields))

    assert (answer.reason, set(answer.fields)) == (reason, paths)
    assert (await refused(get(ready))).reason == "NOT_FOUND"


async def test_cycles_are_listed_page_by_page(ready: Desk) -> None:
    for cycle in ("2028", "2027", "2029"):
        await create(ready, cycle_id=cycle)

    met: list[str] = []
    token = ""
    for _ in range(2):
        request = pb.ListCyclesRequest(parent=ready.parent, page_size=2, page_token=token)
        answer = await ready.cycles.ListCycles(request, **ready.who("a", "auditor"))
        met += [cycle.name.rpartition("/")[2] for cycle in answer.cycles]
        token = answer.next_page_token

    assert (met, token) == (["2027", "2028", "2029"], "")


async def test_a_preview_tells_for_each_person_what_a_launch_would_do(ready: Desk) -> None:
    await ready.units(unit("cabang"), unit("kota", parent="pusat"))
    await ready.people(
        person(NIPS[3], "kepala", person_id="baru", joined_on="2028-01-01"),
        person(NIPS[4], "kepala", person_id="jauh", unit="cabang"),
        person(NIPS[5], "siti", person_id="bawah", unit="kota"),
    )
    await create(ready, units=["pusat"])

    answer = await preview(ready)

    told = {each.person: (each.included, each.reason) for each in answer.people}
    assert told == {
        "baru": (False, pb.LAUNCH_REASON_JOINED_LATER),
        "bawah": (True, pb.LAUNCH_REASON_INCLUDED),
        "budi": (True, pb.LAUNCH_REASON_INCLUDED),
        "jauh": (False, pb.LAUNCH_REASON_OUTSIDE_UNITS),
        "kepala": (False, pb.LAUNCH_REASON_NO_RATER),
        "siti": (True, pb.LAUNCH_REASON_INCLUDED),
    }
    assert (answer.included, answer.left_out) == (3, 3)
    siti = answer.people[-1]
    assert (siti.display_name, siti.unit) == ("Siti Rahma", "pusat")
    assert (siti.supervisor, siti.approver) == ("budi", "kepala")


async def test_a_preview_is_what_the_launch_then_freezes(ready: Desk, store: Store) -> None:
    await create(ready, top_rater="siti")
    agency, cycle = AgencyId(ready.agency), CycleId("2027")
    before = await preview(ready, page_size=2)
    rest = await preview(ready, page_size=2, page_token=before.next_page_token)
    assert (rest.included, rest.left_out) == (before.included, before.left_out)
    expected = [each.person for each in (*before.people, *rest.people) if each.included]

    async with store.agency(agency) as connection:
        ends_on = datetime(2027, 12, 31, tzinfo=UTC).date()
        size = await cohort.freeze(connection, agency, cycle, ends_on=ends_on)
        waiting = await members.waiting(connection, agency, cycle, after="", limit=10)

    assert [member.person for member in waiting] == expected == ["budi", "kepala", "siti"]
    assert size == before.included == 3


async def test_a_launch_starts_one_workflow_however_often_it_is_asked(
    ready: Desk, temporal: Client
) -> None:
    await create(ready)

    answers = await asyncio.gather(*(launch(ready, "r-launch") for _ in range(3)))
    handle = launched(temporal, ready)
    first = await handle.describe()
    again = await launch(ready)

    assert {answer.state for answer in (*answers, again)} == {pb.CYCLE_STATE_LAUNCHING}
    assert all(answer == answers[0] for answer in answers)
    assert again.launched_at == answers[0].launched_at
    described = await handle.describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert described.run_id == first.run_id
    assert described.task_queue == names.COHORT_QUEUE


async def test_a_finished_launch_stays_finished(
    ready: Desk, store: Store, temporal: Client
) -> None:
    await create(ready)
    await launch(ready, "r-1")
    agency, cycle = AgencyId(ready.agency), CycleId("2027")
    async with store.agency(agency) as connection:
        await cohort.freeze(
            connection, agency, cycle, ends_on=datetime(2027, 12, 31, tzinfo=UTC).date()
        )
        people = [PersonId("budi"), PersonId("siti")]
        await members.mark_started(connection, agency, cycle, people, at=datetime.now(UTC))
        await cycles.launched(connection, agency, cycle)

    again = await launch(ready)

    assert again.state == pb.CYCLE_STATE_RUNNING
    read = await get(ready)
    assert (read.progress.cohort_size, read.progress.started, read.progress.excluded) == (3, 2, 1)
    assert (await launch(ready, "r-1")).state == pb.CYCLE_STATE_LAUNCHING


async def test_a_launch_that_failed_is_started_again(ready: Desk, temporal: Client) -> None:
    await create(ready)
    await launch(ready)
    handle = launched(temporal, ready)
    first = (await handle.describe()).run_id
    await handle.terminate()

    await launch(ready)

    described = await handle.describe()
    assert described.run_id != first
    assert described.status is WorkflowExecutionStatus.RUNNING


async def test_a_pace_is_kept_though_the_launch_marks_its_beginning_first(
    ready: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency, cycle = AgencyId(ready.agency), CycleId("2027")

    async def launch_at_once(*about: Any, **how: Any) -> None:
        async with store.agency(agency) as connection:
            await cycles.launching(connection, agency, cycle, at=datetime.now(UTC))

    monkeypatch.setattr(rpc, "launch", launch_at_once)
    await create(ready)
    name = f"{ready.parent}/cycles/2027"

    answers = [
        (await ready.cycles.LaunchCycle(request, **ready.admin)).cycle
        for pace in (7, 9)
        for request in [pb.LaunchCycleRequest(name=name, request_id=f"p-{pace}", pace=pace)]
    ]

    assert [(each.state, each.pace) for each in answers] == [(pb.CYCLE_STATE_LAUNCHING, 7)] * 2


async def test_without_an_engine_nothing_is_launched_and_all_else_is_read(
    ready: Desk, store: Store, clock: Clock
) -> None:
    await create(ready)
    nobody = await Client.connect("127.0.0.1:1", lazy=True, data_converter=data_converter(KEYS))

    async with serving(store, nobody, clock) as channel:
        alone = Desk(channel, ready.agency)
        answer = await refused(launch(alone))
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "ENGINE_UNAVAILABLE")
        assert (await get(alone)).state == pb.CYCLE_STATE_DRAFT


async def test_without_a_store_the_answer_says_so(temporal: Client, clock: Clock) -> None:
    async with (
        Store("postgresql://nobody@127.0.0.1:1/nothing") as away,
        serving(away, temporal, clock) as channel,
    ):
        desk = Desk(channel, "palu")
        calls = (get(desk), launch(desk), create(desk), desk.units(unit("a")), desk.published())
        for call in calls:
            answer = await refused(call)
            assert (answer.code, answer.reason) == (
                grpc.StatusCode.UNAVAILABLE,
                "STORE_UNAVAILABLE",
            )


async def test_what_does_not_exist_is_not_launched(ready: Desk) -> None:
    for call in (launch(ready), get(ready), preview(ready)):
        answer = await refused(call)
        assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    reused = await create(ready, request_id="r-x")
    assert reused
    await launch(ready, "r-x")
    await create(ready, cycle_id="2028")
    answer = await refused(launch(ready, "r-x", "2028"))
    assert answer.reason == "REQUEST_ID_REUSED"


async def test_only_an_admin_launches_and_an_auditor_looks(ready: Desk) -> None:
    await create(ready)
    auditor = ready.who("a", "auditor")
    assert (await get(ready, caller=auditor)).year == 2027
    assert (await preview(ready, caller=auditor)).included == 2

    for caller in (auditor, ready.who("siti", "employee")):
        for call in (launch(ready, caller=caller), create(ready, caller, cycle_id="x")):
            answer = await refused(call)
            assert (answer.code, answer.reason) == (
                grpc.StatusCode.PERMISSION_DENIED,
                "ROLE_REQUIRED",
            )
    assert (await refused(get(ready, caller=ready.who("siti", "employee")))).reason == (
        "ROLE_REQUIRED"
    )


async def test_a_page_token_of_another_cycle_is_refused(ready: Desk) -> None:
    await create(ready)
    await create(ready, cycle_id="2028")
    token = (await preview(ready, page_size=1)).next_page_token
    assert token

    answer = await refused(preview(ready, "2028", page_token=token))

    assert answer.reason == "PAGE_TOKEN_INVALID"


def test_every_reason_of_the_cohort_has_one_of_the_contract() -> None:
    assert set(REASONS) == set(LeftOut)


async def test_a_program_makes_cycles_by_its_scope_and_under_its_own_name(ready: Desk) -> None:
    payroll, other = (
        ready.who(program, "integrator", "cycles.write", "cycles.read")
        for program in ("payroll", "roster")
    )
    made = await create(ready, caller=payroll, request_id="r-mine")

    assert await create(ready, caller=payroll, request_id="r-mine") == made
    # The same request of another program, and of a person with that name, is another request.
    for caller in (other, ready.who("payroll", "agency_admin")):
        answer = await refused(create(ready, caller=caller, request_id="r-mine"))
        assert answer.reason == "ALREADY_EXISTS"
    assert (await get(ready, caller=other)).year == 2027
    reader = ready.who("payroll", "integrator", "cycles.read")
    answer = await refused(create(ready, caller=reader, request_id="r-mine"))
    assert (answer.reason, answer.details) == ("SCOPE_REQUIRED", {"scope": "cycles.write"})
