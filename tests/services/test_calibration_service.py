"""Calibrations through the server: what is said, compared, proposed, decided and closed."""

from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.v1 import calibration_service_pb2 as pb
from siklus.v1 import calibration_service_pb2_grpc, calibrations_pb2, values_pb2
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import distribution_pb2 as shared
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.values import AgencyId, Level, Role
from siklus.workflows.packs import source_of
from tests.domain.story import make_policy
from tests.services.desk import NIPS, Desk, person, refused, unit
from tests.store.case import Case

NATIONAL = "permenpan-6-2022"
AFTER = datetime(2027, 1, 5, 2, tzinfo=UTC)
LEVELS = {
    "SANGAT_BAIK": (Level.ABOVE, Level.ABOVE),
    "BAIK": (Level.AT, Level.AT),
    "BUTUH_PERBAIKAN": (Level.BELOW, Level.AT),
}
BAIK = values_pb2.PREDICATE_BAIK
SANGAT_BAIK = values_pb2.PREDICATE_SANGAT_BAIK


class Hall:
    """An agency with one cycle and one unit of ten, seven of whom are rated Baik."""

    def __init__(self, desk: Desk, store: Store, projector: Projector) -> None:
        self.desk = desk
        self.store = store
        self.projector = projector
        self.cycle = f"{desk.parent}/cycles/2026"
        self.stub: Any = calibration_service_pb2_grpc.CalibrationServiceStub(desk.channel)
        self.cases: dict[str, Case] = {}

    async def build(self, mode: str = "warn", rule: str = "") -> None:
        """Build it under the national policy, in one mode and with one more rule."""
        await self.desk.units(unit("pusat"), unit("u", parent="pusat"))
        await self.desk.people(
            person(NIPS[0], person_id="kepala"),
            person(NIPS[1], supervisor="kepala", person_id="budi", unit="u"),
            person(NIPS[2], supervisor="budi", person_id="p0", unit="u"),
            person(NIPS[3], supervisor="budi", person_id="p1", unit="u"),
        )
        source = source_of(NATIONAL).decode().replace("mode: warn", f"mode: {mode}")
        source = source.replace("  delivery:", f"  {rule}\n  delivery:", 1)
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
        for number in range(10):
            await self.opens(f"p{number}")
        for number in range(7):
            await self.rates(f"p{number}", "BAIK")

    async def opens(self, who: str) -> None:
        agency = AgencyId(self.desk.agency)
        case = Case(agency, who, from_rating=True, opened_at=AFTER, policy=make_policy())
        self.cases[who] = case
        await self.projector.project(case.taken())

    async def rates(self, who: str, predicate: str) -> None:
        results, behaviour = LEVELS[predicate]
        case = self.cases[who].does("budi", c.Rate(results=results, behaviour=behaviour))
        await self.projector.project(case.taken())

    async def sent_back(self, who: str) -> None:
        command = c.SendBackRating(calibration="k-1", prose={"reason": "Bandingkan"})
        vouched = c.InCalibration(open=True, covers=True)
        case = self.cases[who].does("admin", command, Role.AGENCY_ADMIN, calibration=vouched)
        await self.projector.project(case.taken())

    async def says(self, predicate: str = "BAIK", unit: str = "", **fields: Any) -> Any:
        request = pb.SetOrganisationRatingRequest(
            parent=self.cycle,
            request_id=fields.pop("request_id", self.desk.request_id()),
            unit=unit,
            predicate=shared.OrganisationPredicate.Value(f"ORGANISATION_PREDICATE_{predicate}"),
            reason="Nota 12",
        )
        answer = await self.stub.SetOrganisationRating(request, **(fields.get("by") or self.admin))
        return answer.rating

    @property
    def admin(self) -> Any:
        return self.desk.admin

    async def spread(self, unit: str = "u") -> calibrations_pb2.Distribution:
        request = pb.GetDistributionRequest(parent=self.cycle, unit=unit)
        found: calibrations_pb2.Distribution = (
            await self.stub.GetDistribution(request, **self.admin)
        ).distribution
        return found

    async def guide(self, who: str, by: Any = None) -> pb.GetRatingGuideResponse:
        request = pb.GetRatingGuideRequest(name=f"{self.cycle}/evaluations/{who}.1")
        caller = by or self.desk.who("budi", "employee")
        answer: pb.GetRatingGuideResponse = await self.stub.GetRatingGuide(request, **caller)
        return answer

    async def opened(self, **fields: Any) -> calibrations_pb2.Calibration:
        about = {"parent": self.cycle, "unit": "u", "chair": "kepala", "reason": "Akhir tahun"}
        request = pb.OpenCalibrationRequest(
            **({"request_id": self.desk.request_id()} | about | fields)
        )
        answer = await self.stub.OpenCalibration(request, **self.admin)
        session: calibrations_pb2.Calibration = answer.calibration
        return session

    async def proposes(
        self, session: Any, who: str, predicate: Any = SANGAT_BAIK, by: Any = None, **fields: Any
    ) -> calibrations_pb2.Calibration:
        about = {
            "name": session.name,
            "request_id": self.desk.request_id(),
            "evaluation": f"{self.cycle}/evaluations/{who}.1",
            "predicate": predicate,
            "reason": "Layanan tercepat",
        }
        request = pb.ProposeRatingRequest(**(about | fields))
        answer = await self.stub.ProposeRating(request, **(by or self.admin))
        kept: calibrations_pb2.Calibration = answer.calibration
        return kept

    async def decides(
        self, session: Any, number: int, *, agreed: bool = True, by: Any = None
    ) -> calibrations_pb2.Calibration:
        request = pb.DecideProposalRequest(
            name=session.name,
            request_id=self.desk.request_id(),
            number=number,
            agreed=agreed,
            reason="Sepakat",
        )
        answer = await self.stub.DecideProposal(request, **(by or self.admin))
        kept: calibrations_pb2.Calibration = answer.calibration
        return kept

    async def closes(self, session: Any, by: Any = None) -> calibrations_pb2.Calibration:
        request = pb.CloseCalibrationRequest(
            name=session.name, request_id=self.desk.request_id(), closing="Selesai"
        )
        answer = await self.stub.CloseCalibration(request, **(by or self.admin))
        kept: calibrations_pb2.Calibration = answer.calibration
        return kept

    async def read(self, session: Any, by: Any = None) -> calibrations_pb2.Calibration:
        request = pb.GetCalibrationRequest(name=session.name)
        answer = await self.stub.GetCalibration(request, **(by or self.admin))
        kept: calibrations_pb2.Calibration = answer.calibration
        return kept


@pytest.fixture
async def hall(desk: Desk, store: Store, projector: Projector) -> Hall:
    hall = Hall(desk, store, projector)
    await hall.build()
    return hall


async def test_the_nearest_word_on_an_organisation_counts_and_the_newest_of_it(hall: Hall) -> None:
    assert (await hall.spread()).organisation == shared.ORGANISATION_PREDICATE_UNSPECIFIED
    await hall.says("ISTIMEWA")
    await hall.says("KURANG", "pusat", request_id="sekali")
    assert (await hall.spread()).organisation == shared.ORGANISATION_PREDICATE_KURANG
    await hall.says("SANGAT_KURANG", "u")
    await hall.says("BAIK", "u")
    await hall.says("ISTIMEWA")

    assert (await hall.spread()).organisation == shared.ORGANISATION_PREDICATE_BAIK
    above = await hall.spread("pusat")
    assert above.organisation == shared.ORGANISATION_PREDICATE_KURANG
    assert (await hall.says("KURANG", "pusat", request_id="sekali")).unit == "pusat"
    request = pb.ListOrganisationRatingsRequest(parent=hall.cycle, page_size=3)
    page = await hall.stub.ListOrganisationRatings(request, **hall.admin)
    assert [each.unit for each in page.ratings] == ["", "u", "u"]
    request.page_token = page.next_page_token
    page = await hall.stub.ListOrganisationRatings(request, **hall.admin)
    assert [(each.unit, each.set_by, each.reason) for each in page.ratings] == [
        ("pusat", "admin", "Nota 12"),
        ("", "admin", "Nota 12"),
    ]


async def test_a_unit_is_shown_against_its_guide(hall: Hall) -> None:
    await hall.says()

    shown = await hall.spread()

    assert (shown.group_size, shown.min_group_size) == (10, 10)
    assert shown.mode == shared.DISTRIBUTION_MODE_WARN
    counted = {each.predicate: each.count for each in shown.counts}
    assert (counted[BAIK], counted[values_pb2.PREDICATE_UNSPECIFIED]) == (7, 3)
    assert not shown.warnings
    await hall.rates("p7", "BAIK")
    (warning,) = (await hall.spread()).warnings
    assert (warning.count, warning.group_size, warning.allowed, warning.by) == (8, 10, 7, 1)
    assert warning.text.id == "Baik: 8 dari 10; pedoman paling banyak 70 % (7 orang), lebih 1"
    assert "8 of 10; the guide is at most 70 % (7 people), 1 too many" in warning.text.en


async def test_a_rater_sees_what_each_predicate_would_mean(hall: Hall) -> None:
    assert not (await hall.guide("p8")).options
    await hall.says()

    shown = await hall.guide("p8")

    assert shown.organisation == shared.ORGANISATION_PREDICATE_BAIK
    options = {each.predicate: each for each in shown.options}
    assert len(options) == 5
    eighth = options[BAIK]
    assert (eighth.would_be, eighth.blocked, len(eighth.warnings)) == (8, False, 1)
    assert "8th of 10" in eighth.text.en
    assert "ke-8 dari 10" in eighth.text.id
    assert not options[SANGAT_BAIK].warnings
    for who in (hall.desk.who("p8", "employee"), hall.desk.who("p8", "employee", "agency_admin")):
        assert (await refused(hall.guide("p8", who))).reason == "NOT_YOUR_TASK"
    stranger = hall.desk.who("lain", "employee")
    assert (await refused(hall.guide("p8", stranger))).reason == "NOT_A_PARTICIPANT"


async def test_off_is_a_real_off(desk: Desk, store: Store, projector: Projector) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("off")
    await hall.says()

    assert await hall.guide("p8") == pb.GetRatingGuideResponse()
    assert (await hall.spread()).mode == shared.DISTRIBUTION_MODE_OFF
    await hall.rates("p7", "BAIK")
    assert not (await hall.spread()).warnings
    assert (await refused(hall.opened())).reason == "NOT_ALLOWED_BY_POLICY"


async def test_a_policy_that_calibrates_before_delivery_has_sessions_without_a_guide(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("off", "calibration: {due: {days: 10, count: working}}")

    session = await hall.opened()

    assert session.distribution.mode == shared.DISTRIBUTION_MODE_OFF
    await hall.proposes(session, "p0")


async def test_a_session_from_its_opening_to_its_end(hall: Hall) -> None:
    await hall.says()
    session = await hall.opened(request_id="buka")
    assert await hall.opened(request_id="buka") == session
    again = await refused(hall.opened())
    assert (again.code, again.details["name"]) == (grpc.StatusCode.ALREADY_EXISTS, session.name)

    await hall.proposes(session, "p0")
    await hall.proposes(session, "p9", BAIK)
    await hall.decides(session, 1)
    shown = await hall.decides(session, 2, agreed=False)

    assert [calibrations_pb2.ProposalState.Name(each.state)[15:] for each in shown.proposals] == [
        "AGREED",
        "DECLINED",
    ]
    first = shown.proposals[0]
    assert (first.before, first.proposed, first.now) == (BAIK, SANGAT_BAIK, BAIK)
    assert (first.proposed_by, first.decided_by, first.decision) == ("admin", "admin", "Sepakat")
    assert (await refused(hall.decides(session, 1))).reason == "ALREADY_DONE"

    await hall.sent_back("p0")
    back = await hall.read(session)
    assert back.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_SENT_BACK
    assert (await refused(hall.closes(session))).reason == "WRONG_STAGE"
    assert (await refused(hall.proposes(session, "p0"))).reason == "ALREADY_DONE"

    await hall.rates("p0", "SANGAT_BAIK")
    rerated = (await hall.read(session)).proposals[0]
    assert rerated.state == calibrations_pb2.PROPOSAL_STATE_RERATED
    assert (rerated.now, rerated.receipt_kind) == (SANGAT_BAIK, 0)

    closed = await hall.closes(session)
    assert closed.state == calibrations_pb2.CALIBRATION_STATE_CLOSED
    assert (closed.closed_by, closed.closing) == ("admin", "Selesai")
    for late in (hall.proposes(session, "p1"), hall.decides(session, 1), hall.closes(session)):
        assert (await refused(late)).reason == "CALIBRATION_CLOSED"
    assert (await hall.opened()).name != session.name
    request = pb.ListCalibrationsRequest(parent=hall.cycle)
    listed = await hall.stub.ListCalibrations(request, **hall.admin)
    assert len(listed.calibrations) == 2
    assert listed.calibrations[1].name == session.name


async def test_who_leads_and_who_looks_on(hall: Hall) -> None:
    session = await hall.opened()
    chair, auditor = hall.desk.who("kepala", "employee"), hall.desk.who("a", "auditor")

    assert (await hall.read(session, auditor)).name == session.name
    await hall.proposes(session, "p0", by=chair)
    assert (await hall.read(session, chair)).proposals[0].proposed_by == "kepala"
    await hall.decides(session, 1, by=chair)
    stranger = hall.desk.who("budi", "employee")
    for call in (
        hall.read(session, stranger),
        hall.proposes(session, "p1", by=stranger),
        hall.decides(session, 1, by=auditor),
        hall.closes(session, stranger),
    ):
        assert (await refused(call)).reason == "NOT_A_PARTICIPANT"
    own = hall.desk.who("p2", "agency_admin")
    assert (await refused(hall.proposes(session, "p2", by=own))).reason == "SELF_DECISION"
    await hall.proposes(session, "p2")
    assert (await refused(hall.decides(session, 2, by=own))).reason == "SELF_DECISION"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"chair": "siapa"}, "chair"),
        ({"unit": "tiada"}, "unit"),
        ({"reason": ""}, "reason"),
    ],
)
async def test_what_cannot_be_opened_is_refused_by_its_field(
    hall: Hall, fields: dict[str, Any], field: str
) -> None:
    assert set((await refused(hall.opened(**fields))).fields) == {field}


async def test_what_cannot_be_proposed_is_refused_by_its_field(hall: Hall) -> None:
    session = await hall.opened()

    assert set((await refused(hall.proposes(session, "tiada"))).fields) == {"evaluation"}
    elsewhere = f"{hall.desk.parent}/cycles/2030/evaluations/p0.1"
    wrong = hall.proposes(session, "p0", evaluation=elsewhere)
    assert set((await refused(wrong)).fields) == {"evaluation"}
    assert set((await refused(hall.decides(session, 9))).fields) == {"number"}


async def test_where_the_policy_blocks_what_goes_beyond_the_guide_has_to_be_agreed_to(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("block")
    await hall.says()
    session = await hall.opened()
    options = {each.predicate: each for each in (await hall.guide("p8")).options}
    assert options[BAIK].blocked

    await hall.proposes(session, "p8", BAIK)
    await hall.decides(session, 1)
    options = {each.predicate: each for each in (await hall.guide("p8")).options}
    assert not options[BAIK].blocked
    await hall.rates("p8", "BAIK")
    await hall.rates("p9", "BAIK")
    assert (await refused(hall.closes(session))).reason == "DISTRIBUTION_EXCEEDED"
    await hall.proposes(session, "p9", SANGAT_BAIK)
    await hall.decides(session, 2)
    await hall.sent_back("p9")
    await hall.rates("p9", "SANGAT_BAIK")
    assert (await hall.closes(session)).state == calibrations_pb2.CALIBRATION_STATE_CLOSED


async def test_what_stands_beyond_a_guide_that_blocks_may_be_agreed_to_as_it_is(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("block")
    # Rated before anything was said of the organisation: nothing was held against a guide.
    await hall.rates("p7", "BAIK")
    await hall.says()
    session = await hall.opened()
    assert (await refused(hall.closes(session))).reason == "DISTRIBUTION_EXCEEDED"

    kept = await hall.proposes(session, "p7", BAIK)
    assert (kept.proposals[0].before, kept.proposals[0].proposed) == (BAIK, BAIK)
    assert (await refused(hall.closes(session))).reason == "WRONG_STAGE"
    agreed = await hall.decides(session, 1)

    assert agreed.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_AGREED
    assert (await hall.closes(session)).state == calibrations_pb2.CALIBRATION_STATE_CLOSED


PANEL = "calibration: {panel: {members: 3, quorum: 2}}"


async def test_a_panel_decides_by_so_many_equal_votes(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("warn", PANEL)
    kepala, p0, p1 = (desk.who(who, "employee") for who in ("kepala", "p0", "p1"))
    for members in ((), ("kepala", "budi"), ("kepala", "p0", "siapa")):
        assert set((await refused(hall.opened(members=members))).fields) == {"members"}
    session = await hall.opened(members=["kepala", "p0", "p1"])
    assert (list(session.members), session.quorum) == (["kepala", "p0", "p1"], 2)
    await hall.proposes(session, "p5", by=p0)

    first = await hall.decides(session, 1, by=kepala)
    assert first.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_PROPOSED
    await hall.decides(session, 1, agreed=False, by=p0)
    changed = await hall.decides(session, 1, agreed=False, by=kepala)

    decided = changed.proposals[0]
    assert decided.state == calibrations_pb2.PROPOSAL_STATE_DECLINED
    assert {each.member: each.agreed for each in decided.votes} == {"kepala": False, "p0": False}
    assert (await refused(hall.decides(session, 1, by=p1))).reason == "ALREADY_DONE"
    assert (await refused(hall.closes(session, by=p1))).reason == "NOT_A_PARTICIPANT"


async def test_nobody_votes_on_the_own_rating_received_or_given(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("warn", PANEL)
    kepala, p0, budi = (desk.who(who, "employee") for who in ("kepala", "p0", "budi"))
    session = await hall.opened(members=["kepala", "p0", "budi"])
    # Of three who might, one alone is left: neither whom it is about nor who rated.
    await hall.proposes(session, "p0")

    assert (await refused(hall.decides(session, 1, by=p0))).reason == "SELF_DECISION"
    assert (await refused(hall.decides(session, 1, by=budi))).reason == "SEPARATION_OF_DUTIES"
    assert (await refused(hall.decides(session, 1))).reason == "NOT_YOUR_TASK"
    decided = await hall.decides(session, 1, by=kepala)
    assert decided.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_AGREED


async def test_members_are_for_a_policy_that_has_a_panel(hall: Hall) -> None:
    answer = await refused(hall.opened(members=["kepala"]))

    assert answer.reason == "NOT_ALLOWED_BY_POLICY"
