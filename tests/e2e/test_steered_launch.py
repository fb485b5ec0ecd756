"""A launch that an agency steers, people who join late, and the counts of all of them."""

import asyncio
import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from siklus.services.cli import run
from siklus.services.local.stack import LocalStack
from siklus.v1 import cohort_pb2 as cohort
from siklus.v1 import cohort_service_pb2 as steering
from siklus.v1 import commands_team_pb2 as team
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_pb2
from siklus.v1 import operation_service_pb2 as operations
from siklus.v1 import operations_pb2 as acts
from siklus.v1.values_pb2 import CohortExclusion, ExclusionGround
from siklus.workflows import cycle as launching
from siklus.workflows.domain.values import Role
from tests.e2e.agency import NATIONAL, Agency, agency_at, crowd, eventually
from tests.e2e.calls import Refused, outcome

FORMULA = "=cmd|' /C calc'!A0"
STAFF = (*crowd(20), ("p9999", FORMULA, "makassar", "budi", "id"))
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """An agency of 24 with a policy and no cycle."""
    year = stack.clock.now().year + 1
    async with agency_at(stack, "bertahap", cycle=str(year)) as opened:
        await opened.employ(STAFF)
        await opened.publish(NATIONAL)
        yield opened


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of a slow launch lasts a second."""
    monkeypatch.setattr(launching, "PAGE_SECONDS", 1)


async def created(agency: Agency, cycle_id: str, **about: Any) -> Agency:
    """Return the agency with a new cycle as its own."""
    opened = Agency(agency.stack, agency.channel, agency.id, cycle=cycle_id)
    request = cycles.CreateCycleRequest(
        parent=agency.name, request_id=f"create-{cycle_id}", cycle_id=cycle_id,
        year=agency.stack.clock.now().year + 1, policy=NATIONAL, title=cycle_id,
        **about,
    )  # fmt: skip
    await agency.admin.sends(request)
    return opened


async def is_frozen(agency: Agency) -> None:
    async def somebody_waits() -> bool:
        return (await agency.progress()).progress.cohort_size > 0

    await eventually(somebody_waits)


async def starts(agency: Agency, *, pace: int = 0, request_id: str = "launch") -> cycles.Cycle:
    request_id = f"{request_id}-{agency.cycle_id}"
    request = cycles.LaunchCycleRequest(name=agency.cycle, request_id=request_id, pace=pace)
    answer: cycles.LaunchCycleResponse = await agency.admin.sends(request)
    return answer.cycle


async def is_over(agency: Agency) -> None:
    async def all_are_on_record() -> bool:
        cycle = await agency.progress()
        shown = sum(each.count for each in cycle.progress.stages)
        over = cycle.state == cycles.CYCLE_STATE_RUNNING
        return over and shown >= cycle.progress.started > 0

    await eventually(all_are_on_record)


async def members(
    agency: Agency, outcome: cohort.MemberOutcome.ValueType = cohort.MEMBER_OUTCOME_UNSPECIFIED
) -> list[cohort.Member]:
    request = cohort.ListMembersRequest(name=agency.cycle, page_size=7, outcome=outcome)
    found: list[cohort.Member] = []
    while True:
        page: cohort.ListMembersResponse = await agency.auditor.sends(request)
        found += page.members
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def adds(
    agency: Agency, *people: str, request_id: str = "add", **how: bool
) -> list[cohort.MemberAddition]:
    request = cohort.AddMembersRequest(
        name=agency.cycle, request_id=f"{request_id}-{agency.cycle_id}", people=people, **how
    )
    answer: cohort.AddMembersResponse = await agency.admin.sends(request)
    return list(answer.people)


async def test_a_preview_tells_of_everybody_what_the_launch_then_keeps(agency: Agency) -> None:
    opened = await created(
        agency,
        "dipilih",
        units=["dinas"],
        exclusions=[
            CohortExclusion(person="p0001", ground=ExclusionGround.EXCLUSION_GROUND_UNPAID_LEAVE)
        ],
        from_rating=["p0002"],
    )
    request = cycles.PreviewLaunchRequest(name=opened.cycle, page_size=200)
    preview: cycles.PreviewLaunchResponse = await opened.admin.sends(request)

    await starts(opened)
    await is_over(opened)

    told = {each.person: each.reason for each in preview.people}
    assert {each.person: each.reason for each in await members(opened)} == told
    assert told["p0001"] == cycles.LAUNCH_REASON_UNPAID_LEAVE
    assert told["p9999"] == cycles.LAUNCH_REASON_OUTSIDE_UNITS
    assert told["agus"] == cycles.LAUNCH_REASON_NO_RATER
    assert (preview.included, preview.left_out) == (21, 3)
    (study,) = opened.people("p0002")
    assert (await opened.admin.reads(study)).stage == evaluation_pb2.STAGE_EXECUTION


@pytest.mark.usefixtures("short_pages")
async def test_a_paused_launch_goes_on_where_it_was(agency: Agency) -> None:
    opened = await created(agency, "jeda")
    await starts(opened, pace=5)
    await is_frozen(opened)
    pause = steering.PauseLaunchRequest(name=opened.cycle, request_id="pause-it")
    paused: cycles.Cycle = (await opened.admin.sends(pause)).cycle
    assert (paused.state, paused.pace) == (cycles.CYCLE_STATE_PAUSED, 5)
    assert (await opened.admin.sends(pause)).cycle == paused

    waiting = await members(opened, cohort.MEMBER_OUTCOME_WAITING)
    assert len(waiting) >= 13
    faster = steering.SetLaunchPaceRequest(name=opened.cycle, request_id="faster-it", pace=900)
    assert (await opened.admin.sends(faster)).cycle.state == cycles.CYCLE_STATE_PAUSED
    resume = steering.ResumeLaunchRequest(name=opened.cycle, request_id="resume-it")
    assert (await opened.admin.sends(resume)).cycle.pace == 900
    await is_over(opened)

    assert (await opened.progress()).state == cycles.CYCLE_STATE_RUNNING
    started = await members(opened, cohort.MEMBER_OUTCOME_STARTED)
    evaluations = await opened.evaluations()
    assert sorted(each.person for each in evaluations) == [each.person for each in started]
    assert len(started) == 23
    assert {each.revision for each in evaluations} == {1}
    told: Refused = await outcome(
        opened.admin.sends(steering.PauseLaunchRequest(name=opened.cycle, request_id="late-it"))
    )
    assert told.reason == "CYCLE_STATE"


@pytest.mark.usefixtures("short_pages")
async def test_a_launch_that_is_called_off_can_be_taken_up_again(agency: Agency) -> None:
    opened = await created(agency, "batal")
    await starts(opened, pace=2)
    await is_frozen(opened)
    cancel = steering.CancelLaunchRequest(name=opened.cycle, request_id="cancel-it")
    called_off: cycles.Cycle = (await opened.admin.sends(cancel)).cycle
    assert called_off.state == cycles.CYCLE_STATE_CANCELLED

    async def nobody_waits() -> bool:
        return (await opened.progress()).progress.waiting == 0

    await eventually(nobody_waits)
    outcomes = Counter(each.outcome for each in await members(opened))
    assert outcomes[cohort.MEMBER_OUTCOME_CANCELLED] >= 19
    refusal: Refused = await outcome(adds(opened, "p0001", request_id="add-to-cancelled"))
    assert refusal.reason == "CYCLE_STATE"

    await starts(opened, request_id="again")
    await is_over(opened)

    assert (await opened.progress()).progress.started == 23
    assert len(await opened.evaluations()) == 23


async def test_late_joiners_and_who_comes_back(agency: Agency) -> None:
    opened = await created(agency, "menyusul", people=["p0003", "p0004"])
    await starts(opened)
    await is_over(opened)
    (third,) = opened.people("p0003")
    exclude = team.ExcludeRequest(
        ground=ExclusionGround.EXCLUSION_GROUND_UNPAID_LEAVE, reason="Cuti"
    )
    await opened.admin.gives(exclude, third)
    people = ("p0003", "p0004", "p0005", "agus", "nobody")

    tried = await adds(opened, *people, request_id="add", validate_only=True)
    assert (await opened.progress()).progress.started == 2
    added, again = await adds(opened, *people), await adds(opened, *people)
    await is_over(opened)

    assert tried == added == again
    assert [(each.added, each.segment) for each in added] == [
        (True, 2), (False, 0), (True, 1), (False, 0), (False, 0),
    ]  # fmt: skip
    assert [each.reason for each in added if not each.added] == [
        cycles.LAUNCH_REASON_ALREADY_STARTED,
        cycles.LAUNCH_REASON_NO_RATER,
        cycles.LAUNCH_REASON_NOT_IN_ROSTER,
    ]
    assert sorted(each.name.rpartition("/")[2] for each in await opened.evaluations()) == [
        "p0003.1", "p0003.2", "p0004.1", "p0005.1",
    ]  # fmt: skip
    assert (await opened.progress()).state == cycles.CYCLE_STATE_RUNNING
    joined = {each.person: each for each in await members(opened) if each.HasField("added_at")}
    assert sorted(joined) == ["p0003", "p0005"]
    assert joined["p0003"].segment == 2


async def test_counts_and_the_most_urgent(agency: Agency) -> None:
    opened = await created(agency, "hitung", units=["dinas"])
    await starts(opened)
    await is_over(opened)
    first, second = opened.people("p0001", "p0002")
    await first.submits_plan()

    counted: cohort.GetCohortCountsResponse = await opened.auditor.sends(
        cohort.GetCohortCountsRequest(name=opened.cycle, by_unit=True, soon_days=366)
    )
    page: cohort.ListAtRiskResponse = await opened.auditor.sends(
        cohort.ListAtRiskRequest(name=opened.cycle, days=366, page_size=3)
    )

    numbers = {(each.stage, each.unit, each.lateness): each.count for each in counted.counts}
    assert sum(numbers.values()) == counted.total == 22
    stages = Counter[int]()
    for (stage, unit, _), count in numbers.items():
        assert unit == "dinas"
        stages[stage] += count
    assert stages == {evaluation_pb2.STAGE_PLAN: 21, evaluation_pb2.STAGE_PLAN_REVIEW: 1}
    assert len(page.evaluations) == 3
    shown = page.evaluations[0]
    assert shown.evaluation == second.evaluation.replace("p0002", shown.person)
    assert (shown.task, shown.holder) == (evaluation_pb2.TASK_KIND_SUBMIT_PLAN, shown.person)
    assert not shown.late


async def test_a_cycle_is_closed_when_every_evaluation_has_ended(agency: Agency) -> None:
    opened = await created(agency, "tutup", people=["p0006"])
    await starts(opened)
    await is_over(opened)
    close = steering.CloseCycleRequest(name=opened.cycle, request_id="close-it")
    told: Refused = await outcome(opened.admin.sends(close))
    assert (told.reason, told.facts["open"]) == ("CYCLE_STATE", "1")
    (sixth,) = opened.people("p0006")
    await opened.admin.cancels(sixth)

    closed: cycles.Cycle = (await opened.admin.sends(close)).cycle

    assert closed.state == cycles.CYCLE_STATE_CLOSED
    assert closed.HasField("closed_at")
    reopen = team.ReopenRequest(
        name=sixth.evaluation, request_id="reopen", reason="Keliru dibatalkan"
    )
    again = operations.PreviewOperationRequest(
        parent=opened.cycle, act=acts.OperationAct(reopen=acts.ReopenAct())
    )
    for asked in (
        adds(opened, "p0007"),
        starts(opened, request_id="again"),
        opened.admin.sends(reopen),
        opened.admin.sends(again),
    ):
        assert (await outcome(asked)).reason == "CYCLE_STATE"


async def test_the_command_line_from_the_preview_to_the_close(
    agency: Agency, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stack = agency.stack
    monkeypatch.setenv("SIKLUS_SERVER", f"127.0.0.1:{stack.grpc_port}")
    monkeypatch.setenv("SIKLUS_TOKEN", stack.token(agency.id, "tim", Role.AGENCY_ADMIN))
    year = str(stack.clock.now().year + 1)

    async def siklus(*words: str, code: int = 0) -> str:
        assert await asyncio.to_thread(run, ["cycle", *words]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    async def exported(what: str) -> list[dict[str, str]]:
        file = tmp_path / f"{what}.csv"
        await siklus(what, "cli", "--csv", str(file))
        return list(csv.DictReader(io.StringIO(file.read_text())))

    about = ("--year", year, "--policy", NATIONAL, "--unit", "makassar", "--unit", "jayapura")
    assert "state      draft" in await siklus("create", "cli", *about)
    preview = await exported("preview")
    assert {row["name"] for row in preview if row["in"] == "yes"} == {f"'{FORMULA}"}
    assert "nobody is there to agree" in await siklus("launch", "cli", code=2)
    assert "state      running" in await siklus("launch", "cli", "--yes", "--watch", "--pace", "50")
    listed = await exported("members")
    assert Counter(row["outcome"] for row in listed) == {"started": 1, "excluded": 23}
    assert {row["name"] for row in listed if row["outcome"] == "started"} == {f"'{FORMULA}"}
    assert "p0001   yes    INCLUDED  1" in await siklus("add", "cli", "p0001", "--dry-run")
    assert "plan" in await siklus("counts", "cli", "--by-unit")
    assert "p9999" in await siklus("at-risk", "cli", "--days", "366")
    assert "nothing is being launched" in await siklus("pause", "cli", code=2)
    assert "nobody is there to agree" in await siklus("close", "cli", code=2)
    assert "1 evaluations are open" in await siklus("close", "cli", "--yes", code=2)
