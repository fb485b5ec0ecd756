"""Mandates in the words of the tests: entered, ended, and what they let people see."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import policies
from siklus.v1 import mandates_pb2 as pb
from siklus.v1 import task_service_pb2 as inboxes
from siklus.workflows.domain.values import AgencyId
from tests.domain.story import WITA
from tests.services.desk import Desk
from tests.store.case import Case

DAY = timedelta(days=1)
LINE = ("agus", "rina", "budi", "siti", "wayan", "dewi", "eko")


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
