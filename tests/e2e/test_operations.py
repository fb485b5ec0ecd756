"""One act on many evaluations, over gRPC: what the preview tells is what comes of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import grpc
import pytest

from siklus.activities import calendars, undertaking
from siklus.activities.days_off import start_calendar_refresh
from siklus.activities.store.queries.selection import Selection
from siklus.services.cli import run
from siklus.services.local.stack import LocalStack
from siklus.services.local.virtual_time import VirtualTime
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operations_pb2 as messages
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import roster_service_pb2 as roster
from siklus.workflows import names
from siklus.workflows.domain.commands import MoveDeadline
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId, Role
from siklus.workflows.packs import source_of
from siklus.workflows.people import UpkeepWorkflow
from tests.e2e.agency import NATIONAL, Agency, agency_at, crowd, eventually, launched_agency
from tests.e2e.calls import refused
from tests.e2e.operating import Office, outcome_of
from tests.e2e.people import Person, indicators

APPLIED = messages.OPERATION_OUTCOME_APPLIED
PEOPLE = 6


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """An agency whose plans wait, under one policy."""
    year = stack.clock.now().year + 1
    async with launched_agency(stack, "dinas-op", year=year, staff=crowd(PEOPLE)) as launched:
        yield launched


async def reminders(agency: Agency, of: Person) -> list[date]:
    """Return the days on which the record reminds of what waits in an evaluation."""
    query = "SELECT unnest(remind_on) FROM task WHERE agency = %s AND cycle = %s AND person = %s"
    async with agency.stack.store.agency(AgencyId(agency.id)) as connection:
        rows = await connection.execute(query, (agency.id, agency.cycle_id, of.person))
        return [day for (day,) in await rows.fetchall()]


def later_plan(day: date) -> messages.OperationAct:
    return messages.OperationAct(
        move_deadline=messages.MoveDeadlineAct(
            task=evaluation_pb2.TASK_KIND_SUBMIT_PLAN, due_on=day.isoformat()
        )
    )


async def test_a_cohorts_deadline_moves_as_the_preview_told(agency: Agency) -> None:
    office = Office(agency)
    ready, *rest = agency.people("p0001", "p0002", "p0003")
    await ready.submits_plan()
    before = (await rest[0].reads()).tasks[0]
    day = date.fromisoformat(before.due_on) + timedelta(days=9)

    told = await office.previews(later_plan(day))

    foreseen = {each.person: outcome_of(each) for each in told}
    assert foreseen["p0001"] == "REFUSED WRONG_STAGE"
    (change,) = next(each for each in told if each.person == "p0002").tasks
    assert (change.due_on, change.due_on_after) == (before.due_on, day.isoformat())
    assert change.holder_after.display_name == "Pegawai 2"
    assert change.reminders_dropped
    assert change.reminders_added
    assert (await rest[0].reads()).tasks[0].due_on == before.due_on

    became = await office.does(later_plan(day), expected_count=len(told))

    assert became == foreseen
    assert list(became.values()).count("APPLIED") == len(told) - 1
    shown = await rest[0].reads()
    assert shown.tasks[0].due_at == change.due_at_after
    (inbox,) = await rest[0].inbox()
    assert inbox.task.due_at == change.due_at_after
    (waiting,) = (await rest[0].asks_why()).waiting
    assert waiting.due.rule == "plan.moved"
    last = (await agency.admin.reads_history(rest[0]))[-1]
    assert (last.kind, last.actor) == ("deadline_moved", "tim")
    assert {each.isoformat() for each in await reminders(agency, rest[0])} >= set(
        change.reminders_added
    )

    # The timer of the year rings at the new instant, and not at the old one.
    clock, workflow = VirtualTime(agency.stack.client), agency.workflow_id(rest[0])
    await clock.forward_to(workflow, before.due_at.ToDatetime(UTC) + timedelta(hours=3))
    assert (await agency.admin.reads_history(rest[0]))[-1].kind == "deadline_moved"
    await clock.forward_to(workflow, change.due_at_after.ToDatetime(UTC) + timedelta(hours=3))

    async def flagged() -> bool:
        return (await agency.admin.reads_history(rest[0]))[-1].kind == "task_flagged"

    await eventually(flagged)
    late = (await agency.admin.reads_history(rest[0]))[-1]
    legal_at = change.due_at_after.ToDatetime(UTC) + timedelta(seconds=1)
    assert late.occurred_at.ToDatetime(UTC) == legal_at
    assert late.recorded_at.ToDatetime(UTC) >= legal_at


async def test_a_supervisor_is_replaced_for_everybody_by_one_call(agency: Agency) -> None:
    act = messages.OperationAct(
        replace_person=messages.ReplacePersonAct(leaving="budi", successor="rina")
    )

    became = await Office(agency).does(act, parent=f"{agency.name}/cycles/-", units=["dinas"])

    below = {f"p{number:04}" for number in range(1, PEOPLE + 1)}
    assert below <= {person for person, outcome in became.items() if outcome == "APPLIED"}
    for person in agency.people("p0001", "p0002"):
        assert (await person.reads()).supervisor == "rina"
    (waiting,) = await agency.person("rina").inbox(kind=evaluation_pb2.TASK_KIND_REVIEW_PLAN)
    assert waiting.person == "p0001"


async def test_days_off_that_become_known_move_what_runs_later(agency: Agency) -> None:
    asking, supervisor = agency.person("p0001"), agency.person("rina")
    clock = VirtualTime(agency.stack.client)
    year = agency.stack.clock.now().year + 1
    await clock.forward_to(agency.workflow_id(asking), datetime(year, 1, 6, 3, tzinfo=UTC))
    await supervisor.approves_plan(asking)
    await asking.gives(plan.RequestPlanChangeRequest(indicators=indicators("berkas"), reason="x"))
    (before,) = (await asking.reads()).tasks

    await agency.admin.sends(
        roster.SetHolidaysRequest(
            parent=agency.name,
            unit="dinas",
            year=year,
            holidays=[roster.Holiday(on=before.due_on, name="Banjir")],
        )
    )

    async def moved() -> bool:
        return (await asking.reads()).tasks[0].due_on > before.due_on

    await eventually(moved)
    (waiting,) = (await asking.asks_why()).waiting
    assert "Banjir" in {day.name for day in waiting.due.skipped}
    last = (await agency.admin.reads_history(asking))[-1]
    assert (last.kind, last.actor) == ("calendar_replaced", "system:clock")
    newest = (await Office(agency).lists())[0]
    assert (newest.command, newest.created_by) == ("replace_calendar", "")
    # Under the new days the preview still reads every evaluation.
    day = date.fromisoformat(before.due_on) + timedelta(days=30)
    assert await Office(agency).previews(later_plan(day), people=["p0001"])


async def test_a_release_of_the_national_days_is_looked_at_once_and_changes_what_it_must(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, now = agency.stack, agency.stack.clock.now()
    of = AgencyId(agency.id)

    async def looks() -> str | None:
        return await start_calendar_refresh(stack.store, stack.client, of, at=now)

    await looks()
    assert await looks() is None  # with this release
    monkeypatch.setattr(calendars, "RELEASE", "9999.1")
    begun = await looks()
    assert begun is not None

    # The next release knows the same days, so nothing is sent to anybody.
    done = await Office(agency).is_done(f"{agency.name}/operations/{begun}")
    assert (done.command, done.total) == ("replace_calendar", 0)
    assert await looks() is None


async def test_a_second_member_of_the_team_confirms_what_the_first_asked_for(
    stack: LocalStack,
) -> None:
    source = source_of(NATIONAL).decode()
    asks = source.replace("rules:\n", "rules:\n  second_person: [cancel]\n", 1)
    async with agency_at(stack, "dua-orang", cycle="y") as opened:
        await opened.employ(crowd(2))
        await opened.admin.sends(
            policies.PublishPolicyRequest(parent=opened.name, request_id="p", yaml=asks)
        )
        await opened.create_cycle(stack.clock.now().year + 1)
        await opened.launch()
        act = messages.OperationAct(cancel=messages.CancelAct())
        both = {"people": ["p0001", "p0002"]}
        first, second = Office(opened), Office(opened, opened.person("lain", Role.AGENCY_ADMIN))

        assert set((await first.does(act, **both)).values()) == {"WAITS_FOR_SECOND_PERSON"}
        again = set((await first.does(act, **both)).values())
        assert again == {"REFUSED SECOND_PERSON_REQUIRED"}
        assert set((await second.does(act, **both)).values()) == {"APPLIED"}

        # Ended ones are reached by a reopening alone, through the record.
        reopen = messages.OperationAct(reopen=messages.ReopenAct())
        assert await first.previews(act, **both) == []
        assert set((await second.does(reopen, **both)).values()) == {"APPLIED"}
        (one, _) = await first.previews(act, **both)
        assert one.stage == evaluation_pb2.STAGE_PLAN


async def test_what_is_asked_for_again_is_done_once_and_counted_first(agency: Agency) -> None:
    office = Office(agency)
    act = later_plan(date(agency.stack.clock.now().year + 1, 2, 25))
    with refused(grpc.StatusCode.ABORTED, "COHORT_CHANGED", matching="1"):
        await office.applies(act, people=["p0003"], expected_count=7)

    once = await office.applies(act, people=["p0003"], request_id="sekali", expected_count=1)
    again = await office.applies(act, people=["p0003"], request_id="sekali", expected_count=1)

    assert again.name == once.name
    await office.is_done(once.name)
    (result,) = await office.results(once.name)
    assert (result.outcome, result.display_name) == (APPLIED, "Pegawai 3")
    kinds = [each.kind for each in await agency.admin.reads_history(agency.person("p0003"))]
    assert kinds.count("deadline_moved") == 2
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "OPERATION_STATE"):
        await agency.admin.sends(pb.PauseOperationRequest(name=once.name, request_id="jeda"))


async def test_one_that_was_entered_and_never_begun_can_be_called_off(agency: Agency) -> None:
    name = await entered(agency, day=27)

    await agency.admin.sends(pb.PauseOperationRequest(name=name, request_id="tahan"))
    cancel = pb.CancelOperationRequest(name=name, request_id="batal")
    cancelled: pb.CancelOperationResponse = await agency.admin.sends(cancel)

    assert cancelled.operation.state == messages.OPERATION_STATE_CANCELLED


async def test_one_that_was_entered_and_never_begun_is_begun_by_the_next_upkeep(
    agency: Agency,
) -> None:
    name = await entered(agency, day=28)

    await agency.stack.client.execute_workflow(
        UpkeepWorkflow.run,
        AgencyId(agency.id),
        id=f"upkeep/{agency.id}/now",
        task_queue=names.COHORT_QUEUE,
    )

    done = await Office(agency).is_done(name)
    assert (done.command, done.created_by) == ("move_deadline", "tim")
    (result,) = await Office(agency).results(name)
    assert (result.person, result.outcome) == ("p0003", APPLIED)


async def entered(agency: Agency, *, day: int) -> str:
    """Enter that a plan is due later, as a caller does who breaks off then; return its name."""
    due_on = date(agency.stack.clock.now().year + 1, 2, day)
    of, cycle = AgencyId(agency.id), CycleId(agency.cycle_id)
    async with agency.stack.store.agency(of) as connection:
        row = await undertaking.enter(
            connection,
            of,
            "move_deadline",
            MoveDeadline(task=TaskKind.SUBMIT_PLAN, due_on=due_on).model_dump_json(),
            reason="Banjir",
            at=agency.stack.clock.now(),
            cycle=cycle,
            selection=Selection(cycle=cycle, people=(PersonId("p0003"),)).model_dump_json(),
            by=PersonId("tim"),
        )
    return f"{agency.name}/operations/{row.operation}"


async def test_all_cycles_at_once_are_for_outages_and_replacements(agency: Agency) -> None:
    parent = f"{agency.name}/cycles/-"
    cancel = messages.OperationAct(cancel=messages.CancelAct())
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"):
        await Office(agency).applies(cancel, parent=parent)

    act = messages.OperationAct(extend_for_outage=messages.ExtendForOutageAct(outage="listrik"))
    now = agency.stack.clock.now()
    act.extend_for_outage.began_at.FromDatetime(now - timedelta(hours=5))
    act.extend_for_outage.ended_at.FromDatetime(now - timedelta(hours=1))
    became = await Office(agency).does(act, parent=parent, people=["p0005"])

    assert became == {"p0005": "REFUSED WRONG_STAGE"}  # it was opened after the outage


async def test_an_outage_is_given_back_once_to_whatever_was_open_in_it(agency: Agency) -> None:
    sixth = agency.person("p0006")
    before = (await sixth.reads()).tasks[0]
    clock = VirtualTime(agency.stack.client)
    opened = (await agency.admin.reads_history(sixth))[0]
    opened_at = opened.occurred_at.ToDatetime(UTC)
    await clock.forward_to(agency.workflow_id(sixth), opened_at + timedelta(days=3))
    act = messages.OperationAct(extend_for_outage=messages.ExtendForOutageAct(outage="pdn"))
    act.extend_for_outage.began_at.FromDatetime(opened_at + timedelta(hours=1))
    act.extend_for_outage.ended_at.FromDatetime(opened_at + timedelta(hours=30))

    assert await Office(agency).does(act, people=["p0006"]) == {"p0006": "APPLIED"}

    after = (await sixth.reads()).tasks[0]
    gained = date.fromisoformat(after.due_on) - date.fromisoformat(before.due_on)
    assert gained >= timedelta(days=2)  # two days begun, and more where that is no working day
    (inbox,) = await sixth.inbox()
    assert inbox.task.due_at == after.due_at
    (waiting,) = (await sixth.asks_why()).waiting
    assert waiting.due.rule == "outage"
    assert min(await reminders(agency, sixth)) > opened_at.date()
    assert await Office(agency).does(act, people=["p0006"]) == {"p0006": "ALREADY ALREADY_DONE"}
    last = (await agency.admin.reads_history(sixth))[-1]
    assert (last.kind, last.actor) == ("deadlines_extended", "tim")


async def test_an_admin_leaves_the_own_evaluation_to_others_and_an_auditor_only_looks(
    agency: Agency,
) -> None:
    act = messages.OperationAct(
        exclude=messages.ExcludeAct(ground=values_pb2.EXCLUSION_GROUND_OTHER)
    )
    own = Office(agency, agency.person("p0006", Role.AGENCY_ADMIN))

    assert await own.does(act, people=["p0006"]) == {"p0006": "REFUSED SELF_DECISION"}

    auditor = Office(agency, agency.auditor)
    assert len(await auditor.previews(act, people=["p0006"])) == 1
    assert await auditor.lists()
    with refused(grpc.StatusCode.PERMISSION_DENIED, "ROLE_REQUIRED"):
        await auditor.applies(act, people=["p0006"])


async def test_the_command_line_previews_asks_applies_and_tells_by_its_exit_code(
    agency: Agency, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, day = agency.stack, f"{agency.stack.clock.now().year + 1}-02-26"
    monkeypatch.setenv("SIKLUS_SERVER", f"127.0.0.1:{stack.grpc_port}")
    monkeypatch.setenv("SIKLUS_TOKEN", stack.token(agency.id, "tim", Role.AGENCY_ADMIN))

    async def siklus(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(run, ["operation", *words])
        said = capsys.readouterr()
        # The server of this process logs beside what the command prints.
        out = [line for line in said.out.splitlines() if " request_id=" not in line]
        return code, "\n".join(out), said.err

    move = ("move-deadline", agency.cycle_id, "--task", "submit-plan", "--on", day)
    chosen = ("--person", "p0004", "--reason", "Banjir")
    code, out, _ = await siklus(*move, "--person", "p0004", "--preview")
    assert code == 0
    assert f"→ {day}" in out
    code, _, err = await siklus(*move, *chosen)
    assert code == 2
    assert "1 evaluations: 1 applied" in err
    assert "nobody is there to agree" in err

    code, out, _ = await siklus(*move, *chosen, "--yes", "--json")
    done = json.loads(out)
    assert (code, done["state"], done["total"]) == (0, "OPERATION_STATE_DONE", 1)
    assert (await agency.person("p0004").reads()).tasks[0].due_on == day
    # Somebody who cannot be moved any more makes it 1, and the results tell why.
    await agency.person("p0005").submits_plan()
    both = ("--person", "p0005", "--person", "p0004", "--reason", "x", "--yes", "--json")
    code, out, _ = await siklus(*move, *both)
    assert code == 1
    operation = json.loads(out)["name"].rpartition("/")[2]
    code, out, _ = await siklus("results", operation, "--outcome", "refused")
    assert (code, "WRONG_STAGE" in out, "p0005.1" in out) == (0, True, True)
    assert (await siklus("show", operation, "--watch"))[0] == 1
    code, out, _ = await siklus("list")
    assert (code, operation in out) == (0, True)
    assert (await siklus(*move[:3], "lunch", *move[4:]))[0] == 2
