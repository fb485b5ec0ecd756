"""One agency's year over gRPC: plan, review, midyear, self-evaluation, rating, appeal, approval.

The stack lives in the next calendar year, and everybody's evaluation moves with its clock.
"""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import grpc
import pytest

from siklus.services.clock import Clock
from siklus.services.local.stack import LocalStack
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_pb2, task_service_pb2, values_pb2
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.workflows.domain.values import Role
from tests.e2e.agency import launched_agency
from tests.e2e.calls import refused
from tests.e2e.people import Person, stage_name
from tests.e2e.year import JAKARTA, Year, kinds
from tests.faults.agreement import must_agree

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
async def opened() -> AsyncIterator[Year]:
    """Launched on the 4th of January, the first plan still unwritten."""
    number = datetime.now(UTC).year + 1
    begins = datetime(number, 1, 4, 9, tzinfo=JAKARTA)
    clock = Clock(begins - datetime.now(UTC))
    async with (
        LocalStack(clock=clock, time_skipping=True) as stack,
        launched_agency(stack, "palu", year=number) as agency,
    ):
        yield Year(agency, number)


@pytest.fixture(scope="module")
async def year(opened: Year) -> Year:
    """The whole year, lived once in the order in which it happens."""
    await plans_are_asked_for(opened)
    await a_plan_is_returned_and_then_approved(opened)
    await who_is_late_is_reminded_and_then_passed_by(opened)
    await midyear_is_spoken_of(opened)
    await everybody_is_rated(opened)
    await a_rating_is_appealed_and_changed(opened)
    await silence_is_taken_for_receipt(opened)
    await everything_is_approved_at_last(opened)
    return opened


async def plans_are_asked_for(year: Year) -> None:
    await year.at("01-04 10:00")
    assert await year.siti.counts() == {"SUBMIT_PLAN": (1, 0)}
    (mine,) = await year.wayan.inbox()
    assert (mine.evaluation, mine.display_name) == (year.wayan.evaluation, "I Wayan Sudira")
    assert mine.standing == task_service_pb2.STANDING_HOLDER
    assert mine.task.due_on == f"{year.year}-01-14"

    why = await year.siti.asks_why()

    (waiting,) = why.waiting
    assert waiting.may_act == ["siti"]
    assert (waiting.due.rule, waiting.due.zone) == ("plan.due.on", "Asia/Jakarta")
    assert f"14 Januari {year.year}" in why.text.id
    assert f"14 January {year.year}" in why.text.en


async def a_plan_is_returned_and_then_approved(year: Year) -> None:
    siti, budi = year.siti, year.budi
    submitted = await siti.submits_plan("antrean", "arsip", expected_revision=1)
    assert (submitted.stage, submitted.receipt.holder) == ("PLAN_REVIEW", "budi")
    assert "REVIEW_PLAN" in await budi.counts()
    with refused(grpc.StatusCode.ABORTED, "REVISION_CHANGED", revision="2"):
        await budi.approves_plan(siti, expected_revision=1)

    await budi.returns_plan(siti, reason="Target arsip belum terukur")
    await year.deliver()
    assert "PLAN_RETURNED" in kinds(year.mails(siti))
    await siti.submits_plan("antrean", "arsip", "inovasi")
    approved = await budi.approves_plan(siti)

    assert approved.stage == "EXECUTION"
    assert approved.evaluation.plan.version == 1
    assert [line.id for line in approved.evaluation.plan.indicators] == [
        "antrean",
        "arsip",
        "inovasi",
    ]
    returned = (await siti.reads_history())[2]
    assert (returned.kind, returned.actor) == ("plan_returned", "budi")
    assert dict(returned.prose) == {"reason": "Target arsip belum terukur"}


async def who_is_late_is_reminded_and_then_passed_by(year: Year) -> None:
    await year.wayan.submits_plan()
    await year.budi.approves_plan(year.wayan)
    await year.at("01-12 08:00")
    await year.remind_on_the_next_working_day(date(year.year, 1, 12))
    (mail,) = (mail for mail in year.mails(year.yos) if "REMINDER" in mail.siklus["x-siklus-kinds"])
    assert "Susun dan ajukan rencana kinerja" in mail.text
    assert not [mail for mail in year.mails(year.wayan) if "REMINDER" in kinds([mail])]

    await year.yos.submits_plan()
    # Budi lets the review lie; its due date passes and it climbs to Rina, who acts.
    await year.at("02-04 09:00")

    (task,) = (await year.yos.reads()).tasks
    assert (task.holder, list(task.escalated_to), task.overdue) == ("budi", ["rina"], True)
    climbed = [each for each in await year.rina.inbox() if each.person == "yos"]
    assert [each.standing for each in climbed] == [task_service_pb2.STANDING_ESCALATED]
    assert (await year.budi.counts())["REVIEW_PLAN"] == (1, 1)
    # Told while there is something to do; once it is done, nobody would be.
    await year.deliver()
    assert "ESCALATED" in kinds(year.mails(year.rina))
    assert (await year.rina.approves_plan(year.yos)).stage == "EXECUTION"


async def midyear_is_spoken_of(year: Year) -> None:
    siti, budi = year.siti, year.budi
    await siti.reports_progress("Loket ketiga dibuka")
    await year.at("07-05 09:00")
    assert stage_name((await siti.reads()).stage) == "MIDYEAR"

    await budi.evaluates_period(siti, 1, "AT", "ABOVE")
    await siti.accounts_for_midyear()
    reviewed = await budi.reviews_midyear(siti)

    assert reviewed.stage == "EXECUTION"
    assert reviewed.evaluation.periods[0].predicate == values_pb2.PREDICATE_BAIK
    await year.at("12-06 09:00")
    assert (await siti.evaluates_self("ABOVE", "AT")).stage == "SELF_EVALUATION"
    assert (await year.wayan.reads()).midyear.missed


async def everybody_is_rated(year: Year) -> None:
    siti, wayan, yos, budi = year.siti, year.wayan, year.yos, year.budi
    await year.at("next 01-04 09:00")
    assert (await wayan.reads()).self_evaluation.missed
    with refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_YOUR_TASK"):
        await year.agus.rates(siti)

    rated = await budi.rates(siti, "AT", "BELOW")
    await budi.rates(wayan, "ABOVE", "ABOVE")
    await budi.rates(yos)

    assert rated.stage == "DELIVERY"
    assert rated.evaluation.predicate == values_pb2.PREDICATE_KURANG
    await year.deliver()
    assert "RATED" in kinds(year.mails(siti))
    (news,) = (mail for mail in year.mails(wayan) if "RATED" in mail.siklus["x-siklus-kinds"])
    assert "The result of your evaluation can now be seen" in news.text


async def a_rating_is_appealed_and_changed(year: Year) -> None:
    siti, budi, rina = year.siti, year.budi, year.rina
    await year.at("next 01-05 09:00")
    opened = await siti.opens_result()
    assert opened.evaluation.receipt_kind == evaluation_pb2.RECEIPT_KIND_OPENED
    filed = await siti.appeals("Target dihitung dua kali")
    assert filed.evaluation.appeal.decider == "rina"
    with refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_YOUR_TASK"):
        await budi.changes_rating(siti, "AT", "AT")
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "RESPONSE_PENDING"):
        await rina.changes_rating(siti, "AT", "AT")

    await budi.responds_to_appeal(siti)
    decided = await rina.changes_rating(siti, "AT", "AT")

    assert decided.stage == "FINAL_APPROVAL"
    assert [(each.predicate, each.by_appeal) for each in decided.evaluation.ratings] == [
        (values_pb2.PREDICATE_KURANG, False),
        (values_pb2.PREDICATE_BAIK, True),
    ]
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "APPEAL_SPENT"):
        await siti.appeals("Sekali lagi")


async def silence_is_taken_for_receipt(year: Year) -> None:
    assert (await year.wayan.accepts_result()).stage == "FINAL_APPROVAL"
    returned = await year.agus.returns_rating(year.wayan)
    assert (returned.stage, returned.receipt.holder) == ("RATING", "budi")
    await year.budi.rates(year.wayan, "ABOVE", "AT")
    await year.wayan.accepts_result()

    # Yos says nothing: received after 14 days, and 14 days later the right to appeal is over.
    await year.at("next 01-19 09:00", year.yos)
    deemed = await year.yos.reads()
    assert deemed.receipt_kind == evaluation_pb2.RECEIPT_KIND_DEEMED
    assert stage_name(deemed.stage) == "APPEAL_WINDOW"
    await year.at("next 02-02 09:00", year.yos)
    assert stage_name((await year.yos.reads()).stage) == "FINAL_APPROVAL"
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "WINDOW_CLOSED"):
        await year.yos.appeals("Terlambat")


async def everything_is_approved_at_last(year: Year) -> None:
    await year.at("next 02-03 09:00")
    assert (await year.agus.counts())["APPROVE"] == (3, 0)
    approved = await year.agus.repeats(year.approval)
    assert approved.stage == "COMPLETED"
    for each in (year.wayan, year.yos):
        await year.agus.approves(each)
    await year.deliver()
    assert all("APPROVED" in kinds(year.mails(each)) for each in year.team)
    assert "APPROVE" not in await year.agus.counts()


async def test_every_evaluation_ends_approved_with_its_predicate(year: Year) -> None:
    ended = {each.person: each for each in await year.agency.evaluations(stage=11)}

    assert {
        person: values_pb2.Predicate.Name(each.predicate) for person, each in ended.items()
    } == {
        "siti": "PREDICATE_BAIK",
        "wayan": "PREDICATE_BAIK",
        "yos": "PREDICATE_BAIK",
    }
    progress = (await year.agency.progress()).progress
    assert (progress.cohort_size, progress.started, progress.excluded) == (6, 5, 1)
    stack = year.agency.stack
    await must_agree(stack.client, stack.store, [year.agency.key(each) for each in year.team])


async def test_the_history_tells_the_year_with_its_texts(year: Year) -> None:
    history = await year.siti.reads_history(page_size=7)

    assert [event.seq for event in history] == list(range(1, len(history) + 1))
    assert [event.kind for event in history if event.actor != "system:clock"] == [
        "plan_submitted",
        "plan_returned",
        "plan_submitted",
        "plan_approved",
        "progress_reported",
        "periodic_evaluation_recorded",
        "midyear_account_submitted",
        "midyear_reviewed",
        "self_evaluation_submitted",
        "rated",
        "result_received",
        "appeal_filed",
        "appeal_responded",
        "appeal_decided",
        "evaluation_approved",
    ]
    filed = next(event for event in history if event.kind == "appeal_filed")
    assert dict(filed.prose) == {"reasons": "Target dihitung dua kali"}
    assert not any(event.prose_withheld for event in history)
    with refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await year.wayan.reads_history(year.siti)
    assert await year.agency.auditor.reads_history(year.siti) == history


async def test_a_repeated_request_is_answered_as_before_after_the_workflow_ended(
    year: Year,
) -> None:
    shown = await year.siti.reads()

    again = await year.agus.repeats(year.approval)

    assert again.stage == "COMPLETED"
    approved = (await year.siti.reads_history())[again.receipt.revision - 1]
    assert (approved.kind, approved.digest) == ("evaluation_approved", again.receipt.digest)
    assert (await year.siti.reads()).revision == shown.revision
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "EVALUATION_CLOSED"):
        await year.agus.approves(year.siti)
    with refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"):
        await year.agus.approves(year.siti, request_id=year.approval.request_id)


async def test_launching_again_changes_nothing(year: Year) -> None:
    before = await year.agency.evaluations()

    await year.agency.launch("launch")
    await year.agency.launch("launch-again")

    assert await year.agency.evaluations() == before
    preview: cycles.PreviewLaunchResponse = await year.admin.sends(
        cycles.PreviewLaunchRequest(name=year.agency.cycle)
    )
    assert (preview.included, preview.left_out) == (0, 6)
    reasons = {each.person: cycles.LaunchReason.Name(each.reason) for each in preview.people}
    assert reasons["agus"] == "LAUNCH_REASON_NO_RATER"
    assert reasons["siti"] == "LAUNCH_REASON_ALREADY_STARTED"


async def test_a_completed_evaluation_is_reopened_under_its_old_numbers(year: Year) -> None:
    before = await year.yos.reads()
    with refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_YOUR_TASK"):
        await year.budi.reopens(year.yos)

    reopened = await year.admin.reopens(year.yos, request_id="reopen-yos")

    assert (reopened.stage, reopened.receipt.revision) == ("RATING", before.revision + 1)
    again = await year.admin.reopens(year.yos, request_id="reopen-yos")
    assert again.receipt.digest == reopened.receipt.digest
    await year.budi.rates(year.yos, "ABOVE", "ABOVE")
    await year.yos.accepts_result()
    approved = await year.agus.approves(year.yos)
    assert approved.evaluation.predicate == values_pb2.PREDICATE_SANGAT_BAIK
    stack = year.agency.stack
    await must_agree(stack.client, stack.store, [year.agency.key(year.yos)])


async def test_lists_go_page_by_page_and_show_what_was_asked_for(year: Year) -> None:
    request = views.ListEvaluationsRequest(parent=year.agency.name, page_size=2)
    request.read_mask.paths.extend(("person", "plan.version"))
    seen: list[str] = []

    for expected in (2, 2, 1):
        page: views.ListEvaluationsResponse = await year.admin.sends(request)
        assert len(page.evaluations) == expected
        assert all(not each.name and not each.tasks for each in page.evaluations)
        seen += [each.person for each in page.evaluations]
        request.page_token = page.next_page_token

    assert seen == ["budi", "rina", "siti", "wayan", "yos"]
    assert request.page_token == ""
    mine = views.ListEvaluationsRequest(parent=year.agency.name)
    own: views.ListEvaluationsResponse = await year.siti.sends(mine)
    assert [each.person for each in own.evaluations] == ["siti"]
    masked = await year.siti.reads(mask=("plan.version", "predicate"))
    assert (masked.plan.version, masked.stage, list(masked.ratings)) == (1, 0, [])


async def test_a_read_waits_for_the_revision_that_it_demands(year: Year) -> None:
    shown = await year.siti.reads()

    assert (await year.siti.reads(min_revision=shown.revision)).revision == shown.revision
    with refused(
        grpc.StatusCode.UNAVAILABLE, "STALE_READ", revision=str(shown.revision)
    ) as expected:
        await year.siti.reads(min_revision=shown.revision + 1)
    assert "RetryInfo" in expected.refusal.everything


async def test_another_agency_sees_nothing_of_it(year: Year) -> None:
    stranger = Person(
        year.agency.channel,
        lambda: year.agency.stack.token("serang", "siti", Role.AGENCY_ADMIN),
        year.agency.cycle,
        "siti",
    )

    requests: tuple[Any, ...] = (
        views.GetEvaluationRequest(name=year.siti.evaluation),
        views.ListEvaluationsRequest(parent=year.agency.name),
        cycles.GetCycleRequest(name=year.agency.cycle),
        task_service_pb2.ListTasksRequest(parent=year.agency.name),
    )
    for request in requests:
        with refused(grpc.StatusCode.NOT_FOUND, "NOT_FOUND"):
            await stranger.sends(request)
