"""Ratings that pass their guide: warned of, blocked, sent back, and calibrated by command."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from siklus.services.cli import run
from siklus.services.local.stack import LocalStack
from siklus.v1 import calibration_service_pb2 as pb
from siklus.v1 import calibrations_pb2 as messages
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import distribution_pb2 as shared
from siklus.v1 import document_service_pb2 as documents
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.v1 import policy_service_pb2 as policies
from siklus.workflows.packs import source_of
from tests.e2e.agency import NATIONAL, Agency, agency_at, crowd
from tests.e2e.calls import refused
from tests.e2e.operating import Office, outcome_of
from tests.e2e.people import Answer, Person

Siklus = Callable[..., Awaitable[dict[str, Any]]]
SIZE = 10
EMPLOYEES = [f"p{number:04}" for number in range(1, SIZE + 1)]


@asynccontextmanager
async def rating_agency(
    stack: LocalStack, agency: str, mode: str, rule: str = ""
) -> AsyncIterator[Agency]:
    """Yield an agency in which ten people wait for their rating by Budi, with one more rule."""
    year = stack.clock.now().year - 1
    pack = source_of(NATIONAL).decode().replace("mode: warn", f"mode: {mode}")
    pack = pack.replace("  delivery:", f"  {rule}\n  delivery:", 1)
    async with agency_at(stack, agency, cycle=str(year)) as opened:
        await opened.employ(crowd(SIZE))
        await opened.tell_at_any_hour()
        await opened.admin.sends(
            policies.PublishPolicyRequest(parent=opened.name, request_id="p", yaml=pack)
        )
        await opened.admin.sends(
            cycles.CreateCycleRequest(
                parent=opened.name,
                request_id="c",
                cycle_id=opened.cycle_id,
                year=year,
                policy=NATIONAL,
                title="Penilaian",
                people=EMPLOYEES,
                from_rating=EMPLOYEES,
            )
        )
        await opened.launch()
        await opened.admin.sends(
            pb.SetOrganisationRatingRequest(
                parent=opened.cycle,
                request_id="o",
                predicate=shared.ORGANISATION_PREDICATE_BAIK,
                reason="Nota 12",
            )
        )
        yield opened


async def rated(agency: Agency, people: Sequence[Person]) -> list[Answer]:
    budi = agency.person("budi")
    return [await budi.rates(person, "AT", "AT") for person in people]


@pytest.fixture
def siklus(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Siklus:
    """Type `siklus calibration ... --json` as the team of an agency."""

    async def typed(agency: Agency, *words: str) -> dict[str, Any]:
        monkeypatch.setenv("SIKLUS_SERVER", stack.grpc_address)
        monkeypatch.setenv("SIKLUS_TOKEN", agency.admin.token())
        first, *rest = words
        arguments = ["calibration", first, agency.cycle_id, *rest, "--json"]
        capsys.readouterr()
        code = await asyncio.to_thread(run, arguments)
        said = capsys.readouterr()
        assert code == 0, said.err
        told: dict[str, Any] = json.loads(said.out[said.out.index("{") :])
        return told

    return typed


async def test_the_eighth_of_ten_comes_with_a_warning_and_goes_back_to_its_rater(
    stack: LocalStack, siklus: Siklus
) -> None:
    async with rating_agency(stack, "kalibrasi-w", "warn") as agency:
        people = agency.people(*EMPLOYEES)
        assert not any(each.receipt.warnings for each in await rated(agency, people[:7]))
        budi, eighth = agency.person("budi"), people[7]
        guide = await budi.sends(pb.GetRatingGuideRequest(name=eighth.evaluation))
        told = {each.predicate: each.text.en for each in guide.options}
        assert "8th of 10" in told[values_pb2.PREDICATE_BAIK]

        answer = await budi.rates(eighth, "AT", "AT", request_id="kedelapan")
        again = await budi.rates(eighth, "AT", "AT", request_id="kedelapan")

        (warning,) = answer.receipt.warnings
        assert (warning.count, warning.group_size, warning.allowed) == (8, 10, 7)
        assert again.receipt.warnings == answer.receipt.warnings
        kinds = [each.kind for each in await eighth.reads_history()]
        assert kinds[-3:] == ["rated", "distribution_warned", "result_delivered"]
        assert (await eighth.opens_result()).stage == "APPEAL_WINDOW"
        await calibrated(agency, siklus, eighth)


async def calibrated(agency: Agency, siklus: Siklus, eighth: Person) -> None:
    """The team opens a session, agrees to less, and sends back; the rater has the last word."""
    why = ("--reason", "Bandingkan dengan unit lain")
    opened = await siklus(agency, "open", "--unit", "dinas", "--chair", "rina", *why)
    session = opened["name"].rpartition("/")[2]
    await siklus(agency, "propose", session, eighth.person, "butuh-perbaikan", *why)
    agreed = await siklus(agency, "agree", session, "1", "--yes", *why)
    assert agreed["proposals"][0]["state"] == "PROPOSAL_STATE_AGREED"
    sent = await siklus(agency, "send-back", session, eighth.person, "--yes", *why)
    assert sent["receipt"]["holder"] == "budi"
    shown = await siklus(agency, "show", session)
    assert shown["proposals"][0]["state"] == "PROPOSAL_STATE_SENT_BACK"

    fresh = await agency.person("budi").rates(eighth, "BELOW", "AT")

    assert (fresh.stage, len(fresh.receipt.warnings)) == ("DELIVERY", 0)
    proposal = (await siklus(agency, "show", session))["proposals"][0]
    assert proposal["state"] == "PROPOSAL_STATE_RERATED"
    assert proposal["now"] == "PREDICATE_BUTUH_PERBAIKAN"
    assert (await eighth.opens_result()).stage == "APPEAL_WINDOW"
    closed = await siklus(agency, "close", session, "--yes", *why)
    assert closed["state"] == "CALIBRATION_STATE_CLOSED"


async def test_a_block_refuses_until_a_calibration_agrees(stack: LocalStack) -> None:
    async with rating_agency(stack, "kalibrasi-b", "block") as agency:
        people = agency.people(*EMPLOYEES)
        await rated(agency, people[:7])
        budi, eighth = agency.person("budi"), people[7]

        with refused(
            grpc.StatusCode.FAILED_PRECONDITION, "DISTRIBUTION_EXCEEDED", count="8", allowed="7"
        ):
            await budi.rates(eighth, "AT", "AT")
        assert (await budi.rates(people[8], "ABOVE", "ABOVE")).stage == "DELIVERY"

        session = await opened_by_the_team(agency)
        await agency.admin.sends(
            pb.ProposeRatingRequest(
                name=session,
                request_id="1",
                evaluation=eighth.evaluation,
                predicate=values_pb2.PREDICATE_BAIK,
                reason="Layanan tercepat",
            )
        )
        await agency.person("rina").sends(
            pb.DecideProposalRequest(
                name=session, request_id="2", number=1, agreed=True, reason="Sepakat"
            )
        )
        answer = await budi.rates(eighth, "AT", "AT")
        assert (answer.stage, len(answer.receipt.warnings)) == ("DELIVERY", 1)


async def opened_by_the_team(agency: Agency) -> str:
    request = pb.OpenCalibrationRequest(
        parent=agency.cycle, request_id="k", unit="dinas", chair="rina", reason="Akhir tahun"
    )
    answer: pb.OpenCalibrationResponse = await agency.admin.sends(request)
    return answer.calibration.name


async def test_a_panel_calibrates_before_anybody_sees_a_rating(
    stack: LocalStack, siklus: Siklus
) -> None:
    rule = "calibration: {due: {days: 10, count: working}, panel: {members: 3, quorum: 2}}"
    async with rating_agency(stack, "kalibrasi-p", "off", rule) as agency:
        first, second, third = agency.people(*EMPLOYEES[:3])
        answer = (await rated(agency, [first, second]))[0]
        assert (answer.stage, len(answer.evaluation.ratings)) == ("CALIBRATION", 1)
        await sees_until_when_and_not_what(agency, first)

        why = ("--reason", "Bandingkan dengan unit lain")
        panel = [word for who in ("rina", "budi", third.person) for word in ("--member", who)]
        words = ("--unit", "dinas", "--chair", "rina", *panel, *why)
        session = (await siklus(agency, "open", *words))["name"].rpartition("/")[2]
        await siklus(agency, "propose", session, second.person, "butuh-perbaikan", *why)
        name = f"{agency.cycle}/calibrations/{session}"
        assert (await votes(agency.person("rina"), name)).quorum == 2
        (proposal,) = (await votes(third, name)).proposals
        assert proposal.state == messages.PROPOSAL_STATE_AGREED
        sent = await siklus(agency, "send-back", session, second.person, "--yes", *why)
        assert sent["receipt"]["holder"] == "budi"
        fresh = await agency.person("budi").rates(second, "BELOW", "AT")
        assert fresh.stage == "CALIBRATION"
        assert not (await second.reads()).ratings

        closed = await siklus(agency, "close", session, "--yes", *why)
        office = Office(agency)
        done = await office.is_done(closed["operation"])

        assert (done.command, done.total, done.created_by) == ("release_rating", 2, "")
        assert {outcome_of(each) for each in await office.results(done.name)} == {"APPLIED"}
        for person, given in ((first, 1), (second, 2)):
            shown = await person.reads()
            assert (shown.stage, len(shown.ratings)) == (evaluation_pb2.STAGE_DELIVERY, given)
        history = await second.reads_history()
        assert [each.kind for each in history][-2:] == ["rating_released", "result_delivered"]
        assert all(each.facts["predicate"] for each in history if each.kind == "rated")
        assert (await first.opens_result()).stage == "APPEAL_WINDOW"


async def sees_until_when_and_not_what(agency: Agency, person: Person) -> None:
    """The employee learns that and until when it waits; the rater and the team see the rating."""
    mine = await person.reads()
    assert (mine.stage, len(mine.ratings), mine.predicate) == (
        evaluation_pb2.STAGE_CALIBRATION,
        0,
        0,
    )
    (task,) = mine.tasks
    assert (task.kind, task.holder) == (evaluation_pb2.TASK_KIND_CALIBRATE, "")
    rated_event = (await person.reads_history())[-1]
    assert rated_event.kind == "rated"
    assert set(rated_event.facts) <= {"stage", "opens", "closes"}
    paper = documents.GetDocumentRequest(name=person.evaluation)
    assert not (await person.sends(paper)).signatures
    assert (await agency.admin.sends(paper)).revision == rated_event.seq
    waits: views.ExplainWaitingResponse = await person.sends(
        views.ExplainWaitingRequest(name=person.evaluation)
    )
    assert waits.text.id.startswith("Kalibrasikan penilaian sebelum disampaikan")
    seen = await agency.admin.sends(views.GetEvaluationRequest(name=person.evaluation))
    assert seen.evaluation.predicate == values_pb2.PREDICATE_BAIK


async def votes(member: Person, name: str) -> messages.Calibration:
    """Let a member vote for the first proposal."""
    request = pb.DecideProposalRequest(
        name=name, request_id=member.person, number=1, agreed=True, reason="Sepakat"
    )
    answer: pb.DecideProposalResponse = await member.sends(request)
    return answer.calibration
