"""Bad input and its documented answers: none is a fault, and none tells what is inside."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_team_pb2 as team
from siklus.v1 import commands_year_pb2 as year
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1 import values_pb2 as values
from siklus.workflows.packs import source_of
from tests.e2e.agency import NATIONAL
from tests.e2e.calls import refused
from tests.e2e.world import (
    KIB,
    World,
    created_again,
    day_off,
    get,
    inbox,
    launched_by,
    listed,
    masked,
    publish,
    rate,
    tells_nothing_of_the_inside,
    with_another_filter,
    with_the_token_of_another,
    wordy_plan,
    world_of,
)

Code = grpc.StatusCode
Ask = Callable[[World], Awaitable[Any]]


@pytest.fixture(scope="module")
async def world(stack: LocalStack) -> AsyncIterator[World]:
    async with world_of(stack, "masukan") as world:
        yield world


UNKNOWN: Final[dict[str, Ask]] = {
    "evaluation": lambda w: w.siti.sends(get(w.name("cycles/2001/evaluations/siti.1"))),
    "evaluation of nobody": lambda w: w.admin.reads(w.agency.person("nobody")),
    "segment": lambda w: w.siti.sends(get(w.siti.evaluation.replace(".1", ".2"))),
    "history": lambda w: w.admin.reads_history(w.agency.person("nobody")),
    "explanation": lambda w: w.admin.asks_why(w.agency.person("nobody")),
    "command": lambda w: w.budi.approves_plan(w.agency.person("nobody")),
    "cycle": lambda w: w.admin.sends(cycles.GetCycleRequest(name=w.name("cycles/2001"))),
    "launch": lambda w: w.admin.sends(
        cycles.LaunchCycleRequest(name=w.name("cycles/2001"), request_id="x")
    ),
    "person": lambda w: w.admin.sends(roster.GetPersonRequest(name=w.name("people/nobody"))),
    "policy": lambda w: w.admin.sends(policies.GetPolicyRequest(name=w.name("policies/none"))),
    "policy version": lambda w: w.admin.sends(
        policies.GetPolicyRequest(name=w.name("policies/permenpan-6-2022"), version=9)
    ),
    "policy of a cycle": lambda w: w.admin.sends(
        cycles.CreateCycleRequest(
            parent=w.agency.name, request_id="x", cycle_id="c", year=2030, policy="none", title="T"
        )
    ),
    "unit of a day off": lambda w: w.admin.sends(
        roster.SetHolidaysRequest(parent=w.agency.name, unit="none", year=2030)
    ),
    "another agency": lambda w: w.siti.sends(
        views.ListEvaluationsRequest(parent="agencies/serang")
    ),
    "another agency's evaluation": lambda w: w.admin.sends(
        get("agencies/serang/cycles/2027/evaluations/siti.1")
    ),
    "another agency's command": lambda w: w.siti.sends(
        plan.WithdrawPlanRequest(
            name="agencies/serang/cycles/2027/evaluations/siti.1", request_id="x"
        )
    ),
}

DENIED: Final[dict[str, tuple[str, Ask]]] = {
    "another's evaluation": ("NOT_A_PARTICIPANT", lambda w: w.wayan.reads(w.siti)),
    "another's history": ("NOT_A_PARTICIPANT", lambda w: w.wayan.reads_history(w.siti)),
    "another's explanation": ("NOT_A_PARTICIPANT", lambda w: w.wayan.asks_why(w.siti)),
    "another's plan": ("NOT_A_PARTICIPANT", lambda w: w.wayan.approves_plan(w.siti)),
    "a participant's, not hers": ("NOT_YOUR_TASK", lambda w: w.rina.approves_plan(w.siti)),
    "the supervisor for her": (
        "NOT_YOUR_TASK",
        lambda w: w.budi.gives(plan.WithdrawPlanRequest(), w.siti),
    ),
    "the own plan": ("SELF_DECISION", lambda w: w.siti.approves_plan(w.siti)),
    "the own plan, as admin": (
        "SELF_DECISION",
        lambda w: w.siti_the_admin.approves_plan(w.siti),
    ),
    "the own cancelling, as admin": ("SELF_DECISION", lambda w: w.siti_the_admin.cancels(w.siti)),
    "an employee's launch": ("ROLE_REQUIRED", lambda w: launched_by(w.siti, w)),
    "an employee's list of people": (
        "ROLE_REQUIRED",
        lambda w: w.siti.sends(roster.ListPeopleRequest(parent=w.agency.name)),
    ),
    "a program's inbox": ("ROLE_REQUIRED", lambda w: w.program.inbox()),
    "a program's decision": ("ROLE_REQUIRED", lambda w: w.program.approves_plan(w.siti)),
}

STATES: Final[dict[str, tuple[Code, str, Ask]]] = {
    "wrong stage": (Code.FAILED_PRECONDITION, "WRONG_STAGE", lambda w: w.siti.submits_plan()),
    "stage to come": (Code.FAILED_PRECONDITION, "WRONG_STAGE", lambda w: w.budi.rates(w.siti)),
    "reopening what runs": (
        Code.FAILED_PRECONDITION,
        "WRONG_STAGE",
        lambda w: w.admin.reopens(w.siti),
    ),
    "stale revision": (
        Code.ABORTED,
        "REVISION_CHANGED",
        lambda w: w.budi.approves_plan(w.siti, expected_revision=1),
    ),
    "revision to come": (
        Code.ABORTED,
        "REVISION_CHANGED",
        lambda w: w.budi.approves_plan(w.siti, expected_revision=99),
    ),
    "id of another body": (
        Code.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
        lambda w: w.siti.submits_plan("lain", request_id="first"),
    ),
    "id of another command": (
        Code.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
        lambda w: w.siti.gives(plan.WithdrawPlanRequest(), request_id="first"),
    ),
    "id of another publication": (
        Code.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
        lambda w: publish(w, source_of("serang").decode(), f"publish-{NATIONAL}"),
    ),
    "cycle that exists": (Code.ALREADY_EXISTS, "ALREADY_EXISTS", created_again),
    "a form too large": (
        Code.INVALID_ARGUMENT,
        "FORM_TOO_LARGE",
        lambda w: w.wayan.gives(wordy_plan(40)),
    ),
    "page token of nothing": (
        Code.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
        lambda w: w.admin.sends(listed(w, page_token="bukan-token")),
    ),
    "page token of no ASCII": (
        Code.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
        lambda w: w.admin.sends(listed(w, page_token="é\x00💥")),
    ),
    "page token of another": (
        Code.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
        with_the_token_of_another,
    ),
    "page token of another filter": (
        Code.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
        with_another_filter,
    ),
    "a policy that is none": (
        Code.INVALID_ARGUMENT,
        "POLICY_INVALID",
        lambda w: publish(w, "name: [broken"),
    ),
    "a policy with a tag": (
        Code.INVALID_ARGUMENT,
        "POLICY_INVALID",
        lambda w: publish(w, "!!python/object/apply:os.system ['true']"),
    ),
    "a revision nobody has": (
        Code.UNAVAILABLE,
        "STALE_READ",
        lambda w: w.siti.reads(min_revision=2**31 - 1),
    ),
}

FIELDS: Final[dict[str, tuple[list[str], Ask]]] = {
    "no level": (["results", "behaviour"], rate),
    "level 99": (["results"], lambda w: rate(w, results=99, behaviour=1)),
    "level -1": (["behaviour"], lambda w: rate(w, results=1, behaviour=-1)),
    "no reason": (["reason"], lambda w: w.budi.returns_plan(w.siti, reason="")),
    "blank reason": (["reason"], lambda w: w.budi.returns_plan(w.siti, reason="  \n")),
    "no lines": (["indicators"], lambda w: w.wayan.gives(plan.SubmitPlanRequest())),
    "the same line twice": (["indicators"], lambda w: w.wayan.submits_plan("a", "a")),
    "a line's id": (["indicators[0].id"], lambda w: w.wayan.submits_plan("A B")),
    "a text of 70 KiB": (["reason"], lambda w: w.budi.returns_plan(w.siti, reason="x" * 70 * KIB)),
    "no request id": (
        ["request_id"],
        lambda w: w.siti.sends(plan.WithdrawPlanRequest(name=w.siti.evaluation)),
    ),
    "a request id with blanks": (
        ["request_id"],
        lambda w: w.siti.submits_plan(request_id="a b\n"),
    ),
    "a negative revision": (
        ["expected_revision"],
        lambda w: w.siti.submits_plan(expected_revision=-1),
    ),
    "a negative min_revision": (["min_revision"], lambda w: w.siti.reads(min_revision=-1)),
    "a negative page": (["page_size"], lambda w: w.admin.sends(listed(w, page_size=-1))),
    "an unknown stage": (["stage"], lambda w: w.admin.sends(listed(w, stage=99))),
    "an unknown kind": (
        ["kind"],
        lambda w: w.siti.sends(inbox(w, kind=99)),
    ),
    "an unknown mask": (["read_mask"], lambda w: w.siti.sends(masked(w, "salary"))),
    "a mask into a list": (["read_mask"], lambda w: w.siti.sends(masked(w, "tasks.holder"))),
    "an empty mask path": (["read_mask"], lambda w: w.siti.sends(masked(w, ""))),
    "no name": (["name"], lambda w: w.siti.sends(get(""))),
    "SQL for a name": (
        ["name"],
        lambda w: w.siti.sends(get(w.siti.evaluation + "'; DROP TABLE event; --")),
    ),
    "a path for a name": (["name"], lambda w: w.siti.sends(get(w.name("../../serang")))),
    "SQL for a unit": (["unit"], lambda w: w.admin.sends(listed(w, unit="x' OR '1'='1"))),
    "a new line after a name": (["name"], lambda w: w.siti.sends(get(w.siti.evaluation + "\n"))),
    "a day off that is none": (["holidays[0].on"], lambda w: day_off(w, "2030-02-30")),
    "a day off of another year": (["holidays[0].on"], lambda w: day_off(w, "2031-01-01")),
    "a year out of reach": (
        ["year"],
        lambda w: w.admin.sends(
            roster.SetHolidaysRequest(parent=w.agency.name, year=-5, holidays=[])
        ),
    ),
    "a seat for nobody": (
        ["person"],
        lambda w: w.admin.gives(
            team.ReassignRequest(seat=values.SEAT_SUPERVISOR, person="nobody", reason="x"),
            w.siti,
        ),
    ),
    "no seat": (
        ["seat"],
        lambda w: w.admin.gives(team.ReassignRequest(person="rina", reason="x"), w.siti),
    ),
    "period 13": (
        ["period"],
        lambda w: w.budi.gives(
            year.RecordPeriodicEvaluationRequest(
                period=13, results=values.LEVEL_AT, behaviour=values.LEVEL_AT
            ),
            w.siti,
        ),
    ),
    "evidence that is no link": (
        ["evidence[0].link", "evidence[0].sha256"],
        lambda w: w.siti.gives(
            year.ReportProgressRequest(
                note="x", evidence=[plan.Evidence(link="javascript:alert(1)", sha256="ff")]
            )
        ),
    ),
}


@pytest.mark.parametrize("what", UNKNOWN)
async def test_what_is_not_there_is_not_found(world: World, what: str) -> None:
    with refused(Code.NOT_FOUND, "NOT_FOUND") as expected:
        await UNKNOWN[what](world)
    tells_nothing_of_the_inside(expected.refusal.everything)


@pytest.mark.parametrize("what", DENIED)
async def test_what_is_not_yours_is_denied(world: World, what: str) -> None:
    reason, ask = DENIED[what]
    with refused(Code.PERMISSION_DENIED, reason) as expected:
        await ask(world)
    tells_nothing_of_the_inside(expected.refusal.everything)


@pytest.mark.parametrize("what", STATES)
async def test_what_does_not_fit_is_refused_with_its_reason(world: World, what: str) -> None:
    code, reason, ask = STATES[what]
    with refused(code, reason) as expected:
        await ask(world)
    tells_nothing_of_the_inside(expected.refusal.everything)


@pytest.mark.parametrize("what", FIELDS)
async def test_a_wrong_field_is_named(world: World, what: str) -> None:
    fields, ask = FIELDS[what]
    with refused(Code.INVALID_ARGUMENT, "FIELD_INVALID") as expected:
        await ask(world)
    assert expected.refusal.fields == fields
    tells_nothing_of_the_inside(expected.refusal.everything)
