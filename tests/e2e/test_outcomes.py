"""What follows from final results, over gRPC and from the command line: who sees it, who acts."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from siklus.services.cli import run
from siklus.services.local.stack import LocalStack
from siklus.v1 import outcome_service_pb2 as pb
from siklus.v1 import outcomes_pb2 as messages
from tests.e2e.agency import Agency, eventually, launched_agency
from tests.e2e.calls import refused
from tests.e2e.people import Person

DENIED, STATE = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.FAILED_PRECONDITION
STEPS = ("sepakat", "pantau", "simpulkan")
NOTE = "Antrean masih panjang"


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """A year that is over, in which Siti did poorly and Wayan well."""
    year = stack.clock.now().year - 1
    async with launched_agency(stack, "tindak-lanjut", year=year) as opened:
        await is_completed(opened, "siti", results="BELOW")
        await is_completed(opened, "wayan", results="AT")
        yield opened


async def is_completed(agency: Agency, who: str, *, results: str) -> None:
    employee, budi, agus = agency.people(who, "budi", "agus")
    await employee.submits_plan()
    await budi.approves_plan(employee)
    await employee.evaluates_self()
    await budi.rates(employee, results=results)
    await employee.accepts_result()
    await agus.approves(employee)

    async def is_drawn() -> bool:
        return bool(await outcomes_of(employee, employee))

    await eventually(is_drawn)


async def outcomes_of(reader: Person, employee: Person) -> dict[str, messages.Outcome]:
    request = pb.ListOutcomesRequest(parent=employee.evaluation)
    answer: pb.ListOutcomesResponse = await reader.sends(request)
    return {each.code: each for each in answer.outcomes}


def plan_of(employee: Person) -> str:
    return f"{employee.evaluation}/improvementPlans/perbaikan"


def check_in(employee: Person, step: str, **how: Any) -> pb.RecordCheckInRequest:
    said: dict[str, Any] = {"result": messages.STEP_RESULT_MET, "request_id": step} | how
    return pb.RecordCheckInRequest(name=plan_of(employee), step=step, **said)


def closing(employee: Person, **how: Any) -> pb.CloseImprovementPlanRequest:
    said: dict[str, Any] = {"ending": messages.PLAN_STATE_COMPLETED, "request_id": "close"} | how
    return pb.CloseImprovementPlanRequest(name=plan_of(employee), **said)


async def test_an_employee_sees_what_follows_and_by_which_rule(agency: Agency) -> None:
    siti, wayan, yos = agency.people("siti", "wayan", "yos")

    found = await outcomes_of(siti, siti)

    assert list(found) == ["angka-kredit", "perbaikan"]
    credit, plan = found.values()
    assert (credit.percent, credit.months, credit.coefficient, credit.points) == ("75", 12, "", "")
    assert (plan.title.en, plan.rule) == ("Improvement plan", "outcomes.perbaikan")
    assert plan.because.id.startswith("Predikat Butuh Perbaikan (syarat: ")
    assert len(plan.policy_digest) == 64
    assert list(await outcomes_of(wayan, wayan)) == ["angka-kredit", "pengembangan"]
    assert list(await outcomes_of(agency.people("budi")[0], siti)) == list(found)
    with refused(DENIED, "NOT_A_PARTICIPANT"):
        await outcomes_of(yos, siti)
    with refused(DENIED, "ROLE_REQUIRED"):
        await siti.sends(pb.ListOutcomesRequest(parent=siti.cycle))
    everything = await agency.admin.sends(pb.ListOutcomesRequest(parent=siti.cycle))
    assert [each.display_name for each in everything.outcomes[:1]] == ["Siti Aminah"]


async def test_a_plan_goes_its_way_and_each_does_what_is_theirs(agency: Agency) -> None:
    siti, budi, rina, yos = agency.people("siti", "budi", "rina", "yos")
    waiting = [each.task.id for each in await budi.inbox() if each.person == "siti"]
    assert waiting == ["IMPROVEMENT_CHECK_IN.perbaikan.1"]
    with refused(DENIED, "SELF_DECISION"):
        await siti.sends(check_in(siti, "sepakat"))
    with refused(DENIED, "NOT_A_PARTICIPANT"):
        await yos.sends(check_in(siti, "sepakat"))
    with refused(DENIED, "NOT_YOUR_TASK"):
        await rina.sends(check_in(siti, "sepakat"))

    poor = check_in(siti, "sepakat", result=messages.STEP_RESULT_NOT_MET, note=NOTE)
    first = await budi.sends(poor)
    assert await budi.sends(poor) == first
    with refused(STATE, "WRONG_STAGE"):
        await budi.sends(closing(siti, request_id="early"))
    for step in STEPS[1:]:
        await budi.sends(check_in(siti, step))
    closed = await budi.sends(closing(siti))
    again = await budi.sends(closing(siti))

    assert (closed.receipt.state, closed.receipt.revision) == (messages.PLAN_STATE_COMPLETED, 4)
    assert again.receipt.revision == closed.receipt.revision
    with refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"):
        await budi.sends(closing(siti, ending=messages.PLAN_STATE_FAILED, reason="x"))
    read = await siti.sends(pb.GetImprovementPlanRequest(name=plan_of(siti)))
    assert [step.note for step in read.plan.steps] == [NOTE, "", ""]
    assert (read.plan.state, read.plan.closed_by) == (messages.PLAN_STATE_COMPLETED, "budi")
    assert read.plan.steps[0].title.en == "Agree on what is to improve"
    with refused(STATE, "ALREADY_DONE"):
        await agency.admin.sends(
            closing(siti, ending=messages.PLAN_STATE_CANCELLED, reason="x", request_id="late")
        )
    assert [each for each in await budi.inbox() if each.person == "siti"] == []


async def test_the_command_line_exports_all_of_a_cycle(
    agency: Agency, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ["--server", agency.stack.grpc_address, "--token", agency.auditor.token()]

    async def exported(form: str) -> str:
        words = ["outcome", "export", agency.cycle_id, "--format", form, *shared]
        assert await asyncio.to_thread(run, words) == 0
        # The server of this process logs beside what the command prints.
        out = capsys.readouterr().out.splitlines()
        return "\n".join(line for line in out if " request_id=" not in line)

    rows = list(csv.DictReader(io.StringIO(await exported("csv"))))
    lines = [json.loads(line) for line in (await exported("json")).splitlines()]

    told = [(row["person"], row["code"], row["percent"], row["skills"]) for row in rows]
    assert told == [
        ("siti", "angka-kredit", "75", ""),
        ("siti", "perbaikan", "", ""),
        ("wayan", "angka-kredit", "100", ""),
        ("wayan", "pengembangan", "", "technical managerial soft"),
    ]
    assert [line["code"] for line in lines] == [row["code"] for row in rows]
    assert "Siti Aminah" not in str(rows) + str(lines)


async def test_a_reopened_result_has_no_outcomes_until_it_is_final_again(agency: Agency) -> None:
    wayan, budi, agus = agency.people("wayan", "budi", "agus")
    await agency.admin.reopens(wayan)
    assert await outcomes_of(wayan, wayan) == {}

    await budi.rates(wayan, results="BELOW")
    await wayan.accepts_result()
    await agus.approves(wayan)

    async def has_a_plan() -> bool:
        found = await outcomes_of(wayan, wayan)
        return bool(found and found["perbaikan"].plan_state == messages.PLAN_STATE_OPEN)

    await eventually(has_a_plan)
    assert (await outcomes_of(wayan, wayan))["angka-kredit"].percent == "75"
