"""A request that is far too long is refused at once, whatever its fields hold."""

import time
from typing import Any

import protovalidate
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from siklus.services.interceptors.validation import must_be_valid
from siklus.v1 import commands_plan_pb2, commands_rating_pb2, commands_year_pb2
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.workflows.domain.errors import Reason, Refusal

NAME = "agencies/palu/cycles/2027/evaluations/p-1.1"
MANY = 16_000
AT_ONCE = 0.3
"""Seconds; each of these took several before, with the event loop standing still."""


def refusal_of(request: Any) -> Refusal:
    started = time.perf_counter()
    with pytest.raises(Refusal) as raised:
        must_be_valid(request)
    assert time.perf_counter() - started < AT_ONCE
    assert raised.value.reason is Reason.FIELD_INVALID
    return raised.value


@pytest.fixture(autouse=True, scope="module")
def _rules_are_compiled() -> None:
    for message in (
        commands_plan_pb2.SubmitPlanRequest,
        commands_year_pb2.SubmitSelfEvaluationRequest,
        commands_rating_pb2.RateRequest,
        cycles.CreateCycleRequest,
        reads.GetEvaluationRequest,
    ):
        protovalidate.collect_violations(message())


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (commands_plan_pb2.SubmitPlanRequest, commands_plan_pb2.Indicator),
        (commands_year_pb2.SubmitSelfEvaluationRequest, commands_year_pb2.Realisation),
        (commands_rating_pb2.RateRequest, commands_rating_pb2.IndicatorRating),
    ],
)
def test_thousands_of_lines_are_refused_at_once(message: Any, line: Any) -> None:
    lines = [line(id=f"i-{number}") for number in range(MANY)]

    refusal = refusal_of(message(name=NAME, request_id="r-1", indicators=lines))

    assert refusal.fields == {"indicators": "at most 50, not 16000"}


def test_a_rule_that_cannot_be_worked_out_is_the_requests_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_much(request: Any) -> Any:
        raise protovalidate.EvaluationError("a limit of the rules' own engine")

    monkeypatch.setattr(protovalidate, "collect_violations", too_much)

    refusal = refusal_of(reads.GetEvaluationRequest(name=NAME))

    assert "engine" not in refusal.message


def test_a_mask_of_thousands_of_paths_is_refused_at_once() -> None:
    mask = FieldMask(paths=["name"] * 150_000)

    for request in (
        reads.GetEvaluationRequest(name=NAME, read_mask=mask),
        reads.ListEvaluationsRequest(parent="agencies/palu", read_mask=mask),
    ):
        assert refusal_of(request).fields == {
            "read_mask": "at most 64 paths of 128 characters each"
        }


def test_a_mask_of_all_it_may_hold_is_valid() -> None:
    must_be_valid(reads.GetEvaluationRequest(name=NAME, read_mask=FieldMask(paths=["name"] * 64)))


def test_units_too_many_and_twice_are_told_as_too_many() -> None:
    request = cycles.CreateCycleRequest(parent="agencies/palu", units=["a"] * 100_000)

    assert refusal_of(request).fields == {"units": "at most 1000, not 100000"}
