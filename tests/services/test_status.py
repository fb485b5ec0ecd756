"""Every reason has one answer, is documented, and its details fit."""

from pathlib import Path
from typing import TypeVar

import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from siklus.services.rpc.status import (
    ANSWERS,
    MOST_FIELDS,
    Detail,
    ServiceReason,
    ServiceRefusal,
    to_status,
)
from siklus.v1.errors_pb2 import Reason as ContractReason
from siklus.workflows.domain.errors import Reason, Refusal, invalid

ERRORS_PROTO = Path(__file__).parents[2] / "protos/siklus/v1/errors.proto"
TRAILER_LIMIT = 8 * 1024
DetailMessage = TypeVar("DetailMessage", bound=Message)


def test_every_reason_has_exactly_one_answer() -> None:
    assert set(ANSWERS) == {*Reason, *ServiceReason}
    assert len(ANSWERS) == len(Reason) + len(ServiceReason)


def test_the_contract_documents_every_reason_and_no_other() -> None:
    documented = {
        name.removeprefix("REASON_")
        for name, value in ContractReason.DESCRIPTOR.values_by_name.items()
        if not value.GetOptions().deprecated
    }

    assert documented - {"UNSPECIFIED"} == {reason.value for reason in ANSWERS}


def test_the_contract_tells_the_code_of_every_reason() -> None:
    comments = comments_of_reasons()

    for reason, answer in ANSWERS.items():
        assert comments[reason.value].startswith(f"{answer.code.name}: "), reason


@pytest.mark.parametrize("reason", list(ANSWERS))
def test_every_answer_names_its_reason_and_carries_its_kind_of_detail(
    reason: Reason | ServiceReason,
) -> None:
    status = to_status(refusal_for(reason))

    answer = ANSWERS[reason]
    assert status.code == answer.code.value[0]
    info = details_of(status, ErrorInfo)
    assert (info.reason, info.domain) == (reason.value, "siklus")
    assert info.metadata == {"revision": "7"}
    kinds = {each.TypeName().rpartition(".")[2] for each in status.details}
    beside = {
        Detail.NOTHING: set[str](),
        Detail.FIELDS: {"BadRequest"},
        Detail.STATE: {"PreconditionFailure"},
        Detail.RETRY: {"RetryInfo"},
    }[answer.detail]
    assert kinds == {"ErrorInfo"} | beside


def test_a_bad_field_is_named_with_what_is_wrong() -> None:
    status = to_status(invalid("indicators[2].id", "stands there twice"))

    (violation,) = details_of(status, BadRequest).field_violations
    assert (violation.field, violation.description) == ("indicators[2].id", "stands there twice")


def test_a_state_that_forbids_is_told() -> None:
    status = to_status(Refusal(Reason.WINDOW_CLOSED, "the window closed on 13 February"))

    (violation,) = details_of(status, PreconditionFailure).violations
    assert violation.type == "WINDOW_CLOSED"
    assert violation.description == "the window closed on 13 February"


def test_what_is_away_for_a_moment_says_when_to_try_again() -> None:
    status = to_status(ServiceRefusal(ServiceReason.STORE_UNAVAILABLE, "away"))

    assert status.code == StatusCode.UNAVAILABLE.value[0]
    assert details_of(status, RetryInfo).retry_delay.seconds == 1


def test_the_worst_answer_fits_into_the_trailers_of_any_client() -> None:
    fields = {f"indicators[{n}].{'x' * 500}": "ü" * 5000 for n in range(1000)}
    status = to_status(
        Refusal(Reason.FIELD_INVALID, "ü" * 5000, details={"rule": "r" * 5000}, fields=fields)
    )

    assert 0 < len(details_of(status, BadRequest).field_violations) <= MOST_FIELDS
    in_base64 = len(status.SerializeToString()) * 4 / 3
    percent_encoded = len(status.message.encode()) * 3
    assert in_base64 + percent_encoded < TRAILER_LIMIT


def refusal_for(reason: Reason | ServiceReason) -> Refusal | ServiceRefusal:
    details, fields = {"revision": "7"}, {"name": "is wrong"}
    if isinstance(reason, Reason):
        return Refusal(reason, "no", details=details, fields=fields)
    return ServiceRefusal(reason, "no", details=details, fields=fields)


def details_of(status: Status, kind: type[DetailMessage]) -> DetailMessage:
    found = kind()
    assert any(each.Unpack(found) for each in status.details)
    return found


def comments_of_reasons() -> dict[str, str]:
    lines = ERRORS_PROTO.read_text().splitlines()
    return {
        line.split(" = ")[0].strip().removeprefix("REASON_"): lines[n - 1]
        .strip()
        .removeprefix("// ")
        for n, line in enumerate(lines)
        if line.strip().startswith("REASON_")
    }
