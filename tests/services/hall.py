"""An agency whose unit is rated and calibrated, as the tests of calibrations ask about it."""

from datetime import UTC, datetime
from typing import Any

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import days
from siklus.v1 import calibration_service_pb2 as pb
from siklus.v1 import calibration_service_pb2_grpc, calibrations_pb2, values_pb2
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import distribution_pb2 as shared
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.values import AgencyId, Level, Role
from siklus.workflows.packs import source_of
from tests.domain.story import make_calendar, make_policy
from tests.services.desk import NIPS, Desk, person, unit
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
        agency, calendar = AgencyId(self.desk.agency), make_calendar()
        async with self.store.agency(agency) as connection:
            await days.keep_calendar(connection, agency, digest_of(calendar), calendar)
        for number in range(10):
            await self.opens(f"p{number}")
        for number in range(7):
            await self.rates(f"p{number}", "BAIK")

    async def opens(self, who: str, **rules: Any) -> None:
        agency = AgencyId(self.desk.agency)
        case = Case(agency, who, from_rating=True, opened_at=AFTER, policy=make_policy(**rules))
        self.cases[who] = case
        await self.projector.project(case.taken())

    async def rates(self, who: str, predicate: str) -> None:
        results, behaviour = LEVELS[predicate]
        case = self.cases[who].does("budi", c.Rate(results=results, behaviour=behaviour))
        await self.projector.project(case.taken())

    async def released(self, who: str) -> None:
        command = c.ReleaseRating(prose={"reason": "Sesuai unit lain"})
        case = self.cases[who].does("admin", command, Role.AGENCY_ADMIN)
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
