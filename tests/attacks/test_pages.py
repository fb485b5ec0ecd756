"""Page tokens of others, and forged ones: a list shows what its caller may read, nothing else."""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

import grpc
import pytest

from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1 import watch_pb2 as watch
from siklus.workflows.domain.values import Role
from tests.attacks.conftest import Field
from tests.e2e.calls import bearer, outcome, refused
from tests.e2e.world import tells_nothing_of_the_inside

Code = grpc.StatusCode
EVALUATIONS: Final = views.ListEvaluationsRequest
FORGED: Final[tuple[Sequence[Any], ...]] = (
    ("", "", 0),
    ("2000", "a", 0),
    ("' OR 1=1 --", "a", 0),
    ("9999-12-31T00:00:00Z",),
    ("infinity", "", ""),
    (None, None, None),
    ([], {}, []),
    (2**63, -(2**63), 1e308),
    ("\ud800", "\x00", 1),
    ("z" * 700,),
)


async def first_page(field: Field) -> views.ListEvaluationsResponse:
    page: views.ListEvaluationsResponse = await field.home.admin.sends(
        EVALUATIONS(parent="agencies/rumah", page_size=1)
    )
    return page


async def test_a_page_token_is_no_ones_but_its_callers(field: Field) -> None:
    """The attacker has found a page token in a log and wants the rest of that list."""
    token = (await first_page(field)).next_page_token
    home, again = field.home, EVALUATIONS(parent="agencies/rumah", page_token=token)
    others = (home.agency.auditor, home.siti, home.agency.person("tim-2", Role.AGENCY_ADMIN))

    for other in others:
        with refused(Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"):
            await other.sends(again)
    page: views.ListEvaluationsResponse = await home.admin.sends(again)

    assert page.evaluations


async def test_a_page_token_of_another_agency_is_none_here(field: Field) -> None:
    """The attacker goes on in their own agency with our token, hoping to land in our rows."""
    token = (await first_page(field)).next_page_token
    theirs = EVALUATIONS(parent=field.away.name, page_token=token)

    with refused(Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"):
        await field.away.admin.sends(theirs)
    with refused(Code.NOT_FOUND, "NOT_FOUND"):
        await field.away.admin.sends(EVALUATIONS(parent="agencies/rumah", page_token=token))


async def test_a_page_token_is_bound_to_its_filters_and_its_list(field: Field) -> None:
    """The attacker takes a token of a list that is allowed to one that is narrower or another."""
    token, admin = (await first_page(field)).next_page_token, field.home.admin
    parent = "agencies/rumah"
    others = (
        EVALUATIONS(parent=parent, page_token=token, unit="dinas"),
        EVALUATIONS(parent=parent, page_token=token, overdue=True),
        roster.ListPeopleRequest(parent=parent, page_token=token),
        roster.ListUnitsRequest(parent=parent, page_token=token),
        cycles.ListCyclesRequest(parent=parent, page_token=token),
        views.ListHistoryRequest(name=field.home.siti.evaluation, page_token=token),
    )
    for other in others:
        with refused(Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"):
            await admin.sends(other)


@pytest.mark.parametrize("key", FORGED, ids=repr)
async def test_a_forged_page_token_shows_nothing_more(field: Field, key: Sequence[Any]) -> None:
    """The attacker has read how tokens are made, seals one of their own, and wants others' rows."""
    wayan = field.home.wayan
    own = {
        each.name for each in (await wayan.sends(EVALUATIONS(parent="agencies/rumah"))).evaluations
    }

    for who, seal in ((wayan, "wayan"), (wayan, "tim")):
        request = EVALUATIONS(parent="agencies/rumah", page_token=forged(seal, key))
        told = await outcome(who.sends(request))
        if isinstance(told, views.ListEvaluationsResponse):
            assert {each.name for each in told.evaluations} <= own
        else:
            assert (told.code, told.reason) == (Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
            tells_nothing_of_the_inside(told.everything)


def forged(person: str, key: Sequence[Any]) -> str:
    """Seal a key as the source of Siklus tells, for a caller of that id who is an employee."""
    scope = "\x1f".join((EVALUATIONS.DESCRIPTOR.full_name, "rumah", person, "employee"))
    filters = EVALUATIONS(parent="agencies/rumah").SerializeToString(deterministic=True)
    binding = hashlib.sha256(scope.encode() + b"\x1e" + filters).digest()
    seal = hashlib.sha256(binding + json.dumps(key).encode()).hexdigest()[:24]
    written = json.dumps([seal, *key]).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


async def test_a_resume_token_is_bound_like_a_page_token(field: Field) -> None:
    """The attacker has found a resume token and wants to watch what its owner watches."""
    home, parent = field.home, "agencies/rumah"
    token = await resume_token_of(field)
    await must_not_resume(field, home.agency.auditor.token(), parent, token)
    await must_not_resume(field, home.wayan.token(), parent, token)
    await must_not_resume(field, home.admin.token(), parent, token, unit="dinas")
    await must_not_resume(field, field.away.admin.token(), field.away.name, token)
    for broken in (token[:-2], token + "AA", "A" * 1024, token.swapcase(), "e30", "é"):
        await must_not_resume(field, home.admin.token(), parent, broken)


async def resume_token_of(field: Field) -> str:
    """Watch as the team until the first token comes."""
    request = watch.WatchEvaluationsRequest(parent="agencies/rumah")
    stub: Any = field.home.agency.channel.unary_stream(
        "/siklus.v1.EvaluationService/WatchEvaluations",
        request_serializer=watch.WatchEvaluationsRequest.SerializeToString,
        response_deserializer=watch.WatchEvaluationsResponse.FromString,
    )
    watching = stub(request, metadata=bearer(field.home.admin.token()), timeout=30)
    await field.home.budi.adds_expectation(field.home.siti)
    first = await watching.read()
    watching.cancel()
    return str(first.resume_token)


async def must_not_resume(field: Field, token: str, parent: str, resume: str, **how: Any) -> None:
    request = watch.WatchEvaluationsRequest(parent=parent, resume_token=resume, **how)
    stub: Any = field.home.agency.channel.unary_stream(
        "/siklus.v1.EvaluationService/WatchEvaluations",
        request_serializer=watch.WatchEvaluationsRequest.SerializeToString,
    )
    with refused(Code.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID") as expected:
        await stub(request, metadata=bearer(token), timeout=10).read()
    tells_nothing_of_the_inside(expected.refusal.everything)
