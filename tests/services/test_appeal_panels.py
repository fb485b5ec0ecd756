"""Panels through the server: who is appointed for whom, and what an appeal is vouched for."""

from typing import Any

import grpc
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import roster
from siklus.activities.vouching import in_panel
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc.history import list_history
from siklus.v1 import appeal_panel_service_pb2 as pb
from siklus.v1 import appeal_panel_service_pb2_grpc
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.values import AgencyId, Level, PersonId, Role
from siklus.workflows.packs import source_of
from tests.domain.story import make_policy
from tests.services.desk import NIPS, Desk, person, refused, unit
from tests.services.hall import AFTER
from tests.store.case import Case

NATIONAL = "permenpan-6-2022"
BY_PANEL = "decided_by: panel\n    panel: {members: 3, quorum: 2}"
THREE = ("dewi", "eko", "fitri")


class Chamber:
    """An agency of two units whose appeals a panel of three decides."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.cycle = f"{desk.parent}/cycles/2026"
        self.stub: Any = appeal_panel_service_pb2_grpc.AppealPanelServiceStub(desk.channel)

    async def build(self, decided_by: str = BY_PANEL) -> None:
        await self.desk.units(unit("pusat"), unit("u", parent="pusat"))
        rows = [person(NIPS[0], person_id="kepala")]
        for nip, who in zip(NIPS[1:], (*THREE, "gita"), strict=False):
            rows.append(person(nip, supervisor="kepala", person_id=who, unit="u"))
        await self.desk.people(*rows)
        source = source_of(NATIONAL).decode().replace("decided_by: superior", decided_by)
        await self.desk.published(source)
        request = cycles.CreateCycleRequest(
            parent=self.desk.parent,
            request_id=self.desk.request_id(),
            cycle_id="2026",
            year=2026,
            policy=NATIONAL,
            title="Kinerja 2026",
        )
        await self.desk.cycles.CreateCycle(request, **self.desk.admin)

    async def appoints(self, *members: str, unit: str = "", **fields: Any) -> Any:
        request = pb.AppointAppealPanelRequest(
            parent=self.cycle,
            unit=unit,
            request_id=fields.get("request_id", self.desk.request_id()),
            members=members or THREE,
            reason="SK 12",
        )
        by = fields.get("by", self.desk.admin)
        return (await self.stub.AppointAppealPanel(request, **by)).panel

    async def standing(self, unit: str = "") -> list[str]:
        request = pb.GetAppealPanelRequest(parent=self.cycle, unit=unit)
        return list((await self.stub.GetAppealPanel(request, **self.desk.admin)).panel.members)


@pytest.fixture
async def chamber(desk: Desk) -> Chamber:
    chamber = Chamber(desk)
    await chamber.build()
    return chamber


async def test_the_newest_appointment_of_the_nearest_unit_counts(chamber: Chamber) -> None:
    nobody = await refused(chamber.standing("u"))
    assert (nobody.code, nobody.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    first = await chamber.appoints(request_id="sekali")
    assert await chamber.appoints(request_id="sekali") == first
    assert (first.unit, first.appointed_by, first.reason) == ("", "admin", "SK 12")
    assert await chamber.standing("u") == [*THREE]

    await chamber.appoints("gita", "eko", "fitri", unit="pusat")
    await chamber.appoints("dewi", "eko", "gita", unit="u")
    await chamber.appoints("gita", "eko", "dewi", unit="u")

    assert await chamber.standing("u") == ["gita", "eko", "dewi"]
    assert await chamber.standing("pusat") == ["gita", "eko", "fitri"]
    assert await chamber.standing() == [*THREE]
    request = pb.ListAppealPanelsRequest(parent=chamber.cycle, page_size=3)
    page = await chamber.stub.ListAppealPanels(request, **chamber.desk.admin)
    assert [each.unit for each in page.panels] == ["u", "u", "pusat"]
    request.page_token = page.next_page_token
    page = await chamber.stub.ListAppealPanels(request, **chamber.desk.admin)
    assert [list(each.members) for each in page.panels] == [[*THREE]]


async def test_what_is_no_panel_is_not_appointed(chamber: Chamber) -> None:
    few = await refused(chamber.appoints("dewi", "eko"))
    assert (few.reason, list(few.fields)) == ("FIELD_INVALID", ["members"])
    stranger = await refused(chamber.appoints("dewi", "asing", "eko"))
    assert list(stranger.fields) == ["members[1]"]
    assert list((await refused(chamber.appoints("dewi", "dewi", "eko"))).fields) == ["members"]
    assert list((await refused(chamber.appoints(unit="lain"))).fields) == ["unit"]
    employee = chamber.desk.who("dewi", "employee")
    assert (await refused(chamber.appoints(by=employee))).reason == "ROLE_REQUIRED"


async def test_a_policy_without_a_panel_has_nobody_to_appoint(desk: Desk) -> None:
    chamber = Chamber(desk)
    await chamber.build(decided_by="decided_by: superior")

    assert (await refused(chamber.appoints())).reason == "NOT_ALLOWED_BY_POLICY"


async def test_an_appeal_is_vouched_for_with_who_still_works_there(
    chamber: Chamber, store: Store, projector: Projector
) -> None:
    case = Case(AgencyId(chamber.desk.agency))
    await projector.project(case.taken())
    appeal = c.FileAppeal(prose={"reasons": "Keliru"})

    async def vouched(command: c.FileAppeal | c.SeatPanel) -> c.InPanel | None:
        async with store.agency(case.key.agency) as connection:
            return await in_panel(connection, case.key, command)

    assert await vouched(appeal) is None
    await chamber.appoints(unit="pusat")
    async with store.agency(case.key.agency) as connection:
        eko = await roster.person(connection, case.key.agency, PersonId("eko"))
        assert eko is not None
        left = eko.model_copy(update={"active": False})
        await roster.put_people(connection, case.key.agency, [left])

    assert await vouched(appeal) == c.InPanel(members=(PersonId("dewi"), PersonId("fitri")))
    named = c.SeatPanel(members=(PersonId("eko"), PersonId("gita")), prose={"reason": "Ganti"})
    assert await vouched(named) == c.InPanel(members=(PersonId("gita"),))


async def test_nobody_is_told_how_a_member_has_voted(
    store: Store, projector: Projector, chamber: Chamber
) -> None:
    agency = AgencyId(chamber.desk.agency)
    panel = {"decided_by": "panel", "panel": {"members": 3, "quorum": 2}}
    case = Case(agency, opened_at=AFTER, from_rating=True, policy=make_policy(appeal=panel))
    case.does("budi", c.Rate(results=Level.AT, behaviour=Level.AT))
    appointed = c.InPanel(members=tuple(map(PersonId, THREE)))
    case.does("siti", c.FileAppeal(prose={"reasons": "Keliru"}), panel=appointed)
    case.does("budi", c.RespondToAppeal(prose={"response": "Tidak"}))
    upheld = c.DecideAppeal(outcome=c.AppealOutcome.UPHELD, prose={"reason": "Sesuai bukti"})
    case.does("dewi", upheld)
    await projector.project(case.taken())

    async def shown(who: str, *roles: Role) -> reads.HistoryEvent:
        name = f"{chamber.cycle}/evaluations/siti.1"
        caller = Caller(agency, PersonId(who), roles)
        request = reads.ListHistoryRequest(name=name)
        return (await list_history(store, projector.vault, caller, request, Clock())).events[-1]

    for told in (await shown("dewi"), await shown("inspektur", Role.AUDITOR)):
        assert (told.kind, told.facts["outcome"]) == ("appeal_vote_cast", "UPHELD")
        assert told.prose["reason"] == "Sesuai bukti"
    others = ("siti", "budi", "eko")
    untold = [await shown(who) for who in others]
    untold.append(await shown("tim", Role.AGENCY_ADMIN))
    untold.append(await shown("siti", Role.AUDITOR))
    for event in untold:
        assert (event.kind, event.actor) == ("appeal_vote_cast", "dewi")
        assert "outcome" not in event.facts.fields
        assert not event.prose
        assert event.prose_withheld
        assert not event.digest
