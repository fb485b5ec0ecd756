"""A panel decides an appeal over gRPC: appointed by command, each asked for a vote."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
import pytest

from siklus.services.cli import run
from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_appeal_pb2 as appeal
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.v1 import policy_service_pb2 as policies
from siklus.workflows.packs import source_of
from tests.e2e.agency import NATIONAL, Agency, agency_at, crowd
from tests.e2e.calls import refused
from tests.e2e.people import Answer, Person

Siklus = Callable[..., Awaitable[dict[str, Any]]]
BY_PANEL: Final = "decided_by: panel\n    panel: {members: 3, quorum: 2}"
MEMBERS: Final = ("dewi", "eko", "fitri")
STAFF: Final = (*crowd(1), *((who, who, "makassar", "agus", "id") for who in (*MEMBERS, "gita")))
WHY: Final = ("--reason", "SK 12", "--yes")


@pytest.fixture
def siklus(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Siklus:
    """Type `siklus appeal-panel ... --json` as the team of an agency."""

    async def typed(agency: Agency, *words: str) -> dict[str, Any]:
        monkeypatch.setenv("SIKLUS_SERVER", stack.grpc_address)
        monkeypatch.setenv("SIKLUS_TOKEN", agency.admin.token())
        first, *rest = words
        capsys.readouterr()
        arguments = ["appeal-panel", first, agency.cycle_id, *rest, "--json"]
        code = await asyncio.to_thread(run, arguments)
        said = capsys.readouterr()
        assert code == 0, said.err
        told: dict[str, Any] = json.loads(said.out[said.out.index("{") :])
        return told

    return typed


async def with_a_rating(agency: Agency, year: int) -> Person:
    """Launch the cycle in which one employee is rated at once."""
    pack = source_of(NATIONAL).decode().replace("decided_by: superior", BY_PANEL)
    await agency.employ(STAFF)
    await agency.tell_at_any_hour()
    await agency.admin.sends(
        policies.PublishPolicyRequest(parent=agency.name, request_id="p", yaml=pack)
    )
    await agency.admin.sends(
        cycles.CreateCycleRequest(
            parent=agency.name,
            request_id="c",
            cycle_id=agency.cycle_id,
            year=year,
            policy=NATIONAL,
            title="Penilaian",
            people=["p0001"],
            from_rating=["p0001"],
        )
    )
    await agency.launch()
    (employee,) = agency.people("p0001")
    await agency.person("budi").rates(employee, "AT", "BELOW")
    return employee


async def upholds(member: Person, of: Person, **how: Any) -> Answer:
    request = appeal.DecideAppealRequest(
        outcome=values_pb2.APPEAL_OUTCOME_UPHELD, reason="Sesuai bukti"
    )
    return await member.gives(request, of, **how)


async def test_three_are_asked_one_is_replaced_and_two_decide(
    stack: LocalStack, siklus: Siklus
) -> None:
    year = stack.clock.now().year - 1
    async with agency_at(stack, "panel", cycle=str(year)) as agency:
        employee = await with_a_rating(agency, year)
        await siklus(agency, "appoint", *MEMBERS, *WHY)
        assert (await siklus(agency, "show", "--unit", "dinas"))["members"] == [*MEMBERS]
        assert len((await siklus(agency, "list"))["panels"]) == 1
        await employee.appeals()
        dewi, eko, gita = agency.people("dewi", "eko", "gita")
        (task,) = await dewi.inbox()
        assert task.task.kind == evaluation_pb2.TASK_KIND_VOTE_ON_APPEAL
        with refused(grpc.StatusCode.FAILED_PRECONDITION, "RESPONSE_PENDING"):
            await dewi.changes_rating(employee, "AT", "AT")
        await agency.person("budi").responds_to_appeal(employee)

        first = await upholds(dewi, employee, request_id="suara")
        again = await upholds(dewi, employee, request_id="suara")

        spoken = first.receipt.panel
        assert (spoken.spoken, spoken.members, spoken.quorum) == (1, 3, 2)
        assert again.receipt.panel == spoken
        assert first.stage == "APPEAL_DECISION"
        assert "1 of 3 members" in (await employee.asks_why()).text.en
        seated = await siklus(agency, "seat", "p0001", "dewi", "eko", "gita", *WHY)
        assert seated["receipt"]["stage"] == "STAGE_APPEAL_DECISION"
        with refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_YOUR_TASK"):
            await agency.person("fitri").changes_rating(employee, "AT", "AT")
        await gita.changes_rating(employee, "AT", "AT")
        decided = await eko.changes_rating(employee, "AT", "AT")

        assert decided.stage == "FINAL_APPROVAL"
        assert not decided.receipt.HasField("panel")
        assert not await gita.inbox()
        shown = await employee.reads()
        assert shown.predicate == values_pb2.PREDICATE_BAIK
        assert shown.appeal.outcome == values_pb2.APPEAL_OUTCOME_CHANGED
        votes = [each for each in await employee.reads_history() if "vote" in each.kind]
        assert [(each.actor, "outcome" in each.facts.fields) for each in votes] == [
            ("dewi", False),
            ("gita", False),
            ("eko", False),
        ]
