"""Plt and Plh over gRPC: they act in another's name by a letter, for its days alone."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from typing import Final
from zoneinfo import ZoneInfo

import grpc
import pytest

from siklus.services.cli import run
from siklus.services.local.stack import LocalStack
from siklus.v1 import mandates_pb2 as mandates
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import task_service_pb2 as tasks
from siklus.workflows.domain.values import Role
from siklus.workflows.packs import source_of
from tests.e2e.agency import NATIONAL, Agency, crowd, launched_agency
from tests.e2e.calls import refused
from tests.e2e.people import Person
from tests.e2e.test_audit import exported
from tests.e2e.test_races import to_final_approval
from tests.faults.agreement import must_agree

DENIED: Final = grpc.StatusCode.PERMISSION_DENIED
ACTING: Final = tuple(
    (who, f"Pejabat {who}", "dinas", "agus", "id") for who in ("dewi", "eko", "joko", "tono")
)
"""Supervised by the head, so that none of them has a part in what Budi reviews."""


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    year = stack.clock.now().year + 1
    staff = (*crowd(9), *ACTING)
    async with launched_agency(stack, "pejabat", year=year, staff=staff) as opened:
        yield opened


async def ends(agency: Agency, mandate: mandates.Mandate) -> None:
    """Have the team end a mandate today."""
    today = agency.stack.clock.now().astimezone(ZoneInfo("Asia/Jakarta")).date()
    request = mandates.EndMandateRequest(
        name=mandate.name,
        request_id=uuid.uuid4().hex,
        ends_on=today.isoformat(),
        reason="Pejabat definitif dilantik",
    )
    await agency.admin.sends(request)


def waiting_for(inbox: list[tasks.InboxTask], employee: Person) -> list[tasks.InboxTask]:
    return [each for each in inbox if each.person == employee.person]


async def test_an_acting_official_approves_a_waiting_plan_and_the_record_names_all_three(
    agency: Agency,
) -> None:
    employee, dewi = agency.people("p0001", "dewi")
    await employee.submits_plan()
    with refused(DENIED, "NOT_A_PARTICIPANT"):
        await dewi.approves_plan(employee)
    with refused(DENIED, "NOT_A_PARTICIPANT"):
        await dewi.reads(employee)

    mandate = await agency.lends("budi", "dewi")
    (waiting,) = waiting_for(await dewi.inbox(), employee)
    assert (waiting.standing, waiting.principal) == (tasks.STANDING_MANDATE, "budi")
    assert (await dewi.reads(employee)).person == employee.person
    assert (await dewi.asks_why(employee)).waiting
    approved = await dewi.approves_plan(employee, request_id="atas-nama")

    assert approved.stage == "EXECUTION"
    event = (await employee.reads_history())[-1]
    assert (event.actor, event.principal) == ("dewi", "budi")
    assert mandate.name.endswith(f"/{event.mandate}")
    assert event.mandate_letter == "800/budi/dewi"
    file = [json.loads(line) for line in (await exported(agency, agency.auditor)).splitlines()]
    (used,) = [each for each in file if each["record"] == "mandate"]
    assert (used["mandate"], used["letter"]) == (event.mandate, event.mandate_letter)
    assert file[0]["mandates"] == 1
    assert waiting_for(await dewi.inbox(), employee) == []
    await must_agree(agency.stack.client, agency.stack.store, [agency.key(employee)])

    await ends(agency, mandate)
    # What was done by it stays, and the same request is answered as it was.
    again = await dewi.approves_plan(employee, request_id="atas-nama")
    assert again.receipt.revision == approved.receipt.revision


async def test_after_its_end_nothing_is_done_or_seen_by_it(agency: Agency) -> None:
    employee, eko = agency.people("p0002", "eko")
    await employee.submits_plan()
    mandate = await agency.lends("budi", "eko")
    assert waiting_for(await eko.inbox(), employee)

    await ends(agency, mandate)

    with refused(DENIED, "MANDATE_NOT_VALID"):
        await eko.approves_plan(employee)
    with refused(DENIED, "NOT_A_PARTICIPANT"):
        await eko.reads(employee)
    assert waiting_for(await eko.inbox(), employee) == []
    assert (await employee.reads()).revision == 2


async def test_a_mandate_covers_its_scope_alone(agency: Agency) -> None:
    employee, joko = agency.people("p0003", "joko")
    await employee.submits_plan()
    await agency.lends("budi", "joko", scope=["return_plan"])

    with refused(DENIED, "MANDATE_NOT_VALID"):
        await joko.approves_plan(employee)
    assert (await joko.returns_plan(employee)).stage == "PLAN"


async def test_a_say_is_lent_on_along_a_chain_and_no_loop_is_entered(agency: Agency) -> None:
    employee, tono = agency.people("p0004", "tono")
    await employee.submits_plan()
    first = await agency.lends("budi", "eko")
    second = await agency.lends("eko", "tono")
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID") as told:
        await agency.lends("tono", "budi")
    assert told.refusal.fields == ["principal"]
    assert [each.principal for each in waiting_for(await tono.inbox(), employee)] == ["budi"]

    assert (await tono.approves_plan(employee)).stage == "EXECUTION"

    event = (await employee.reads_history())[-1]
    assert (event.actor, event.principal) == ("tono", "budi")
    assert second.name.endswith(f"/{event.mandate}")
    await ends(agency, first)
    other = agency.person("p0005")
    await other.submits_plan()
    with refused(DENIED, "MANDATE_NOT_VALID"):
        await tono.approves_plan(other)


async def test_nobody_acts_in_the_own_case_by_a_mandate(agency: Agency) -> None:
    employee, colleague = agency.people("p0006", "p0007")
    await employee.submits_plan()
    await agency.lends("budi", "p0006")
    await agency.lends("p0006", "p0007")

    with refused(DENIED, "SELF_DECISION"):
        await employee.approves_plan(employee)
    with refused(DENIED, "MANDATE_NOT_VALID"):
        await colleague.approves_plan(employee)
    assert waiting_for(await employee.inbox(), employee) == []
    assert waiting_for(await colleague.inbox(), employee) == []


async def test_a_policy_may_keep_the_final_approval_from_acting_officials(agency: Agency) -> None:
    strict = (
        source_of(NATIONAL)
        .decode()
        .replace("\nrules:\n", "\nrules:\n  mandates: {may_sign_final: false}\n")
    )
    await agency.admin.sends(
        policies.PublishPolicyRequest(parent=agency.name, request_id="ketat", yaml=strict)
    )
    number = agency.stack.clock.now().year - 1
    over = Agency(agency.stack, agency.channel, agency.id, cycle=str(number))
    await over.create_cycle(number)
    await over.launch("tahun-lalu")
    employee, budi, agus, dewi = over.people("p0009", "budi", "agus", "dewi")
    await over.lends("agus", "dewi")
    await to_final_approval(employee, budi)

    with refused(DENIED, "MANDATE_NOT_VALID") as told:
        await dewi.approves(employee)
    assert "final approval" in told.refusal.message
    # It may still send it back, and the principal signs himself.
    assert (await dewi.returns_rating(employee)).stage == "RATING"
    await budi.rates(employee)
    await employee.accepts_result()
    assert (await agus.approves(employee)).stage == "COMPLETED"


async def test_nobody_of_the_team_enters_their_own_mandate(agency: Agency) -> None:
    with refused(DENIED, "SEPARATION_OF_DUTIES"):
        await agency.lends("budi", "tim")


async def test_a_program_stands_in_for_nobody(agency: Agency) -> None:
    program = agency.person("program", Role.INTEGRATOR)

    with refused(DENIED, "ROLE_REQUIRED"):
        await program.approves_plan(agency.person("p0008"))


async def test_the_team_keeps_mandates_from_the_command_line(
    agency: Agency, capsys: pytest.CaptureFixture[str]
) -> None:
    today = agency.stack.clock.now().astimezone(ZoneInfo("Asia/Jakarta")).date().isoformat()

    async def siklus(*words: str, code: int = 0) -> str:
        reached = ("--server", agency.stack.grpc_address, "--token", agency.admin.token())
        arguments = ["mandate", *words, *reached]
        assert await asyncio.to_thread(run, arguments) == code
        said = capsys.readouterr()
        # The server logs to the same place, for it runs in this process.
        lines = (said.err if code else said.out).splitlines(keepends=True)
        return "".join(line for line in lines if not re.match(r"[0-9]{4}-\S+ [0-9:]{8} ", line))

    days = ("--from", today, "--to", today)
    who = ("--principal", "rina", "--delegate", "joko", "--kind", "plh", "--letter", "800/9")
    entered = json.loads(await siklus("create", *who, *days, "--json"))
    mandate = entered["name"].rpartition("/")[2]
    assert (entered["kind"], entered["last_on"]) == ("MANDATE_KIND_PLH", today)
    assert "800/9" in await siklus("list", "--delegate", "joko", "--on", today)
    assert "Plh" in await siklus("show", mandate)
    wrong = await siklus("create", *who[2:], "--principal", "joko", *days, code=2)
    assert wrong.startswith("siklus: delegate: nobody stands in for themselves")

    ending = ("end", mandate, "--on", today, "--reason", "Rina kembali")
    # Nobody is there to agree, so it stays as it is.
    asked = await siklus(*ending, code=2)
    assert "joko acts for rina no more" in asked
    assert "nothing was changed" in asked
    assert "early" not in await siklus("show", mandate)
    once = (*ending, "--request-id", "kembali-1", "--yes")
    ended = await siklus(*once)
    assert "Rina kembali" in ended
    # Whoever lost the answer sends the same request again; another one comes too late.
    assert await siklus(*once) == ended
    assert "it ends after" in await siklus(*ending, "--yes", code=2)
    assert "early" in await siklus("list", "--delegate", "joko")
