"""Mandates through the server: entered, listed, ended; whose tasks and evaluations they open."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import grpc
import pytest

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import policies
from siklus.activities.vault import Vault
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc.listing import list_evaluations
from siklus.services.rpc.mandates import MOST
from siklus.services.rpc.reading import read
from siklus.v1 import evaluation_pb2
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import mandates_pb2 as pb
from siklus.v1 import task_service_pb2 as inboxes
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.domain.story import WITA, make_policy
from tests.services.desk import Desk, refused
from tests.store.case import Case

DENIED = grpc.StatusCode.PERMISSION_DENIED
LINE = ("agus", "rina", "budi", "siti", "wayan", "dewi", "eko")
DAY = timedelta(days=1)


@pytest.fixture
async def office(desk: Desk) -> Desk:
    await desk.staffed(LINE)
    return desk


@pytest.fixture
def projector(store: Store) -> Projector:
    return Projector(store, Vault(Keyring.generate()))


@pytest.fixture
def today(clock: Clock) -> date:
    """The day in the office's zone."""
    return (clock.now() + timedelta(hours=8)).date()


async def lends(desk: Desk, principal: str, delegate: str, **fields: Any) -> pb.Mandate:
    request = lending(desk, principal, delegate, **fields)
    answer: pb.CreateMandateResponse = await desk.roster.CreateMandate(request, **desk.admin)
    return answer.mandate


def lending(desk: Desk, principal: str, delegate: str, **fields: Any) -> pb.CreateMandateRequest:
    today = datetime.now(UTC).date()
    about: dict[str, Any] = {
        "parent": desk.parent,
        "request_id": desk.request_id(),
        "principal": principal,
        "delegate": delegate,
        "kind": pb.MANDATE_KIND_PLT,
        "letter": "800/12/2026",
        "from_on": (today - 30 * DAY).isoformat(),
        "to_on": (today + 30 * DAY).isoformat(),
    }
    return pb.CreateMandateRequest(**(about | fields))


async def ends(desk: Desk, mandate: pb.Mandate, on: date, **fields: Any) -> Any:
    about = {"name": mandate.name, "ends_on": on.isoformat(), "reason": "Pejabat kembali"}
    request = pb.EndMandateRequest(**({"request_id": desk.request_id()} | about | fields))
    return await desk.roster.EndMandate(request, **desk.admin)


async def listed(desk: Desk, who: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    request = pb.ListMandatesRequest(parent=desk.parent, **fields)
    answer = await desk.roster.ListMandates(request, **(who or desk.admin))
    return [f"{each.principal}>{each.delegate}" for each in answer.mandates]


async def inbox(desk: Desk, who: str, *roles: str, **fields: Any) -> list[inboxes.InboxTask]:
    """Read the whole inbox, two tasks at a time."""
    found: list[inboxes.InboxTask] = []
    request = inboxes.ListTasksRequest(parent=desk.parent, page_size=2, **fields)
    while True:
        page = await desk.tasks.ListTasks(request, **desk.who(who, *roles or ("employee",)))
        found += page.tasks
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


async def counted(desk: Desk, who: str) -> int:
    request = inboxes.CountTasksRequest(parent=desk.parent)
    answer = await desk.tasks.CountTasks(request, **desk.who(who, "employee"))
    return sum(each.count for each in answer.counts)


async def waits(desk: Desk, store: Store, projector: Projector, person: str, **how: Any) -> Case:
    """Somebody's plan waits for the supervisor, `budi` unless told otherwise."""
    case = Case(AgencyId(desk.agency), person, zone=WITA, **how).submits_plan()
    policy = case.record.state.terms.policy
    async with store.agency(case.key.agency) as connection:
        await policies.publish(
            connection, case.key.agency, "source", lambda _: policy, at=case.now, by="admin"
        )
    await projector.project(case.taken())
    return case


async def test_a_mandate_is_entered_once_and_read_as_entered(office: Desk, today: date) -> None:
    request = lending(office, "budi", "wayan", letter=" 800/1 ", scope=["approve_plan"])

    first = (await office.roster.CreateMandate(request, **office.admin)).mandate
    again = (await office.roster.CreateMandate(request, **office.admin)).mandate

    assert first == again
    assert (first.principal, first.delegate, first.letter) == ("budi", "wayan", "800/1")
    assert (list(first.scope), first.last_on) == (["approve_plan"], request.to_on)
    assert (first.created_by, first.HasField("ended_at")) == ("admin", False)
    read = await office.roster.GetMandate(pb.GetMandateRequest(name=first.name), **office.admin)
    assert read.mandate == first
    assert len(await listed(office)) == 1


async def test_who_may_see_mandates(office: Desk) -> None:
    mandate = await lends(office, "budi", "wayan")
    await lends(office, "rina", "dewi")
    get = pb.GetMandateRequest(name=mandate.name)

    for who in ("budi", "wayan"):
        caller = office.who(who, "employee")
        assert (await office.roster.GetMandate(get, **caller)).mandate == mandate
    assert await listed(office, office.who("budi", "employee"), principal="budi") == ["budi>wayan"]
    assert await listed(office, office.who("wayan", "employee"), delegate="wayan") == ["budi>wayan"]
    assert len(await listed(office, office.who("inspektorat", "auditor"))) == 2
    stranger, program = office.who("siti", "employee"), office.who("", "integrator")
    for call in (
        office.roster.GetMandate(get, **stranger),
        listed(office, stranger),
        listed(office, stranger, principal="budi"),
        office.roster.CreateMandate(lending(office, "budi", "siti"), **stranger),
        office.roster.CreateMandate(lending(office, "budi", "siti"), **program),
    ):
        answer = await refused(call)
        assert (answer.code, answer.reason) == (DENIED, "ROLE_REQUIRED")
    other = office.who("admin", "agency_admin", agency="lain")
    assert (await refused(office.roster.GetMandate(get, **other))).reason == "NOT_FOUND"


async def test_mandates_are_listed_the_latest_first_by_filter_and_by_page(
    office: Desk, today: date
) -> None:
    for number, delegate in enumerate(("wayan", "dewi", "eko")):
        start = today + number * DAY
        await lends(
            office, "budi", delegate, from_on=start.isoformat(), to_on=(start + DAY).isoformat()
        )

    assert await listed(office) == ["budi>eko", "budi>dewi", "budi>wayan"]
    assert await listed(office, delegate="dewi") == ["budi>dewi"]
    assert await listed(office, principal="siti") == []
    assert await listed(office, active_on=today.isoformat()) == ["budi>wayan"]
    on_both = (today + DAY).isoformat()
    assert await listed(office, active_on=on_both) == ["budi>dewi", "budi>wayan"]
    met, token = [], ""
    for _ in range(3):
        request = pb.ListMandatesRequest(parent=office.parent, page_size=1, page_token=token)
        page = await office.roster.ListMandates(request, **office.admin)
        met += [each.delegate for each in page.mandates]
        token = page.next_page_token
    assert (met, token) == (["eko", "dewi", "wayan"], "")


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"principal": "siapa"}, "FIELD_INVALID", "principal"),
        ({"delegate": "siapa"}, "FIELD_INVALID", "delegate"),
        ({"delegate": "budi"}, "FIELD_INVALID", "delegate"),
        ({"delegate": "wayan", "by": "wayan"}, "SEPARATION_OF_DUTIES", ""),
        ({"from_on": "2026-02-30"}, "FIELD_INVALID", "from_on"),
        ({"to_on": "9999-12-31"}, "FIELD_INVALID", "to_on"),
        ({"to_on": "2020-01-01"}, "FIELD_INVALID", "to_on"),
        ({"scope": ["cancel"]}, "FIELD_INVALID", "scope[0]"),
        ({"scope": ["rate", "rate"]}, "FIELD_INVALID", "scope"),
        ({"letter": "800\n1"}, "FIELD_INVALID", "letter"),
        ({"kind": 0}, "FIELD_INVALID", "kind"),
    ],
)
async def test_what_cannot_be_a_mandate_is_refused_by_its_field(
    office: Desk, fields: dict[str, Any], reason: str, field: str
) -> None:
    fields = dict(fields)
    by = office.who(fields.pop("by", "admin"), "agency_admin")
    request = lending(office, **({"principal": "budi", "delegate": "wayan"} | fields))

    answer = await refused(office.roster.CreateMandate(request, **by))

    assert (answer.reason, set(answer.fields)) == (reason, {field} - {""})
    assert await listed(office) == []


async def test_a_loop_and_a_chain_too_long_are_refused(office: Desk) -> None:
    line = ("agus", "rina", "budi", "wayan", "dewi", "eko")
    for principal, delegate in pairwise(line):
        await lends(office, principal, delegate)

    for principal, delegate in (("eko", "agus"), ("eko", "siti"), ("siti", "agus")):
        request = lending(office, principal, delegate)
        answer = await refused(office.roster.CreateMandate(request, **office.admin))
        assert (answer.reason, set(answer.fields)) == ("FIELD_INVALID", {"principal"})
    await lends(office, "agus", "siti")


async def test_of_two_mandates_entered_at_once_that_would_loop_one_is(office: Desk) -> None:
    for one, other in (("budi", "wayan"), ("rina", "dewi"), ("agus", "eko")):
        requests = [lending(office, one, other), lending(office, other, one)]
        answers = await asyncio.gather(
            *(office.roster.CreateMandate(request, **office.admin) for request in requests),
            return_exceptions=True,
        )

        assert sum(isinstance(each, pb.CreateMandateResponse) for each in answers) == 1
        assert (
            len(await listed(office, principal=one)) + len(await listed(office, principal=other))
            == 1
        )


async def test_a_delegate_has_a_bounded_number_of_mandates(office: Desk) -> None:
    for _ in range(MOST):
        await lends(office, "budi", "wayan")

    answer = await refused(
        office.roster.CreateMandate(lending(office, "budi", "wayan"), **office.admin)
    )

    assert answer.reason == "LIMIT_REACHED"


async def test_an_end_is_previewed_then_recorded_and_reaches_no_day_that_has_passed(
    office: Desk, store: Store, projector: Projector, today: date
) -> None:
    mandate = await lends(office, "budi", "wayan")
    await waits(office, store, projector, "siti")

    shown = await ends(office, mandate, today, validate_only=True)
    assert (shown.mandate.last_on, shown.waiting) == ((today - DAY).isoformat(), 1)
    assert not shown.mandate.HasField("ended_at")
    assert len(await inbox(office, "wayan")) == 1
    early = await refused(ends(office, mandate, today - 2 * DAY))
    assert set(early.fields) == {"ends_on"}

    ended = await ends(office, mandate, today, request_id="sekali")
    again = await ends(office, mandate, today, request_id="sekali")

    assert ended == again
    assert (ended.mandate.last_on, ended.mandate.to_on) == (shown.mandate.last_on, mandate.to_on)
    assert (ended.mandate.ended_by, ended.mandate.end_reason) == ("admin", "Pejabat kembali")
    assert ended.mandate.HasField("ended_at")
    assert await inbox(office, "wayan") == []
    assert set((await refused(ends(office, mandate, today))).fields) == {"ends_on"}
    absent = pb.Mandate(name=f"{office.parent}/mandates/tiada")
    assert (await refused(ends(office, absent, today))).reason == "NOT_FOUND"


async def test_the_inbox_holds_what_waits_for_those_one_stands_in_for(
    office: Desk, store: Store, projector: Projector
) -> None:
    for who in ("siti", "dewi", "eko"):
        await waits(office, store, projector, who)
    own = await waits(office, store, projector, "p-lain", supervisor="wayan")
    assert [each.person for each in await inbox(office, "wayan")] == ["p-lain"]

    mandate = await lends(office, "budi", "wayan")
    found = await inbox(office, "wayan")

    standing = {each.person: (each.standing, each.principal, each.mandate) for each in found}
    lent = (inboxes.STANDING_MANDATE, "budi", mandate.name.rpartition("/")[2])
    assert standing == {
        "siti": lent,
        "dewi": lent,
        "eko": lent,
        "p-lain": (inboxes.STANDING_HOLDER, "", ""),
    }
    dues = [(each.task.due_at.seconds, each.person) for each in found]
    assert dues == sorted(dues)
    assert await counted(office, "wayan") == len(found) == 4
    # Who holds them still does, and what is new comes too.
    assert len(await inbox(office, "budi")) == 3
    await waits(office, store, projector, "p-baru")
    assert await counted(office, "wayan") == 5
    await projector.project(own.does("wayan", c.ApprovePlan()).taken())
    assert await counted(office, "wayan") == 4


async def test_nobody_sees_more_of_the_own_case_and_no_principal_lends_it(
    office: Desk, store: Store, projector: Projector
) -> None:
    await waits(office, store, projector, "wayan")
    await waits(office, store, projector, "budi", supervisor="rina")
    await lends(office, "budi", "wayan")
    await lends(office, "rina", "budi")

    assert await inbox(office, "wayan") == []
    assert await counted(office, "wayan") == 0
    # Budi may review nobody's plan as Rina but others'; his own stays away from Wayan as well.
    assert await inbox(office, "budi") != []
    assert {each.person for each in await inbox(office, "budi")} == {"wayan"}


async def test_a_chain_is_as_long_as_the_policy_of_the_cycle_allows(
    office: Desk, store: Store, projector: Projector
) -> None:
    one_link = make_policy(mandates={"max_chain": 1})
    await waits(office, store, projector, "siti", policy=one_link)
    await lends(office, "budi", "dewi")
    await lends(office, "dewi", "wayan")

    assert len(await inbox(office, "dewi")) == 1
    assert await inbox(office, "wayan") == []
    assert await counted(office, "wayan") == 0


async def test_a_scope_and_the_days_limit_what_shows(
    office: Desk, store: Store, projector: Projector, today: date
) -> None:
    await waits(office, store, projector, "siti")
    await lends(office, "budi", "wayan", scope=["rate"])
    await lends(office, "budi", "dewi", scope=["return_plan"])
    tomorrow = (today + DAY).isoformat()
    await lends(office, "budi", "eko", from_on=tomorrow, to_on=tomorrow)

    assert await inbox(office, "wayan") == []
    assert len(await inbox(office, "dewi")) == 1
    assert await inbox(office, "eko") == []


async def test_an_admin_who_stands_in_sees_the_task_as_the_principal_s(
    office: Desk, store: Store, projector: Projector
) -> None:
    await waits(office, store, projector, "siti")
    await lends(office, "budi", "wayan")

    (found,) = await inbox(office, "wayan", "agency_admin")

    assert (found.standing, found.principal) == (inboxes.STANDING_MANDATE, "budi")


async def test_who_stands_in_reads_the_evaluations_concerned_until_it_ends(
    office: Desk, store: Store, projector: Projector, clock: Clock, today: date
) -> None:
    for who in ("siti", "eko", "wayan"):
        await waits(office, store, projector, who)
    elsewhere = await waits(office, store, projector, "p-lain", supervisor="dewi", superior=None)
    wayan = Caller(AgencyId(office.agency), PersonId("wayan"), (Role.EMPLOYEE,))

    async def sees(**filters: Any) -> list[str]:
        request = reads.ListEvaluationsRequest(parent=office.parent, page_size=1, **filters)
        found: list[str] = []
        while True:
            rows, request.page_token = await list_evaluations(store, wayan, request, clock)
            found += [row.person for row in rows]
            if not request.page_token:
                return found

    async def reading(case: Case) -> str:
        return (await read(store, wayan, case.key, clock)).person

    siti = Case(AgencyId(office.agency), "siti")
    assert await sees() == ["wayan"]
    mandate = await lends(office, "budi", "wayan")

    assert await sees() == ["eko", "siti", "wayan"]
    assert await sees(overdue=True) == ["eko", "siti", "wayan"]
    assert await sees(stage=evaluation_pb2.STAGE_PLAN_REVIEW, person="eko") == ["eko"]
    assert await sees(stage=evaluation_pb2.STAGE_RATING) == []
    assert await reading(siti) == "siti"
    with pytest.raises(Refusal, match="not yours to read"):
        await reading(elsewhere)

    await ends(office, mandate, today)
    assert await sees() == ["wayan"]
    with pytest.raises(Refusal, match="not yours to read"):
        await reading(siti)


async def test_who_works_there_no_more_stands_in_for_nobody(
    office: Desk, store: Store, projector: Projector
) -> None:
    await waits(office, store, projector, "siti")
    await lends(office, "budi", "dewi")
    await lends(office, "dewi", "wayan")
    assert len(await inbox(office, "wayan")) == 1

    async with store.agency(AgencyId(office.agency)) as connection:
        await connection.execute(
            "UPDATE person SET active = false WHERE agency = %s AND person = 'dewi'",
            (office.agency,),
        )

    assert await inbox(office, "wayan") == []
    assert await inbox(office, "dewi") == []
    # A principal who left may well have an acting successor.
    await lends(office, "budi", "eko")
    assert len(await inbox(office, "eko")) == 1
