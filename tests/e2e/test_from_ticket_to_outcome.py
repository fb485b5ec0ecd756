"""From a citizen's ticket to the end of what followed from the result: one story, over gRPC and in
virtual time, with the mails that tell each what concerns them.
"""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from siklus.services.clock import Clock
from siklus.services.demo.policies import QUADRANT, DemoPolicy
from siklus.services.local.stack import LocalStack
from siklus.services.local.virtual_time import VirtualTime
from siklus.v1 import commands_appeal_pb2 as appeals
from siklus.v1 import document_service_pb2 as documents
from siklus.v1 import document_service_pb2_grpc, feedback_service_pb2_grpc, outcome_service_pb2_grpc
from siklus.v1 import feedback_service_pb2 as feedback
from siklus.v1 import outcome_service_pb2 as outcomes
from siklus.v1 import outcomes_pb2 as following
from siklus.v1 import values_pb2 as v
from siklus.workflows import names
from tests.documents.pages import texts
from tests.e2e.agency import agency_at, eventually
from tests.e2e.calls import bearer
from tests.e2e.test_stories import publishes
from tests.e2e.year import JAKARTA, Year, kinds

CITIZENS: Final = "  feedback:\n    citizens: {min_answers: 3}\n"
FROM_TICKET: Final = DemoPolicy(
    "warga-perbaikan",
    "permenpan-6-2022",
    {**QUADRANT.changes, "rules:\n": QUADRANT.changes["rules:\n"] + CITIZENS},
)
"""The national policy, with citizens who are heard."""
SAID: Final = ((2, "Menunggu dua jam"), (3, ""), (2, ""))


@pytest.fixture
async def december() -> AsyncIterator[Year]:
    """An agency of its own stack, in which the year draws to its end."""
    number = datetime.now(UTC).year + 1
    clock = Clock(datetime(number, 12, 7, 9, tzinfo=JAKARTA) - datetime.now(UTC))
    async with (
        LocalStack(clock=clock, time_skipping=True) as stack,
        agency_at(stack, "dari-tiket", cycle=str(number)) as agency,
    ):
        await agency.employ()
        await agency.tell_at_any_hour()
        await publishes(agency, FROM_TICKET.source())
        await agency.create_cycle(number, FROM_TICKET.name)
        await agency.launch()
        yield Year(agency, number)


async def test_from_a_citizen_s_ticket_to_the_end_of_what_followed(december: Year) -> None:
    year, siti, budi = december, december.siti, december.budi
    await year.at("12-07 10:00", siti)
    await siti.submits_plan("antrean")
    await budi.approves_plan(siti)
    await siti.evaluates_self()
    await citizens_rate(year)

    await year.at("next 01-04 09:00", siti)
    await the_rater_reads_what_they_said_and_rates(year)
    await year.at("next 01-06 09:00", siti)
    await the_result_is_appealed_and_upheld(year)
    await year.at("next 01-14 09:00", siti)
    assert (await year.agus.approves(siti)).stage == "COMPLETED"
    await an_improvement_plan_is_drawn_and_told(year)
    await its_steps_are_reminded_of_and_recorded_to_the_end(year)

    await all_of_it_is_exported(year)
    await the_document_is_got_and_verified(year)


async def citizens_rate(year: Year) -> None:
    """A program of the counter issues a ticket for each contact; nobody logs in to use one."""
    agency = year.agency
    contacts = [
        feedback.ServiceContact(
            reference=f"loket-{number}",
            person="siti",
            unit="dinas",
            service="KTP elektronik",
            served_on=f"{year.year}-12-0{number}",
        )
        for number in range(1, 1 + len(SAID))
    ]
    issue = feedback.IssueTicketsRequest(
        parent=agency.name, request_id="tickets", contacts=contacts
    )
    program = agency.stack.program_token(agency.id, "loket", "tickets.write")
    public: Any = feedback_service_pb2_grpc.FeedbackServiceStub(agency.channel)
    issued = await public.IssueTickets(issue, metadata=bearer(program), timeout=15)
    for number, (each, (score, comment)) in enumerate(zip(issued.tickets, SAID, strict=True)):
        word = feedback.RateContactRequest(
            parent=agency.name,
            request_id=f"warga-{number}",
            ticket=each.ticket,
            score=score,
            comment=comment,
        )
        await public.RateContact(word, timeout=15)
    asked = feedback.ListContactCommentsRequest(parent=agency.name)
    (comment,) = (await agency.admin.sends(asked)).comments
    moderation = feedback.ModerateCommentRequest(
        name=comment.name, request_id="moderate", state=feedback.COMMENT_STATE_PUBLISHED
    )
    await agency.admin.sends(moderation)


async def the_rater_reads_what_they_said_and_rates(year: Year) -> None:
    siti, budi = year.siti, year.budi
    request = feedback.GetContactSummaryRequest(name=siti.evaluation)
    evidence: feedback.GetContactSummaryResponse = await budi.sends(request)
    assert (evidence.scores.count, evidence.scores.mean) == (3, "2.33")
    assert [each.text for each in evidence.comments] == ["Menunggu dua jam"]

    rated = await budi.rates(siti, "BELOW", "AT")

    assert rated.evaluation.predicate == v.PREDICATE_BUTUH_PERBAIKAN
    await year.deliver()
    assert "RATED" in kinds(year.mails(siti))


async def the_result_is_appealed_and_upheld(year: Year) -> None:
    siti, budi, rina = year.siti, year.budi, year.rina
    await siti.opens_result()
    await siti.appeals("Loket kedua ditutup")
    await budi.responds_to_appeal(siti)
    await year.deliver()
    assert {"APPEAL_FILED", "APPEAL_HEARD"} <= kinds(year.mails(rina))
    # News leaves once a day to each.
    await year.at("next 01-08 09:00", siti)
    upheld = appeals.DecideAppealRequest(outcome=v.APPEAL_OUTCOME_UPHELD, reason="Sesuai bukti")
    assert (await rina.gives(upheld, siti)).stage == "FINAL_APPROVAL"
    await year.deliver()
    for told in (siti, budi, year.agus):
        assert "APPEAL_DECIDED" in kinds(year.mails(told))


async def an_improvement_plan_is_drawn_and_told(year: Year) -> None:
    siti, budi = year.siti, year.budi

    async def has_a_plan() -> bool:
        return "IMPROVEMENT_CHECK_IN.perbaikan.1" in [each.task.id for each in await budi.inbox()]

    await eventually(has_a_plan)
    answer = await siti.sends(outcomes.ListOutcomesRequest(parent=siti.evaluation))
    assert [each.code for each in answer.outcomes] == ["angka-kredit", "perbaikan"]
    await year.deliver()
    assert {"OUTCOMES_DRAWN", "IMPROVEMENT_OPENED"} <= kinds(year.mails(siti))
    assert "IMPROVEMENT_OPENED" in kinds(year.mails(budi))
    said = "".join(mail.text for mail in year.mails(siti) + year.mails(budi)).casefold()
    assert not any(word in said for word in ("butuh perbaikan", "dua jam", "sesuai bukti"))


async def its_steps_are_reminded_of_and_recorded_to_the_end(year: Year) -> None:
    siti, budi = year.siti, year.budi
    plan_name = f"{siti.evaluation}/improvementPlans/perbaikan"
    workflow = names.improvement_workflow_id(year.agency.key(siti), "perbaikan")
    asked = outcomes.GetImprovementPlanRequest(name=plan_name)
    steps = (await siti.sends(asked)).plan.steps
    time = VirtualTime(year.agency.stack.client)
    for step in steps:
        due = date.fromisoformat(step.due_on)
        await year.remind_on_the_next_working_day(due)
        reminded = [mail for mail in year.mails(budi) if "Catat kemajuan" in mail.text]
        assert len(reminded) == step.number
        # The first is recorded a day late, which the team sees.
        day = due + timedelta(days=step.number == 1)
        instant = datetime.combine(day, datetime.min.time(), JAKARTA) + timedelta(hours=9)
        clock = year.agency.stack.clock
        clock.advance(instant - clock.now())
        await time.forward_to(workflow, instant)
        result = following.STEP_RESULT_MET
        done = outcomes.RecordCheckInRequest(
            name=plan_name, request_id=step.code, step=step.code, result=result
        )
        await budi.sends(done)
    ended = outcomes.CloseImprovementPlanRequest(
        name=plan_name, request_id="close", ending=following.PLAN_STATE_COMPLETED
    )
    await budi.sends(ended)

    closed = (await siti.sends(asked)).plan
    assert closed.state == following.PLAN_STATE_COMPLETED
    assert [each.late for each in closed.steps] == [True, False, False]
    await year.deliver()
    assert {"IMPROVEMENT_RECORDED", "IMPROVEMENT_ENDED"} <= kinds(year.mails(siti))


async def all_of_it_is_exported(year: Year) -> None:
    agency = year.agency
    career = agency.stack.program_token(agency.id, "karier", "outcomes.read")
    follow: Any = outcome_service_pb2_grpc.OutcomeServiceStub(agency.channel)
    request = outcomes.ExportOutcomesRequest(parent=agency.cycle)
    parts = [part async for part in follow.ExportOutcomes(request, metadata=bearer(career))]
    told = {each.code: each for part in parts for each in part.outcomes}
    assert told["perbaikan"].plan_state == following.PLAN_STATE_COMPLETED
    assert told["angka-kredit"].percent == "75"
    papers: Any = document_service_pb2_grpc.DocumentServiceStub(agency.channel)
    sheet = documents.ExportResultsRequest(name=agency.cycle, format=documents.RESULTS_FORMAT_CSV)
    stream = papers.ExportResults(sheet, metadata=bearer(agency.admin.token()))
    table = b"".join([part.chunk async for part in stream]).decode()
    (line,) = (each for each in table.splitlines() if each.startswith("siti,"))
    assert "BUTUH_PERBAIKAN" in line


async def the_document_is_got_and_verified(year: Year) -> None:
    siti = year.siti
    paper = await siti.sends(documents.GetDocumentRequest(name=siti.evaluation))
    said = " ".join(texts(paper.pdf))
    assert "Siti Aminah" in said
    assert paper.code in said
    check = documents.VerifyDocumentRequest(
        name=siti.evaluation, code=paper.code, sha256=paper.sha256
    )
    found = await siti.sends(check)
    assert (found.verdict, found.file) == (
        documents.DOCUMENT_VERDICT_AUTHENTIC,
        documents.FILE_VERDICT_SAME,
    )
