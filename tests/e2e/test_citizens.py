"""Serang's citizens rate the person who served them: a ticket, a score, evidence for the rater."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import feedback_service_pb2 as pb
from siklus.v1 import feedback_service_pb2_grpc
from siklus.workflows.domain.values import AgencyId
from tests.e2e.agency import Agency, launched_agency
from tests.e2e.calls import refused
from tests.e2e.processes import SIKLUS

DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    year = stack.clock.now().year
    async with launched_agency(stack, "serang", year=year, pack="serang") as agency:
        yield agency


async def siklus(agency: Agency, *arguments: str) -> Any:
    """Run a command as the agency's team and return what it prints as JSON."""
    token = agency.admin.token()
    server = f"127.0.0.1:{agency.stack.grpc_port}"
    child = await asyncio.create_subprocess_exec(
        SIKLUS,
        "feedback",
        *arguments,
        "--json",
        "--server",
        server,
        "--token",
        token,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    assert child.returncode == 0, err.decode()
    return json.loads(out)


async def test_citizens_rate_and_the_rater_sees_evidence_and_no_rating(
    agency: Agency, tmp_path: Path
) -> None:
    siti, budi, wayan = agency.people("siti", "budi", "wayan")
    today = (agency.stack.clock.now() + timedelta(hours=7)).date().isoformat()
    lines = [f"antrean-{n},siti,dinas,KTP elektronik,{today}" for n in range(3)]
    sheet = tmp_path / "contacts.csv"
    sheet.write_text("\n".join(["reference,person,unit,service,served_on", *lines]) + "\n")
    before = await siti.reads()

    issued = await siklus(agency, "tickets", str(sheet))
    citizen: Any = feedback_service_pb2_grpc.FeedbackServiceStub(agency.channel)
    asked = pb.GetContactSummaryRequest(name=siti.evaluation)
    seen: pb.GetContactSummaryResponse
    for number, (each, score) in enumerate(zip(issued["tickets"], (5, 4, 4), strict=True)):
        seen = await budi.sends(asked)
        assert (seen.scores.count, seen.missing, seen.min_answers) == (number, 3 - number, 3)
        assert (seen.scores.mean, list(seen.scores.spread), len(seen.services)) == ("", [], 0)
        assert f"masih kurang {3 - number} jawaban" in seen.too_few.id
        request = pb.RateContactRequest(
            parent=agency.name,
            request_id=f"r-{number}",
            ticket=each["ticket"],
            score=score,
            comment="Lima belas menit saja" if number == 0 else "",
        )
        assert (await citizen.RateContact(request, timeout=15)).service == "KTP elektronik"
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "TICKET_USED"):
        request.request_id = "lagi"
        await citizen.RateContact(request, timeout=15)

    seen = await budi.sends(asked)
    assert (seen.scores.count, seen.scores.mean) == (3, "4.33")
    assert (seen.missing, seen.HasField("too_few")) == (0, False)
    assert list(seen.scores.spread) == [0, 0, 0, 2, 1]
    assert (seen.scores.first_on, seen.scores.last_on) == (today, today)
    assert (seen.pending, len(seen.comments)) == (1, 0)

    (comment,) = (await siklus(agency, "comments", "--state", "pending"))["comments"]
    await siklus(agency, "moderate", comment["name"].rpartition("/")[2], "--publish")
    # Siti served them: she would know whose it is, and reads nothing of it today.
    told = await siti.sends(asked)
    assert (told.scores.count, told.published, len(told.comments)) == (0, 0, 0)
    async with agency.stack.store.agency(AgencyId(agency.id)) as connection:
        await connection.execute("UPDATE contact_rating SET rated_on = rated_on - 2")
    for who in (siti, budi):
        shown = await who.sends(asked)
        assert shown.scores.mean == "4.33"
        assert [each.text for each in shown.comments] == ["Lima belas menit saja"]
        assert not shown.comments[0].moderated_by
    with refused(DENIED, "NOT_A_PARTICIPANT"):
        await wayan.sends(asked)
    with refused(DENIED, "ROLE_REQUIRED"):
        await siti.sends(pb.ListContactCommentsRequest(parent=agency.name))
    (whole,) = (await siklus(agency, "services", "--cycle", agency.cycle_id))["sums"]
    assert (whole["service"], whole["issued"], whole["scores"]["mean"]) == (
        "KTP elektronik",
        3,
        "4.33",
    )
    told = await siklus(agency, "contacts", agency.cycle_id, "siti")
    assert told["scores"]["mean"] == "4.33"
    for command, key in (("show", "rounds"), ("notes", "notes")):
        assert await siklus(agency, command, agency.cycle_id, "siti") == {key: []}
    assert await siklus(agency, "invitations") == {"invitations": []}
    # Evidence alone: nothing of the evaluation moved.
    assert (await siti.reads()).revision == before.revision


async def test_a_program_with_the_scope_issues_and_an_employee_does_not(agency: Agency) -> None:
    today = agency.stack.clock.now().date() - timedelta(days=1)
    contact = pb.ServiceContact(
        reference="loket-1", person="yos", unit="jayapura", service="KK", served_on=str(today)
    )
    request = pb.IssueTicketsRequest(
        parent=agency.name, request_id="batch-1", contacts=[contact], valid_days=1
    )
    with refused(DENIED, "ROLE_REQUIRED"):
        await agency.person("siti").sends(request)

    token = agency.stack.program_token(agency.id, "loket", "tickets.write")
    stub: Any = feedback_service_pb2_grpc.FeedbackServiceStub(agency.channel)
    metadata = (("authorization", f"Bearer {token}"),)
    first = await stub.IssueTickets(request, metadata=metadata, timeout=15)
    again = await stub.IssueTickets(request, metadata=metadata, timeout=15)

    assert len(first.tickets[0].ticket) == 32
    assert again == first
