"""The history of an evaluation, in pages that every client can take."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc.history import PAGE_BYTES, list_history
from siklus.services.rpc.names import evaluation_name
from siklus.v1 import evaluation_reads_pb2 as pb
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.scheme.distribution import Guide, Mode, Organisation
from siklus.workflows.domain.values import AgencyId, Level, PersonId, Predicate, Role
from tests.domain.story import make_policy
from tests.store.case import Case

IN_JANUARY = datetime(2027, 1, 5, 2, tzinfo=UTC)
A_FORM = 60_000
"""Bytes; a form's texts have at most 64 KiB together."""


@pytest.fixture
def vault() -> Vault:
    return Vault(Keyring.generate())


@pytest.fixture
def case() -> Case:
    return Case(AgencyId(f"a-{uuid4().hex[:12]}")).submits_plan().does("budi", c.ApprovePlan())


async def history(
    store: Store, vault: Vault, case: Case, caller: Caller | None = None, **fields: Any
) -> pb.ListHistoryResponse:
    team = Caller(case.key.agency, PersonId("tim"), (Role.AGENCY_ADMIN,))
    request = pb.ListHistoryRequest(name=evaluation_name(case.key), **fields)
    return await list_history(store, vault, caller or team, request, Clock())


async def test_long_texts_make_more_pages_and_no_page_too_large_to_send(
    store: Store, vault: Vault, case: Case
) -> None:
    projector = Projector(store, vault)
    for number in range(70):
        case.does("siti", c.ReportProgress(prose={"note": f"{number:02}" + "é" * (A_FORM // 2)}))
        await projector.project(case.taken())

    pages = [await history(store, vault, case, page_size=200)]
    while pages[-1].next_page_token:
        token = pages[-1].next_page_token
        pages.append(await history(store, vault, case, page_size=200, page_token=token))

    events = [event for page in pages for event in page.events]
    assert [event.seq for event in events] == list(range(1, case.record.state.revision + 1))
    assert [event.prose["note"][:2] for event in events[-70:]] == [f"{n:02}" for n in range(70)]
    assert max(page.ByteSize() for page in pages) < PAGE_BYTES + 100_000
    assert len(pages) == 3


async def test_short_texts_fill_a_page(store: Store, vault: Vault, case: Case) -> None:
    for number in range(40):
        case.does("siti", c.ReportProgress(prose={"note": str(number)}))
    await Projector(store, vault).project(case.taken())

    page = await history(store, vault, case)

    assert len(page.events) == case.record.state.revision
    assert not page.next_page_token


async def test_a_program_reads_what_happened_and_no_text(
    store: Store, vault: Vault, case: Case
) -> None:
    case.does("siti", c.ReportProgress(prose={"note": "Sudah separuh jalan."}))
    await Projector(store, vault).project(case.taken())
    scopes = frozenset({"audit.read"})
    payroll = Caller(case.key.agency, None, (Role.INTEGRATOR,), "payroll", scopes)

    seen = (await history(store, vault, case, payroll)).events
    told = (await history(store, vault, case)).events

    assert [event.hash for event in seen] == [event.hash for event in told]
    assert told[-1].prose == {"note": "Sudah separuh jalan."}
    assert not any(event.prose for event in seen)
    assert [event.prose_withheld for event in seen] == [bool(event.prose) for event in told]


async def test_no_digest_tells_the_employee_which_of_nine_ratings_waits_in_calibration(
    store: Store, vault: Vault
) -> None:
    agency, policy = AgencyId(f"a-{uuid4().hex[:12]}"), make_policy(calibration={})
    case = Case(agency, opened_at=IN_JANUARY, from_rating=True, policy=policy)
    case.does("budi", c.Rate(results=Level.AT, behaviour=Level.AT))
    await Projector(store, vault).project(case.taken())
    siti, budi = (Caller(agency, PersonId(who), (Role.EMPLOYEE,)) for who in ("siti", "budi"))

    (theirs,) = (e for e in (await history(store, vault, case, budi)).events if e.kind == "rated")
    (mine,) = (e for e in (await history(store, vault, case, siti)).events if e.kind == "rated")

    assert (theirs.facts["results"], bool(theirs.digest)) == ("AT", True)
    assert ("results" in mine.facts.fields, mine.digest) == (False, "")


async def test_the_employee_is_not_told_by_a_warning_how_they_were_rated(
    store: Store, vault: Vault
) -> None:
    agency, policy = AgencyId(f"a-{uuid4().hex[:12]}"), make_policy(calibration={})
    case = Case(agency, from_rating=True, opened_at=IN_JANUARY, policy=policy)
    group = c.InGroup(
        mode=Mode.WARN,
        min_group_size=10,
        organisation=Organisation.BAIK,
        guides=(Guide(predicates=(Predicate.BAIK,), at_most_percent=70),),
        others={Predicate.BAIK: 7},
        unrated=2,
    )
    case.does("budi", c.Rate(results=Level.AT, behaviour=Level.AT), group=group)
    await Projector(store, vault).project(case.taken())
    siti = Caller(agency, case.key.person, (Role.EMPLOYEE,))

    told = [event.kind for event in (await history(store, vault, case)).events]
    shown = [event.kind for event in (await history(store, vault, case, siti)).events]

    assert told[-2:] == ["rated", "distribution_warned"]
    assert shown == told[:-1]
