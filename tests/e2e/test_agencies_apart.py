"""Two agencies in which everything has the same id: for each, the other does not exist.

The calls are read off the contract's descriptors, so a new method is asked by itself.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, Final

import grpc
import pytest
from buf.validate import validate_pb2
from google.api import annotations_pb2

from siklus.services.auth.keys import ensure_local_key
from siklus.services.auth.tokens import mint
from siklus.services.interceptors import tenancy
from siklus.services.interceptors.validation import must_be_valid
from siklus.services.local.stack import LocalStack
from siklus.services.server import SERVICES
from siklus.v1 import annotations_pb2 as annotations
from siklus.v1 import subscription_service_pb2 as subscriptions
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.values import AgencyId, Role
from tests.e2e.agency import STAFF, Agency, launched_agency
from tests.e2e.calls import bearer
from tests.e2e.rounds import has_round
from tests.e2e.sessions import has_calibration, has_panel
from tests.fuzz.calls import Answered, Line, Request
from tests.fuzz.messages import Messages
from tests.fuzz.methods import Method, methods
from tests.fuzz.pool import CALIBRATION, CHANGE, COMMENT, MANDATE, OPERATION, PLAN, ROUND, Pool

OURS, THEIRS, NOWHERE = "pulau-b", "pulau-a", "pulau-z"
"""The callers' agency, another one, and one that does not exist; equally long, to compare bytes."""
MARK: Final = "Rahasia Pulau"
"""In every name and text of the other agency."""
IDS: Final = (
    r"(?<=/)(siti\.1|siti|permenpan-6-2022|arsip|surat|tugas"
    r"|pindah|perbaikan|suara|rekan|rapat|20\d\d)$"
)
PATIENCE: Final = 15.0
INVALID: Final = grpc.StatusCode.INVALID_ARGUMENT
SHOW_PEOPLE: Final = {"GetEvaluation", "ListEvaluations", "ListHistory", "GetPerson", "ListPeople"}
METHODS: Final = methods(SERVICES)
SETTLED: Final = (
    "event",
    "evaluation",
    "participant",
    "task",
    "prose",
    "person",
    "unit",
    "holiday",
    "notice_preference",
    "mandate",
    "contact_rating",
    "feedback_invitation",
    "operation",
    "roster_change",
    "outcome",
    "improvement_plan",
    "organisation_rating",
    "appeal_panel",
    "calibration",
    "calibration_proposal",
    "calibration_vote",
    "policy",
    "cycle",
    "request",
)
"""Tables that change only when somebody asks for it."""

Metadata = tuple[tuple[str, str], ...]


class Islands:
    """Both agencies, and callers of ours."""

    def __init__(self, stack: LocalStack, ours: Agency, theirs: Agency) -> None:
        self.stack = stack
        self.ours = ours
        self.theirs = theirs
        self.line = Line([ours.channel])

    def pool(self, agency: str) -> Pool:
        """Return the names of what there is in an agency, or would be."""
        people = ("siti", "wayan", "budi")
        return Pool(agency, self.ours.cycle_id, people, other_agency=NOWHERE)

    def callers(self) -> dict[str, Metadata]:
        """Return people of ours, whose ids the others have too, and a program with every scope."""
        found = {
            "employee": bearer(self.ours.person("siti").token()),
            "supervisor": bearer(self.ours.person("budi").token()),
            "admin": bearer(self.ours.admin.token()),
            "auditor": bearer(self.ours.auditor.token()),
        }
        scopes = sorted({method.rules.scope for method in METHODS} - {""})
        program = mint(
            ensure_local_key(self.stack.folder),
            AgencyId(OURS),
            None,
            (Role.INTEGRATOR,),
            self.stack.clock.now(),
            timedelta(hours=1),
            scopes=scopes,
        )
        return found | {"program": bearer(program)}

    def request(self, method: Method, agency: str, *, there: bool = True) -> Any:
        """Return a valid request, always the same, about something of that agency."""
        pool = self.pool(agency)
        request = Messages(Random(method.name), pool).valid(method)
        field = "name" if "name" in method.request.DESCRIPTOR.fields_by_name else "parent"
        described = method.request.DESCRIPTOR.fields_by_name[field]
        pattern = described.GetOptions().Extensions[validate_pb2.field].string.pattern
        named = next(name for name in pool.names() if re.fullmatch(pattern, name))
        if not there:
            named = re.sub(IDS, _absent, named)
        setattr(request, field, named)
        return request

    async def send(self, method: Method, request: Any, metadata: Metadata) -> Answered:
        """Send a request as somebody."""
        body = request.SerializeToString()
        return await self.line.send(0, Request(method, body, metadata, PATIENCE))

    async def something_happens_to_them(self, method: Method) -> None:
        """Let the others' record grow while somebody of ours listens."""
        if method.streams_out:
            siti = self.theirs.person("siti")
            await siti.submits_plan("antrean")
            await siti.withdraws_plan()

    async def rows(self, agency: str) -> dict[str, str]:
        """Return all that is settled in an agency."""
        found = {}
        async with self.stack.store.agency(AgencyId(agency), within=10) as connection:
            for table in SETTLED:
                query = f"SELECT to_jsonb(t)::text FROM {table} AS t ORDER BY 1"
                rows = await (await connection.execute(query.encode())).fetchall()
                found[table] = json.dumps(rows)
        return found


def _absent(found: re.Match[str]) -> str:
    """Return an id of the same length that nothing has."""
    return re.sub(r"^20|[a-z]", lambda each: "q" * len(each[0]), found[0])


@pytest.fixture(scope="module")
async def islands(stack: LocalStack) -> AsyncIterator[Islands]:
    year = stack.clock.now().year + 1
    marked = tuple(
        (who, f"{MARK} {name}", unit, over, speaks) for who, name, unit, over, speaks in STAFF
    )
    async with (
        launched_agency(stack, OURS, year=year) as ours,
        launched_agency(stack, THEIRS, year=year, staff=marked) as theirs,
    ):
        for agency, mark in (ours, ""), (theirs, MARK):
            siti = agency.person("siti")
            await siti.submits_plan("antrean", request_id="sama")
            await agency.person("budi").returns_plan(siti, f"{mark} belum terukur", request_id="x")
            await subscribe(agency)
            await agency.has_mandate(MANDATE, "rina", "budi")
            await agency.has_operation(OPERATION)
            await agency.has_change(CHANGE, "rina")
            await agency.has_plan(PLAN, "siti")
            await has_round(agency, ROUND, "rina", ("siti", "wayan", "yos"))
            await agency.has_comment(COMMENT, "rina", f"{mark} lambat")
            await has_calibration(agency, CALIBRATION)
            await has_panel(agency, "rina", "budi", "wayan")
        yield Islands(stack, ours, theirs)


async def subscribe(agency: Agency) -> None:
    """Let the agency have a webhook, where this server knows of them."""
    if "siklus.v1.SubscriptionService" in SERVICES:
        request = subscriptions.CreateSubscriptionRequest(
            parent=agency.name,
            request_id="sama",
            subscription_id="arsip",
            url="https://hooks.invalid/siklus",
        )
        await agency.admin.sends(request)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_what_another_agency_has_is_answered_as_what_nobody_has(
    islands: Islands, method: Method
) -> None:
    theirs = islands.request(method, THEIRS)
    absent = islands.request(method, THEIRS, there=False)
    nowhere = islands.request(method, NOWHERE)

    for who, token in islands.callers().items():
        said, *others = [
            refusal(await islands.send(method, request, token), request)
            for request in (theirs, absent, nowhere)
        ]
        assert said[0] is grpc.StatusCode.NOT_FOUND, f"{who}: {said}"
        # As it came over the wire; the names are equally long, so their lengths tell nothing.
        assert others == [said, said], who


async def test_none_of_that_changes_anything_in_the_other_agency(islands: Islands) -> None:
    before = await islands.rows(THEIRS)
    callers = islands.callers()

    await asyncio.gather(
        *(
            islands.send(method, islands.request(method, THEIRS), token)
            for method in METHODS
            for token in callers.values()
        )
    )

    assert await islands.rows(THEIRS) == before
    assert [table for table, rows in before.items() if len(rows) <= 2] == ["holiday"]


@pytest.mark.parametrize(
    "method",
    [method for method in METHODS if method.rules.consistency],
    ids=lambda method: method.name,
)
async def test_no_read_of_ours_shows_anything_of_theirs(islands: Islands, method: Method) -> None:
    request = unfiltered(islands.request(method, OURS))
    seen: list[bytes] = []
    codes = set()
    for token in islands.callers().values():
        answered, _ = await asyncio.gather(
            islands.send(method, request, token), islands.something_happens_to_them(method)
        )
        seen += answered.answers
        codes.add(answered.error.code() if answered.error else grpc.StatusCode.OK)

    for answer in seen:
        assert THEIRS.encode() not in answer
        assert MARK.encode() not in answer
    if method.rules.consistency != annotations.CONSISTENCY_FEED:
        assert grpc.StatusCode.OK in codes
    if method.name in SHOW_PEOPLE:
        assert any(b"siti" in answer for answer in seen)


async def test_the_same_request_id_in_both_is_two_requests(islands: Islands) -> None:
    ours, theirs = islands.ours.person("wayan"), islands.theirs.person("wayan")

    first = await ours.submits_plan("antrean", request_id="bersama")
    second = await theirs.submits_plan("berkas", request_id="bersama")

    assert first.receipt.name == ours.evaluation
    assert second.receipt.name == theirs.evaluation
    assert first.receipt.digest != second.receipt.digest
    assert [each.id for each in (await ours.reads()).plan.indicators] == ["antrean"]
    assert [each.id for each in (await theirs.reads()).plan.indicators] == ["berkas"]


async def test_a_page_of_theirs_does_not_go_on_in_ours(islands: Islands) -> None:
    lists = [m for m in METHODS if "page_token" in m.request.DESCRIPTOR.fields_by_name]
    going_on = 0
    for method in lists:
        request = unfiltered(islands.request(method, THEIRS))
        request.page_size = 1
        their_admin = bearer(islands.theirs.admin.token())
        page: Any = await islands.send(method, request, their_admin)
        listed: Any = method.answer.FromString(page.answers[0])
        token = listed.next_page_token
        if not token:
            continue
        going_on += 1
        mine = unfiltered(islands.request(method, OURS))
        mine.page_size, mine.page_token = 1, token

        answered = await islands.send(method, mine, bearer(islands.ours.admin.token()))
        code, said = refusal(answered, mine)
        assert (code, "PAGE_TOKEN_INVALID" in said) == (INVALID, True), method.name
    assert going_on >= 3


async def test_behind_an_open_gate_the_walls_still_stand(
    islands: Islands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test: what is given to the others falls on our own agency now."""
    before = await islands.rows(THEIRS)
    monkeypatch.setattr(tenancy, "must_lie_in_the_callers_agency", lambda request: None)

    let_in = 0
    for method in METHODS:
        for token in islands.callers().values():
            answered = await islands.send(method, islands.request(method, THEIRS), token)
            let_in += bool(answered.answers)
            for answer in answered.answers:
                assert MARK.encode() not in answer, method.name

    assert let_in > 0
    assert await islands.rows(THEIRS) == before


def test_every_method_that_reads_says_how_new_it_is() -> None:
    """Else the test above would pass a read by."""
    gets = {
        method.path
        for method in METHODS
        if method.request.DESCRIPTOR.full_name and _http(method).WhichOneof("pattern") == "get"
    }

    assert gets <= {method.path for method in METHODS if method.rules.consistency}
    assert len(gets) > 10


def _http(method: Method) -> Any:
    service, name = method.path.strip("/").split("/")
    pool = method.request.DESCRIPTOR.file.pool
    described: Any = pool.FindServiceByName(service).methods_by_name[name]
    return described.GetOptions().Extensions[annotations_pb2.http]


def unfiltered(request: Any) -> Any:
    """Return the request with nothing in it but what it must have."""
    for field in request.DESCRIPTOR.fields:
        if field.name not in {"name", "parent"}:
            shorter = type(request)()
            shorter.CopyFrom(request)
            shorter.ClearField(field.name)
            with suppress(Refusal):
                must_be_valid(shorter)
                request = shorter
    return request


def refusal(answered: Answered, request: Any) -> tuple[grpc.StatusCode, str]:
    """Return a refusal as it came over the wire, without the name that was asked for."""
    error = answered.error
    assert error is not None, answered.answers
    sent = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
    kept = sorted((key, value) for key, value in sent if key != "x-request-id")
    named = getattr(request, "name", "") or request.parent
    return error.code(), f"{error.details()} {kept}".replace(named, "NAME")
