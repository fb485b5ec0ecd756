"""What mandates open up: tasks in inboxes and evaluations to read, for their days alone."""

from datetime import date
from typing import Any

import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc.listing import list_evaluations
from siklus.services.rpc.reading import read
from siklus.v1 import evaluation_pb2
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import task_service_pb2 as inboxes
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.domain.story import make_policy
from tests.services.desk import Desk
from tests.services.lending import DAY, counted, ends, inbox, lends, waits
from tests.store.case import Case


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
