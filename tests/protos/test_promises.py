"""What every method promises and asks, and that nothing a client sends is without a bound."""

import json

import pytest

from protos.publishing.__main__ import ROOT, SERVICE_CONFIG, stale
from protos.publishing.contract import Method, published
from protos.publishing.reasons import ADVICE, ANY_CALL, OF_A_METHOD, reasons_of
from protos.publishing.rules import bounded
from siklus.services.rpc.status import ANSWERS
from siklus.v1.annotations_pb2 import (
    CONSISTENCY_FEED,
    CONSISTENCY_NONE,
    CONSISTENCY_SNAPSHOT,
    CONSISTENCY_UNSPECIFIED,
)

CONTRACT = published()
METHODS = list(CONTRACT.methods.values())
SCOPES = {
    f"{kind}.{act}"
    for kind in ("cycles", "policies", "reminders", "roster", "subscriptions")
    for act in ("read", "write")
} | {"audit.read", "evaluations.read", "outcomes.read", "tickets.write"}
"""A scope is a promise to operators, who write it into tokens: a new one is a decision."""
SETS_WHAT_IT_SAYS = {"ImportUnits", "ImportPeople", "ImportRoster", "SetHolidays"}
"""Idempotent without a request_id: rows are set to what they say, however often."""
HAPPENS_EACH_TIME = {"TestSubscription"}
"""The one method that must not be sent again by itself."""


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
def test_a_method_says_what_sending_it_again_does(method: Method) -> None:
    has_id = "request_id" in fields_of(method.request)
    if method.name in HAPPENS_EACH_TIME:
        assert (method.idempotency, has_id) == ("IDEMPOTENCY_UNKNOWN", False)
    elif method.http.startswith("GET ") or method.idempotency == "NO_SIDE_EFFECTS":
        assert (method.idempotency, has_id) == ("NO_SIDE_EFFECTS", False)
    else:
        assert method.idempotency == "IDEMPOTENT"
        assert has_id != (method.name in SETS_WHAT_IT_SAYS)


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
def test_a_read_says_how_new_its_answer_is_and_a_command_does_not(method: Method) -> None:
    how_new = method.call.consistency
    if method.idempotency == "IDEMPOTENT":
        assert how_new == CONSISTENCY_UNSPECIFIED
    else:
        assert how_new != CONSISTENCY_UNSPECIFIED
    # What a client reads for minutes must say what it then has.
    reads = method.streams and method.idempotency != "IDEMPOTENT"
    assert not reads or how_new in {CONSISTENCY_FEED, CONSISTENCY_SNAPSHOT}
    assert (
        how_new != CONSISTENCY_NONE or "name" not in method.http or method.name.startswith("Test")
    )


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
def test_somebody_may_call_a_method_and_a_program_by_a_scope_of_the_list(method: Method) -> None:
    call = method.call

    assert bool(call.roles or call.participants) != call.open
    assert not call.scope or call.scope in SCOPES
    # A program decides nothing in anybody's year.
    in_a_year = method.service == "EvaluationService"
    assert bool(call.scope) == (method.idempotency != "IDEMPOTENT") or not in_a_year
    writes = method.idempotency != "NO_SIDE_EFFECTS"
    assert not call.scope or call.scope.endswith(".write") == writes
    assert 0 <= call.per_second <= 50


def test_every_scope_of_the_list_opens_something() -> None:
    assert {method.call.scope for method in METHODS} - {""} == SCOPES


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
def test_whatever_a_request_holds_has_a_bound(method: Method) -> None:
    endless = [
        f"{message.name}.{field.name}"
        for message in CONTRACT.inside(method.request)
        for field in message.fields
        if not bounded(field)
    ]

    assert endless == []


def test_every_reason_has_advice_and_a_method_that_gives_it() -> None:
    reasons = {reason.value for reason in ANSWERS}

    assert set(ADVICE) == reasons
    assert {*ANY_CALL, *(each for own in OF_A_METHOD.values() for each in own)} <= reasons
    assert set(OF_A_METHOD) <= set(CONTRACT.methods)
    assert {each for method in METHODS for each in reasons_of(CONTRACT, method)} == reasons


def test_the_pages_and_the_service_config_are_fresh() -> None:
    assert stale() == []


def test_make_check_looks_for_broken_promises_and_stale_pages() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\ncheck:")[1].split("\n\n")[0]

    assert "buf breaking protos --against protos/released.binpb" in recipe
    assert "-m protos.publishing --check" in recipe


def test_the_service_config_retries_what_applies_once_and_nothing_else() -> None:
    config = json.loads(SERVICE_CONFIG.read_text())["methodConfig"]
    policies = {name["method"]: each.get("retryPolicy") for each in config for name in each["name"]}
    timeouts = {name["method"]: each.get("timeout") for each in config for name in each["name"]}

    assert set(policies) == set(CONTRACT.methods)
    assert {name for name, policy in policies.items() if policy is None} == HAPPENS_EACH_TIME
    streams = {method.name for method in METHODS if method.streams}
    assert {name for name, seconds in timeouts.items() if seconds is None} == streams


def fields_of(message: str) -> set[str]:
    return {field.name for field in CONTRACT.messages[message].fields}
