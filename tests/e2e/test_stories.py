"""Stories of the source articles that live from the API: Palu's slow service, Jakarta's two years.

Serang's citizens are told in test_citizens.py; all five by the rule book alone in
tests/domain/test_articles.py.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import grpc
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import calibration_service_pb2 as calibrations
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import feedback_colleagues_pb2 as colleagues
from siklus.v1 import feedback_service_pb2 as feedback
from siklus.v1 import feedback_service_pb2_grpc
from siklus.v1 import feedback_services_pb2 as services
from siklus.v1 import outcome_service_pb2 as outcomes
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import values_pb2 as v
from tests.domain.test_articles import next_years_source
from tests.e2e.agency import Agency, eventually, launched_agency
from tests.e2e.calls import refused
from tests.e2e.people import Person, indicators, level

INVALID = grpc.StatusCode.INVALID_ARGUMENT
COUNTER = "Akta kelahiran menunggu 45 menit; buka loket kedua."
HEARD = {"Akta kelahiran": (1, 2, 2), "KTP elektronik": (4, 5, 4)}
PLAN = [
    *indicators("antrean"),
    plan.Indicator(
        id="keramahan", kind=v.INDICATOR_KIND_QUALITATIVE, description="Ramah kepada warga"
    ),
]


async def test_palu_finds_its_slow_service(stack: LocalStack) -> None:
    year = stack.clock.now().year - 1
    async with launched_agency(stack, "palu-lambat", year=year, pack="palu-evaluasi") as agency:
        siti, wayan, yos, budi = agency.people("siti", "wayan", "yos", "budi")
        for who, speed in ((siti, "AT"), (wayan, "AT"), (yos, "BELOW")):
            await a_year_of(agency, who, budi, speed)

        # Citizens say which service is slow, whoever served them; of what has ended nothing moves.
        before = (await yos.reads()).revision
        for service, scores in HEARD.items():
            await citizens_say(agency, service, scores)
        means = {each.service: each.scores.mean for each in await sums(agency)}
        assert means == {"Akta kelahiran": "1.67", "KTP elektronik": "4.33"}
        assert (await yos.reads()).revision == before
        late = colleagues.InviteColleaguesRequest(
            name=yos.evaluation, request_id="terlambat", group=colleagues.COLLEAGUE_GROUP_PEERS
        )
        with refused(grpc.StatusCode.FAILED_PRECONDITION, "EVALUATION_CLOSED"):
            await budi.sends(late)

        # By unit the slow one stands out, and its people alone are asked to the workshop.
        found = {unit: await spread(agency, unit) for unit in ("makassar", "jayapura")}
        assert found == {"makassar": {"BAIK": 1}, "jayapura": {"BUTUH_PERBAIKAN": 1}}

        async def is_drawn() -> bool:
            return bool(await workshops(agency))

        await eventually(is_drawn)
        (workshop,) = await workshops(agency)
        assert (workshop.person, workshop.unit) == ("yos", "jayapura")
        assert (workshop.title.id, workshop.rule) == (
            "Lokakarya peningkatan layanan",
            "outcomes.lokakarya",
        )
        assert workshop.because.en.startswith("The predicate is Needs improvement")
        # The rater's note says what is slow; the employee reads it, a colleague does not.
        told = [dict(each.prose) for each in await yos.reads_history() if each.kind == "rated"]
        assert COUNTER in str(told)
        with refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
            await wayan.reads_history(yos)


async def citizens_say(agency: Agency, service: str, scores: Sequence[int]) -> None:
    """Tickets of a service for contacts with two people, each of them used."""
    day = agency.stack.clock.now().date() - timedelta(days=1)
    contacts = [
        feedback.ServiceContact(
            reference=f"{service[:3]}-{number}",
            person=("yos", "siti")[number % 2],
            unit="jayapura",
            service=service,
            served_on=day.isoformat(),
        )
        for number in range(len(scores))
    ]
    issued: feedback.IssueTicketsResponse = await agency.admin.sends(
        feedback.IssueTicketsRequest(parent=agency.name, request_id=service[:3], contacts=contacts)
    )
    citizen: Any = feedback_service_pb2_grpc.FeedbackServiceStub(agency.channel)
    for each, score in zip(issued.tickets, scores, strict=True):
        request = feedback.RateContactRequest(
            parent=agency.name, request_id=each.reference, ticket=each.ticket, score=score
        )
        await citizen.RateContact(request, timeout=15)


async def sums(agency: Agency) -> Sequence[services.ServiceSum]:
    """What citizens said by service, as the auditor reads it."""
    month = f"{agency.stack.clock.now().date() - timedelta(days=1):%Y-%m}"
    request = services.ListServiceSumsRequest(parent=agency.name, from_month=month, to_month=month)
    answer: services.ListServiceSumsResponse = await agency.auditor.sends(request)
    return answer.sums


async def a_year_of(agency: Agency, who: Person, budi: Person, speed: str) -> None:
    """Live a year whose queue went at that speed; the note says where it is slow."""
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"):
        await who.submits_plan("antrean")
    await who.gives(plan.SubmitPlanRequest(indicators=PLAN))
    await budi.approves_plan(who)
    await who.evaluates_self()
    note = COUNTER if speed == "BELOW" else ""
    lines = [rating.IndicatorRating(id="antrean", level=level(speed), improvement=note)]
    request = rating.RateRequest(
        results=level(speed), behaviour=v.LEVEL_AT, indicators=lines, note=note
    )
    await budi.gives(request, who)
    await who.accepts_result()
    await agency.person("agus").approves(who)


async def spread(agency: Agency, unit: str) -> dict[str, int]:
    """How many people of a unit hold which predicate."""
    request = calibrations.GetDistributionRequest(parent=agency.cycle, unit=unit)
    answer = await agency.admin.sends(request)
    counts = Counter[str]()
    for each in answer.distribution.counts:
        counts[v.Predicate.Name(each.predicate).removeprefix("PREDICATE_")] += each.count
    return {name: count for name, count in counts.items() if count}


async def workshops(agency: Agency) -> list[Any]:
    request = outcomes.ListOutcomesRequest(parent=agency.cycle)
    answer = await agency.admin.sends(request)
    return list(answer.outcomes)


@pytest.mark.timeout(120)
async def test_jakarta_s_running_cycle_stays_on_its_catalogue(stack: LocalStack) -> None:
    year = stack.clock.now().year - 1
    async with launched_agency(stack, "jakarta-katalog", year=year, pack="jakarta") as agency:
        siti, budi = agency.people("siti", "budi")
        await siti.submits_plan("antrean")
        await budi.approves_plan(siti)

        reviewed = await publishes(agency, next_years_source())
        coming = await next_cycle(agency, year + 1)

        assert reviewed.version == 2
        assert (coming.policy_version, (await agency.progress()).policy_version) == (2, 1)
        await siti.evaluates_self()
        lines = [rating.IndicatorRating(id="responsif", level=v.LEVEL_AT)]
        new = rating.RateRequest(results=v.LEVEL_AT, behaviour=v.LEVEL_AT, indicators=lines)
        with refused(INVALID, "FIELD_INVALID"):
            await budi.gives(new, siti)
        lines[0].id = "pelayanan-publik"
        old = rating.RateRequest(results=v.LEVEL_AT, behaviour=v.LEVEL_AT, indicators=lines)
        rated = await budi.gives(old, siti)
        assert [each.id for each in rated.evaluation.ratings[0].indicators] == ["pelayanan-publik"]


async def publishes(agency: Agency, source: str) -> policies.Policy:
    request = policies.PublishPolicyRequest(parent=agency.name, request_id="reviewed", yaml=source)
    answer: policies.PublishPolicyResponse = await agency.admin.sends(request)
    return answer.policy


async def next_cycle(agency: Agency, year: int) -> cycles.Cycle:
    request = cycles.CreateCycleRequest(
        parent=agency.name,
        request_id=f"create-{year}",
        cycle_id=str(year),
        year=year,
        policy="jakarta",
        title=f"Penilaian {year}",
    )
    answer: cycles.CreateCycleResponse = await agency.admin.sends(request)
    return answer.cycle
