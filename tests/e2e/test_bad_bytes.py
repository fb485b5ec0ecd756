"""Bad tokens, bad bytes, bad texts: what reaches the server before it knows what is meant."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, Final

import grpc
import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from siklus.services.auth.keys import ensure_local_key
from siklus.services.auth.tokens import mint
from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_year_pb2 as year
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1.values_pb2 import INDICATOR_KIND_QUANTITATIVE
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.e2e.agency import nip
from tests.e2e.calls import Metadata, bearer, call, path_of, raw, refused
from tests.e2e.world import KIB, World, get, listed, tells_nothing_of_the_inside, world_of

Code = grpc.StatusCode
GET: Final = path_of(views.GetEvaluationRequest)
REPORT: Final = path_of(year.ReportProgressRequest)
DAY: Final = timedelta(days=1)


@pytest.fixture(scope="module")
async def world(stack: LocalStack) -> AsyncIterator[World]:
    async with world_of(stack, "byte") as world:
        await world.budi.approves_plan(world.siti)
        yield world


def unsigned(token: str) -> str:
    """The same claims under the algorithm `none`."""
    _, claims, _ = token.split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    return f"{header}.{claims}."


def other_claims(token: str) -> str:
    """Another person under the same signature."""
    header, claims, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(told | {"sub": "budi"}).encode())
    return f"{header}.{changed.decode().rstrip('=')}.{signature}"


TOKENS: Final[dict[str, tuple[str, Callable[[str], Metadata]]]] = {
    "none": ("TOKEN_MISSING", lambda _: ()),
    "empty": ("TOKEN_MISSING", lambda _: bearer("")),
    "malformed": ("TOKEN_INVALID", lambda _: bearer("bukan.token")),
    "too long": ("TOKEN_INVALID", lambda good: bearer(good + "a" * 8000)),
    "unsigned": ("TOKEN_INVALID", lambda good: bearer(unsigned(good))),
    "without its signature": ("TOKEN_INVALID", lambda good: bearer(good.rpartition(".")[0] + ".")),
    "with other claims": ("TOKEN_INVALID", lambda good: bearer(other_claims(good))),
    "basic": ("TOKEN_INVALID", lambda good: (("authorization", f"Basic {good}"),)),
    "two of them": ("TOKEN_INVALID", lambda good: bearer(good) + bearer(good)),
}


@pytest.mark.parametrize("what", TOKENS)
async def test_a_bad_token_opens_nothing(world: World, what: str) -> None:
    reason, spoilt = TOKENS[what]
    metadata = spoilt(world.siti.token())

    with refused(Code.UNAUTHENTICATED, reason) as expected:
        await call(world.agency.channel, get(world.siti.evaluation), metadata)
    tells_nothing_of_the_inside(expected.refusal.everything)


async def test_an_expired_token_says_so(world: World) -> None:
    expired = world.agency.stack.token(world.agency.id, "siti", life=-DAY)

    with refused(Code.UNAUTHENTICATED, "TOKEN_EXPIRED"):
        await call(world.agency.channel, get(world.siti.evaluation), bearer(expired))


@pytest.mark.parametrize("claims", [{"audience": "lain"}, {"issuer": "lain"}])
async def test_a_token_for_others_is_not_ours(world: World, claims: dict[str, str]) -> None:
    stack = world.agency.stack
    token = mint(
        stack._signing_key,
        AgencyId(world.agency.id),
        PersonId("siti"),
        (Role.EMPLOYEE,),
        stack.clock.now(),
        DAY,
        **claims,
    )

    with refused(Code.UNAUTHENTICATED, "TOKEN_INVALID"):
        await call(world.agency.channel, get(world.siti.evaluation), bearer(token))


async def test_a_token_of_another_key_is_not_ours(world: World, tmp_path: Any) -> None:
    key, agency = ensure_local_key(tmp_path), AgencyId(world.agency.id)
    now = world.agency.stack.clock.now()
    token = mint(key, agency, PersonId("siti"), (Role.EMPLOYEE,), now, DAY)

    with refused(Code.UNAUTHENTICATED, "TOKEN_INVALID"):
        await call(world.agency.channel, get(world.siti.evaluation), bearer(token))


async def test_a_token_without_roles_reads_only_what_it_takes_part_in(world: World) -> None:
    nobody = world.agency.stack.token(world.agency.id, "siti-lain")

    with refused(Code.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await call(world.agency.channel, get(world.siti.evaluation), bearer(nobody))


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xff\xff\xff",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a\x03abc" * 3 + b"\x0a\x50x",
        b"\x0a\x03\xed\xa0\x80",  # a lone surrogate
        b"\x0a\x02\xc3\x28",
        bytes(range(256)),
    ],
)
@pytest.mark.parametrize("path", [GET, REPORT, path_of(roster.ImportPeopleRequest)])
async def test_bytes_that_are_no_message_are_malformed(
    world: World, path: str, body: bytes
) -> None:
    with refused(Code.INVALID_ARGUMENT, "MALFORMED_MESSAGE") as expected:
        await raw(world.agency.channel, path, body, bearer(world.siti.token()))
    tells_nothing_of_the_inside(expected.refusal.everything)


async def test_no_bytes_are_a_message_without_a_name(world: World) -> None:
    with refused(Code.INVALID_ARGUMENT, "FIELD_INVALID") as expected:
        await raw(world.agency.channel, GET, b"", bearer(world.siti.token()))
    assert expected.refusal.fields == ["name"]


async def test_unknown_methods_and_services_are_unimplemented(world: World) -> None:
    for path in ("/siklus.v1.EvaluationService/Guess", "/siklus.v2.Guess/Guess", "/"):
        with refused(Code.UNIMPLEMENTED) as expected:
            await raw(world.agency.channel, path, b"", bearer(world.siti.token()))
        tells_nothing_of_the_inside(expected.refusal.everything)


async def test_ten_megabytes_are_stopped_by_the_transport(world: World) -> None:
    with refused(Code.RESOURCE_EXHAUSTED) as expected:
        await world.siti.reports_progress("x" * 10 * KIB * KIB)
    tells_nothing_of_the_inside(expected.refusal.everything)
    assert (await world.siti.reads()).name == world.siti.evaluation


async def test_a_millisecond_is_too_short_and_says_so(world: World) -> None:
    for _ in range(5):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.siti.reads(min_revision=1000, within=0.001)
        assert caught.value.code() is Code.DEADLINE_EXCEEDED


async def test_what_is_no_http2_does_not_disturb_the_server(world: World) -> None:
    host, port = world.agency.stack.grpc_address.split(":")
    for said in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 8, b"\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(said)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        tells_nothing_of_the_inside(answer.decode("latin-1"))

    assert (await world.siti.reads()).name == world.siti.evaluation


@pytest.mark.parametrize("payload", [None, 7, "x", {}, {"command": None}, {"actor": {}}, []])
async def test_a_payload_that_is_no_order_is_refused_and_harms_nothing(
    world: World, payload: object
) -> None:
    shown = await world.siti.reads()
    handle = world.agency.stack.client.get_workflow_handle(world.agency.workflow_id(world.siti))

    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await asyncio.wait_for(handle.execute_update("report_progress", payload), 20)

    assert isinstance(caught.value.cause, ApplicationError)
    reported = await world.siti.reports_progress()
    assert reported.receipt.revision == shown.revision + 1


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b",
        "\x01\x1b[31mmerah\x7f",
        "‮gnihtemos\u200b\ufeff",
        "<script>alert(1)</script> {{ 7*7 }} ${7*7} %s %n",
        "'); DROP TABLE event; --",
        "😀" * 1000,
        "\n",
    ],
)
async def test_a_strange_text_is_kept_as_it_is_or_refused_by_its_field(
    world: World, text: str
) -> None:
    try:
        reported = await world.siti.reports_progress(text)
    except grpc.aio.AioRpcError as error:
        with refused(Code.INVALID_ARGUMENT, "FIELD_INVALID") as expected:
            raise error
        assert expected.refusal.fields == ["note"]
        return
    event = (await world.siti.reads_history())[reported.receipt.revision - 1]
    assert event.prose["note"] == text


ROWS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "a day that is none": ("joined_on", {"joined_on": "2026-02-30"}),
    "a day in words": ("joined_on", {"joined_on": "kemarin"}),
    "a number born on a day that is none": ("nip", {"nip": "198602302015051001"}),
    "no number": ("nip", {"nip": ""}),
    "a name with a NUL": ("name", {"name": "Dewi\x00"}),
    "no name": ("name", {"name": "  "}),
    "an unknown unit": ("unit", {"unit": "'; DROP TABLE unit; --"}),
    "an unknown supervisor": ("supervisor", {"supervisor": "' OR 1=1 --"}),
    "no supervisor": ("supervisor", {"supervisor": ""}),
    "an address that is none": ("email", {"email": "x@y\r\nBcc: z@w.example"}),
    "an unknown language": ("language", {"language": "fr"}),
    "an id with a slash": ("person_id", {"person_id": "../siti"}),
    "a reference with a NUL": ("ref", {"ref": "a\x00"}),
}


@pytest.mark.parametrize("what", ROWS)
async def test_a_bad_row_is_refused_by_itself_and_names_the_field(world: World, what: str) -> None:
    field, spoilt = ROWS[what]
    results = await imported(world, {}, spoilt)

    assert results[0].outcome in {roster.ROW_OUTCOME_CREATED, roster.ROW_OUTCOME_UNCHANGED}
    assert results[1].outcome == roster.ROW_OUTCOME_REFUSED
    assert {problem.field for problem in results[1].problems} == {field}
    tells_nothing_of_the_inside(str(results[1]))


async def test_a_name_that_looks_like_code_is_only_a_name(world: World) -> None:
    name = "Robert'); DROP TABLE person;-- <script>alert(1)</script> {{7*7}}"
    (result,) = await imported(world, {"name": name, "person_id": "robert", "nip": nip(902)})
    assert result.outcome == roster.ROW_OUTCOME_CREATED

    request = roster.GetPersonRequest(name=f"{world.agency.name}/people/robert")
    found: roster.GetPersonResponse = await world.admin.sends(request)

    assert found.person.display_name == name


async def test_a_page_may_ask_for_as_much_as_it_likes(world: World) -> None:
    page: views.ListEvaluationsResponse = await world.admin.sends(
        listed(world, page_size=2**31 - 1)
    )
    assert len(page.evaluations) == 5


async def test_a_number_that_is_read_by_others_is_masked(world: World) -> None:
    request = roster.ListPeopleRequest(parent=world.agency.name)
    people: roster.ListPeopleResponse = await world.agency.auditor.sends(request)

    assert all(person.nip.startswith("***") for person in people.people)


async def test_a_plan_of_fifty_one_lines_is_too_long(world: World) -> None:
    lines = [
        plan.Indicator(id=f"i{number}", kind=INDICATOR_KIND_QUANTITATIVE, description="x")
        for number in range(51)
    ]
    with refused(Code.INVALID_ARGUMENT, "FIELD_INVALID") as expected:
        await world.wayan.gives(plan.SubmitPlanRequest(indicators=lines))
    assert expected.refusal.fields == ["indicators"]


async def imported(world: World, *rows: dict[str, Any]) -> list[roster.RowResult]:
    """Import people who differ from Dewi, all of them in one call."""
    usual = {"name": "Dewi", "unit": "dinas", "supervisor": "budi", "nip": nip(900)}
    given = [
        roster.PersonRow(**{**usual, "nip": nip(900 + number)} | row)
        for number, row in enumerate(rows)
    ]
    request = roster.ImportPeopleRequest(parent=world.agency.name, rows=given)
    answer: roster.ImportPeopleResponse = await world.admin.sends(request)
    return list(answer.results)
