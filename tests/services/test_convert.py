"""Every command of the year has one RPC, and nothing of a request is lost on the way."""

from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from siklus.services.interceptors.validation import must_be_valid
from siklus.services.rpc.convert import (
    COMMANDS,
    HEADER,
    SERVICES,
    Form,
    public_commands,
    to_command,
)
from siklus.services.rpc.names import (
    agency_of,
    cycle_id,
    cycle_name,
    evaluation_key,
    evaluation_name,
    person_id,
    person_name,
    policy_code,
    policy_name,
)
from siklus.v1 import (
    commands_appeal_pb2,
    commands_plan_pb2,
    commands_rating_pb2,
    commands_repair_pb2,
    commands_team_pb2,
    commands_year_pb2,
    values_pb2,
)
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.scheme.achievement import Direction
from siklus.workflows.domain.scheme.given import GivenNumbers, MeasuredIndicator
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, Level, PersonId

SHA = "0f" * 32
OTHER_SHA = "a1" * 32
READS = {
    "GetEvaluation",
    "ListEvaluations",
    "ListHistory",
    "ExplainWaiting",
    "WatchEvaluations",
    "ExportEvaluations",
}
SESSIONS = {
    "SetOrganisationRating",
    "ListOrganisationRatings",
    "AppointAppealPanel",
    "GetAppealPanel",
    "ListAppealPanels",
    "GetDistribution",
    "GetRatingGuide",
    "OpenCalibration",
    "GetCalibration",
    "ListCalibrations",
    "ProposeRating",
    "DecideProposal",
    "CloseCalibration",
}
"""What is said of a whole unit; one evaluation is told by the other commands of these services."""


def test_every_public_command_is_exactly_one_rpc_and_nothing_else_is() -> None:
    rpcs = [method.name for service in SERVICES for method in service.methods]

    named = [command.__name__ for command in public_commands()]
    assert len(rpcs) == len(set(rpcs))
    assert set(rpcs) == {*named, *READS, *SESSIONS}
    assert len(named) == len(set(named)) == 37


def test_what_only_the_system_says_has_no_rpc() -> None:
    assert not {"ResolveSuperior", "RecordSegmentResult", "Transfer"} & set(COMMANDS)


@pytest.mark.parametrize("form", COMMANDS.values(), ids=COMMANDS)
def test_every_value_of_a_full_request_arrives_in_the_command(form: Form) -> None:
    request = full(form.request)

    command = to_command(request)

    assert type(command) is form.command
    body = command.model_dump(mode="json", exclude={"prose", "kind"})
    arrived = [*leaves(body), *command.prose.values()]
    sent = [value for field, value in contents(request) if field.name != "id"]
    assert sorted(map(str, sent)) == sorted(str(v) for v in arrived if v not in IDS | {None})


@pytest.mark.parametrize("form", COMMANDS.values(), ids=COMMANDS)
def test_every_fact_of_a_command_has_a_field_in_its_request(form: Form) -> None:
    fields = set(form.request.DESCRIPTOR.fields_by_name) - HEADER

    facts = set(form.command.model_fields) - {"kind", "prose"}
    assert facts <= fields


def test_a_plan_keeps_its_texts_apart() -> None:
    request = commands_plan_pb2.SubmitPlanRequest(
        indicators=[
            commands_plan_pb2.Indicator(
                id="antrean",
                kind=values_pb2.INDICATOR_KIND_QUANTITATIVE,
                description="Waktu tunggu turun",
                target="15 menit",
            ),
            commands_plan_pb2.Indicator(
                id="sopan", kind=values_pb2.INDICATOR_KIND_QUALITATIVE, description="Ramah"
            ),
        ]
    )

    assert to_command(request) == c.SubmitPlan(
        indicators=(
            c.Indicator(id="antrean", kind=c.IndicatorKind.QUANTITATIVE),
            c.Indicator(id="sopan", kind=c.IndicatorKind.QUALITATIVE),
        ),
        prose={
            "indicators.antrean.description": "Waktu tunggu turun",
            "indicators.antrean.target": "15 menit",
            "indicators.sopan.description": "Ramah",
        },
    )


def test_a_self_evaluation_tells_what_was_achieved_per_indicator() -> None:
    request = commands_year_pb2.SubmitSelfEvaluationRequest(
        results=values_pb2.LEVEL_ABOVE,
        behaviour=values_pb2.LEVEL_AT,
        account="Tahun yang baik",
        indicators=[commands_year_pb2.Realisation(id="antrean", realisation="12 menit")],
        evidence=[
            commands_plan_pb2.Evidence(link="https://arsip.example/1", sha256=SHA),
            commands_plan_pb2.Evidence(link="https://arsip.example/2", sha256=OTHER_SHA),
        ],
    )

    assert to_command(request) == c.SubmitSelfEvaluation(
        results=Level.ABOVE,
        behaviour=Level.AT,
        evidence=(SHA, OTHER_SHA),
        prose={
            "account": "Tahun yang baik",
            "indicators.antrean.realisation": "12 menit",
            "evidence.0.link": "https://arsip.example/1",
            "evidence.1.link": "https://arsip.example/2",
        },
    )


def test_a_rating_keeps_levels_as_facts_and_improvements_as_prose() -> None:
    rating = commands_rating_pb2.IndicatorRating(
        id="antrean", level=values_pb2.LEVEL_BELOW, improvement="Buka loket ketiga"
    )
    request = commands_rating_pb2.RateRequest(
        results=values_pb2.LEVEL_AT, behaviour=values_pb2.LEVEL_BELOW, indicators=[rating]
    )

    assert to_command(request) == c.Rate(
        results=Level.AT,
        behaviour=Level.BELOW,
        indicators=(c.IndicatorLevel(id="antrean", level=Level.BELOW),),
        prose={"indicators.antrean.improvement": "Buka loket ketiga"},
    )


def test_an_upheld_appeal_has_no_levels() -> None:
    request = commands_appeal_pb2.DecideAppealRequest(
        outcome=values_pb2.APPEAL_OUTCOME_UPHELD, reason="Target sudah tepat"
    )

    assert to_command(request) == c.DecideAppeal(
        outcome=c.AppealOutcome.UPHELD, prose={"reason": "Target sudah tepat"}
    )


def test_progress_on_the_whole_plan_names_no_indicator() -> None:
    command = to_command(commands_year_pb2.ReportProgressRequest(note="Berjalan"))

    assert command == c.ReportProgress(indicator=None, prose={"note": "Berjalan"})


def test_a_missing_level_is_refused_and_never_guessed() -> None:
    with pytest.raises(Refusal) as refused:
        to_command(commands_year_pb2.SubmitSelfEvaluationRequest(results=values_pb2.LEVEL_AT))

    assert refused.value.reason is Reason.FIELD_INVALID
    assert set(refused.value.fields) == {"behaviour"}


def test_numbers_arrive_as_they_were_written() -> None:
    measured = values_pb2.MeasuredIndicator(
        id="antrean",
        weight="100",
        target="15",
        actual="12.5",
        direction=values_pb2.DIRECTION_DOWN,
        maximum=True,
    )
    numbers = values_pb2.GivenNumbers(
        behaviour="102.8", innovation=True, conditions=["late"], measured=[measured]
    )

    assert to_command(commands_rating_pb2.RateRequest(numbers=numbers)) == c.Rate(
        numbers=GivenNumbers(
            behaviour=Decimal("102.8"),
            innovation=True,
            conditions=("late",),
            measured=(
                MeasuredIndicator(
                    id="antrean",
                    weight=Decimal(100),
                    target=Decimal(15),
                    actual=Decimal("12.5"),
                    direction=Direction.DOWN,
                    maximum=True,
                ),
            ),
        )
    )


@pytest.mark.parametrize("written", ["NaN", "1e2", "-1", "102,8", "1.0000001"])
def test_what_is_no_number_is_refused_with_its_path(written: str) -> None:
    request = commands_rating_pb2.RateRequest(numbers=values_pb2.GivenNumbers(results=written))

    with pytest.raises(Refusal) as refused:
        must_be_valid(request)

    assert "numbers.results" in refused.value.fields


@pytest.mark.parametrize("seconds", [-(10**15), 10**15])
def test_an_instant_beyond_the_calendar_is_refused_by_its_field(seconds: int) -> None:
    request = commands_repair_pb2.ExtendForOutageRequest(outage="padam", reason="Listrik")
    request.began_at.seconds = seconds

    with pytest.raises(Refusal) as refused:
        to_command(request)

    assert set(refused.value.fields) == {"began_at"}


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(Refusal) as refused:
        to_command(commands_team_pb2.ReassignRequest(reason="198609262015051001"))

    assert "198609262015051001" not in f"{refused.value!r} {refused.value.fields}"
    assert refused.value.__cause__ is None


def test_names_say_what_they_stand_for() -> None:
    key = EvaluationKey(
        agency=AgencyId("palu"), cycle=CycleId("2027"), person=PersonId("p-1"), segment=2
    )

    name = evaluation_name(key)

    assert name == "agencies/palu/cycles/2027/evaluations/p-1.2"
    assert evaluation_key(name) == key
    assert agency_of(name) == "palu"
    assert cycle_id(cycle_name(AgencyId("palu"), CycleId("2027"))) == "2027"
    assert person_id(person_name(AgencyId("palu"), PersonId("p-1"))) == "p-1"
    assert policy_code(policy_name(AgencyId("palu"), "palu-skp")) == "palu-skp"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "agencies/palu/cycles/2027/evaluations/p-1",
        "agencies/palu/cycles/2027/evaluations/p-1.0",
        "agencies/Palu/cycles/2027/evaluations/p-1.1",
        "agencies/palu/cycles/2027/evaluations/p-1.1/",
        "agencies/palu/cycles/2027/evaluations/p-1.1\n",
        "/agencies/palu/cycles/2027/evaluations/p-1.1",
    ],
)
def test_what_is_no_name_of_an_evaluation_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        evaluation_key(name)

    assert refused.value.reason is Reason.FIELD_INVALID


INSTANTS = {"began_at": "2026-01-05T01:00:00Z", "ended_at": "2026-01-05T02:00:00Z"}
NUMBERS = {"weight", "score", "low", "high", "actual"} | {"results", "behaviour"}
"""Fields of numbers; a target is a text too, of a plan."""
IDS: set[Any] = {"line-1", "line-2"}
"""Ids of lines stand in facts or in the paths of prose: not a value of their own."""


def full(kind: type[Message]) -> Message:
    """A request with something different in every field."""
    request = kind()
    for field in kind.DESCRIPTOR.fields:
        if field.name not in HEADER:
            fill(request, field)
    return request


def fill(message: Any, field: Any) -> None:
    if field.name in INSTANTS:
        getattr(message, field.name).FromJsonString(INSTANTS[field.name])
    elif field.message_type is not None and not field.is_repeated:
        for inner in field.message_type.fields:
            fill(getattr(message, field.name), inner)
    elif field.is_repeated and field.message_type is None:
        getattr(message, field.name).extend(["a-condition", "another"])
    elif field.message_type is not None:
        for number in (1, 2):
            line = getattr(message, field.name).add()
            for inner in field.message_type.fields:
                fill(line, inner)
            if "id" in field.message_type.fields_by_name:
                line.id = f"line-{number}"
    elif field.enum_type is not None:
        setattr(message, field.name, 2)
    elif field.type == FieldDescriptor.TYPE_BOOL:
        setattr(message, field.name, True)
    elif field.type == FieldDescriptor.TYPE_INT32:
        setattr(message, field.name, 3)
    elif field.name.endswith("_on"):
        setattr(message, field.name, f"2026-01-0{field.number}")
    elif field.name == "sha256":
        setattr(message, field.name, SHA)
    elif field.name in NUMBERS or field.full_name == "siklus.v1.MeasuredIndicator.target":
        setattr(message, field.name, f"{field.number}.5")
    elif field.name in {"person", "indicator", "leaving", "successor", "outage", "calibration"}:
        setattr(message, field.name, f"a-{field.name}")
    else:
        setattr(message, field.name, f"text of {field.name}")


def contents(message: Message) -> list[tuple[FieldDescriptor, Any]]:
    """Every value in a request but its header, enums by their short names."""
    found: list[tuple[FieldDescriptor, Any]] = []
    for field, value in message.ListFields():
        if field.name in INSTANTS:
            found.append((field, INSTANTS[field.name]))
        elif field.message_type is not None:
            lines = value if field.is_repeated else [value]
            found += [pair for line in lines for pair in contents(line)]
        elif field.is_repeated:
            found += [(field, each) for each in value]
        elif field.enum_type is not None:
            zero = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
            short = field.enum_type.values_by_number[value].name.removeprefix(zero)
            found.append((field, short.lower() if zero == "DIRECTION_" else short))
        else:
            found.append((field, value))
    return found


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]
