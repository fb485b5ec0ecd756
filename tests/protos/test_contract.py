"""What holds for the contract as a whole: linted, unbroken, fresh, ruled and reachable."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import protovalidate
import pytest
from buf.validate import validate_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from siklus.v1 import (
    audit_service_pb2,
    cohort_service_pb2,
    cycle_service_pb2,
    document_service_pb2,
    errors_pb2,
    evaluation_pb2,
    evaluation_service_pb2,
    feedback_service_pb2,
    operation_service_pb2,
    outcome_service_pb2,
    outcomes_pb2,
    policy_service_pb2,
    roster_service_pb2,
    subscription_service_pb2,
    task_service_pb2,
    values_pb2,
)
from siklus.workflows.domain import commands, policy, stages, values
from siklus.workflows.domain.document import signatures, verification
from siklus.workflows.domain.events import Receipt
from siklus.workflows.domain.outcomes import improvement
from siklus.workflows.domain.outcomes.rules import OutcomeKind, Skill

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FILES: dict[str, FileDescriptor] = {
    "PolicyService": policy_service_pb2.DESCRIPTOR,
    "RosterService": roster_service_pb2.DESCRIPTOR,
    "CycleService": cycle_service_pb2.DESCRIPTOR,
    "CohortService": cohort_service_pb2.DESCRIPTOR,
    "EvaluationService": evaluation_service_pb2.DESCRIPTOR,
    "FeedbackService": feedback_service_pb2.DESCRIPTOR,
    "OperationService": operation_service_pb2.DESCRIPTOR,
    "OutcomeService": outcome_service_pb2.DESCRIPTOR,
    "TaskService": task_service_pb2.DESCRIPTOR,
    "AuditService": audit_service_pb2.DESCRIPTOR,
    "DocumentService": document_service_pb2.DESCRIPTOR,
    "SubscriptionService": subscription_service_pb2.DESCRIPTOR,
}
METHODS = [method for name, file in FILES.items() for method in file.services_by_name[name].methods]
FREE = {FieldDescriptor.TYPE_BOOL}
"""Every value of a bool is good."""
CHECKED_BY_THE_SERVICE = {"weekdays"}
"""A row's faults refuse that row alone."""


def test_buf_finds_nothing_to_complain_about() -> None:
    run("buf", "lint", "protos")
    run("buf", "format", "--diff", "--exit-code", "protos")


def test_nothing_that_was_released_is_broken() -> None:
    run("buf", "breaking", "protos", "--against", "protos/released.binpb")


def test_the_generated_code_is_fresh() -> None:
    run("python", "protos/generate.py", "--check")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_rpc_has_its_own_messages_and_an_http_form(method: Any) -> None:
    assert method.input_type.name == f"{method.name}Request"
    assert method.output_type.name == f"{method.name}Response"
    http = method.GetOptions().Extensions[annotations_pb2.http]
    assert http.WhichOneof("pattern") in {"get", "post"}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_request_names_its_agency(method: Any) -> None:
    fields = method.input_type.fields_by_name

    assert ("name" in fields) != ("parent" in fields)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_request_field_has_rules_that_compile(method: Any) -> None:
    request: Descriptor = method.input_type

    unruled = [field.full_name for field in fields_of(request) if not has_rules(field)]

    assert unruled == []
    assert protovalidate.collect_violations(GetMessageClass(request)()) != []


@pytest.mark.parametrize(
    ("ours", "theirs", "extra"),
    [
        (stages.Stage, evaluation_pb2.Stage, set()),
        (stages.TaskKind, evaluation_pb2.TaskKind, set()),
        (Receipt, evaluation_pb2.ReceiptKind, set()),
        (values.Level, values_pb2.Level, set()),
        (values.Predicate, values_pb2.Predicate, set()),
        (commands.IndicatorKind, values_pb2.IndicatorKind, set()),
        (commands.AppealOutcome, values_pb2.AppealOutcome, set()),
        (commands.Seat, values_pb2.Seat, set()),
        (commands.ExclusionGround, values_pb2.ExclusionGround, set()),
        (signatures.Act, document_service_pb2.DocumentAct, set()),
        (signatures.Standing, document_service_pb2.SignatureStanding, set()),
        (verification.Verdict, document_service_pb2.DocumentVerdict, set()),
        (policy.Count, values_pb2.DayCount, set()),
        (policy.Roll, values_pb2.Roll, set()),
        (OutcomeKind, outcomes_pb2.OutcomeKind, set()),
        (Skill, outcomes_pb2.Skill, set()),
        (improvement.PlanState, outcomes_pb2.PlanState, set()),
        (improvement.StepResult, outcomes_pb2.StepResult, set()),
        (policy.Late, values_pb2.LateAct, {"DEEM_RECEIVED"}),
    ],
)
def test_the_contract_has_the_same_words_as_the_rule_book(
    ours: Any, theirs: Any, extra: set[str]
) -> None:
    names = theirs.DESCRIPTOR.values_by_number
    prefix = names[0].name.removesuffix("UNSPECIFIED")

    said = {value.name.removeprefix(prefix) for number, value in names.items() if number}
    assert said == {member.name for member in ours} | extra


async def test_reflection_shows_every_service() -> None:
    server = grpc.aio.server()
    reflection.enable_server_reflection([f"siklus.v1.{name}" for name in FILES], server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        # The stubs know no asynchronous channel.
        through: Any = channel
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(through)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]))]

    await server.stop(0)
    shown = {service.name for service in answers[0].list_services_response.service}
    assert shown == {f"siklus.v1.{name}" for name in FILES}


def test_the_first_number_of_every_enum_means_nothing() -> None:
    files = [*FILES.values(), errors_pb2.DESCRIPTOR, evaluation_pb2.DESCRIPTOR]

    for file in [*files, values_pb2.DESCRIPTOR]:
        for enum in file.enum_types_by_name.values():
            assert enum.values_by_number[0].name.endswith("_UNSPECIFIED")


def fields_of(message: Descriptor) -> Iterator[FieldDescriptor]:
    """Every field of a request and of the messages of ours inside it."""
    for field in message.fields:
        yield field
        if field.message_type is not None and field.message_type.file.package == "siklus.v1":
            yield from fields_of(field.message_type)


def has_rules(field: FieldDescriptor) -> bool:
    if field.containing_oneof is not None:
        return bool(field.containing_oneof.GetOptions().HasExtension(validate_pb2.oneof))
    if field.type in FREE or field.name in CHECKED_BY_THE_SERVICE:
        return True
    return bool(field.GetOptions().HasExtension(validate_pb2.field))


def run(tool: str, *arguments: str) -> None:
    done = subprocess.run([BIN / tool, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
