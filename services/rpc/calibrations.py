"""CalibrationService: how a unit's ratings are spread, and the session that looks at it."""

import secrets
from collections.abc import Sequence
from typing import Any

from temporalio.client import Client

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import calibration_votes, distribution, evaluations, roster
from siklus.activities.store.queries import calibrations as queries
from siklus.activities.store.queries.calibrations import CalibrationRow, Place
from siklus.activities.store.queries.cycles import CycleRow
from siklus.services import operating
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import calibration_release as release
from siklus.services.rpc import calibration_views as shown
from siklus.services.rpc import distribution_views as spread
from siklus.services.rpc.calibration_checks import found, must_have_part, must_have_room
from siklus.services.rpc.calibration_panel import decided, must_be_members
from siklus.services.rpc.commanding import Commanding, servicer
from siklus.services.rpc.cycle_rows import cycle_of, must_be_a_unit
from siklus.services.rpc.cycle_rows import found as found_cycle
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.names import calibration_id, calibration_name, evaluation_key, operation_id
from siklus.services.rpc.paging import NEWEST, Page, instant_or_never, number, text
from siklus.services.rpc.reading import read
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import calibration_service_pb2 as pb
from siklus.v1 import calibration_service_pb2_grpc, calibrations_pb2, distribution_pb2, values_pb2
from siklus.workflows.domain import calibration as rules
from siklus.workflows.domain.calibration import Proposal
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.policy import CalibrationRule
from siklus.workflows.domain.scheme.distribution import Mode
from siklus.workflows.domain.scheme.standing import breaches
from siklus.workflows.domain.values import AgencyId, PersonId, Role


class Calibrations(Commanding, calibration_service_pb2_grpc.CalibrationServiceServicer):
    """Keeps what is said in sessions; a rating is sent back by a command like those of the year."""

    def __init__(
        self, store: Store, archive: Archive, engine: Engine, clock: Clock, client: Client
    ) -> None:
        super().__init__(store, engine, clock)
        self.archive = archive
        self.client = client

    async def SetOrganisationRating(  # noqa: N802
        self, request: pb.SetOrganisationRatingRequest, context: Context
    ) -> pb.SetOrganisationRatingResponse:
        """Write down what an organisation was rated."""
        caller, person = admit_person("SetOrganisationRating")

        async def make(connection: Connection) -> pb.SetOrganisationRatingResponse:
            agency = caller.agency
            cycle = await found_cycle(connection, agency, request.parent)
            if request.unit:
                await must_be_a_unit(connection, agency, request.unit)
            await queries.lock(connection, agency, cycle.cycle)
            name = distribution_pb2.OrganisationPredicate.Name(request.predicate)
            row = await queries.say(
                connection,
                agency,
                cycle.cycle,
                request.unit,
                name.removeprefix("ORGANISATION_PREDICATE_"),
                reason=request.reason,
                by=person,
                at=self.clock.now(),
            )
            return pb.SetOrganisationRatingResponse(rating=shown.rating(row))

        return await self.once(caller, request, pb.SetOrganisationRatingResponse, make)

    async def ListOrganisationRatings(  # noqa: N802
        self, request: pb.ListOrganisationRatingsRequest, context: Context
    ) -> pb.ListOrganisationRatingsResponse:
        """List what was said of organisations, the newest first."""
        caller = admit("ListOrganisationRatings")
        page = Page.asked(request, caller, (number,))
        (before,) = page.after or (NEWEST,)
        async with self.store.agency(caller.agency) as connection:
            cycle = await found_cycle(connection, caller.agency, request.parent)
            rows = await queries.said(
                connection, caller.agency, cycle.cycle, before=int(before), limit=page.limit
            )
        kept, token = page.cut(rows, lambda row: (row.number,))
        return pb.ListOrganisationRatingsResponse(
            ratings=map(shown.rating, kept), next_page_token=token
        )

    async def GetDistribution(  # noqa: N802
        self, request: pb.GetDistributionRequest, context: Context
    ) -> pb.GetDistributionResponse:
        """Read how a unit is rated."""
        agency = admit("GetDistribution").agency
        async with self.store.agency(agency) as connection:
            cycle = await found_cycle(connection, agency, request.parent)
            await must_be_a_unit(connection, agency, request.unit)
            answer = await self._spread(connection, agency, cycle, request.unit)
        return pb.GetDistributionResponse(distribution=answer)

    async def GetRatingGuide(  # noqa: N802
        self, request: pb.GetRatingGuideRequest, context: Context
    ) -> pb.GetRatingGuideResponse:
        """Tell what each predicate would mean for the group."""
        caller = admit("GetRatingGuide")
        key = evaluation_key(request.name)
        await read(self.store, caller, key, self.clock)
        if caller.person == key.person:
            message = "what others are rated is for whoever rates, not for the employee"
            raise Refusal(Reason.NOT_YOUR_TASK, message)
        async with self.store.agency(key.agency) as connection:
            group = await self.guides.group(connection, key)
        if group is None:
            return pb.GetRatingGuideResponse()
        return pb.GetRatingGuideResponse(
            mode=spread.mode(group.mode),
            organisation=spread.organisation_code(group.organisation),
            group_size=group.size,
            options=spread.options(group),
        )

    async def OpenCalibration(  # noqa: N802
        self, request: pb.OpenCalibrationRequest, context: Context
    ) -> pb.OpenCalibrationResponse:
        """Open a session for a unit."""
        caller, person = admit_person("OpenCalibration")

        async def make(connection: Connection) -> pb.OpenCalibrationResponse:
            agency = caller.agency
            cycle = await found_cycle(connection, agency, request.parent)
            await must_be_a_unit(connection, agency, request.unit)
            rule = await self._calibration(connection, agency, cycle)
            panel = rule.panel if rule is not None else None
            members = [PersonId(member) for member in request.members]
            await must_be_members(connection, agency, panel, members)
            chair = await roster.person(connection, agency, PersonId(request.chair))
            if chair is None or not chair.active:
                raise invalid("chair", "is nobody who works in the agency now")
            row = CalibrationRow(
                calibration=f"k-{secrets.token_hex(8)}",
                cycle=cycle.cycle,
                unit=request.unit,
                chair=PersonId(request.chair),
                state=queries.OPEN,
                reason=request.reason,
                opened_by=person,
                opened_at=self.clock.now(),
                members=members,
                quorum=panel.quorum if panel is not None else 0,
            )
            await queries.lock(connection, agency, cycle.cycle)
            if not await queries.add(connection, agency, row):
                known = await queries.open_of(connection, agency, cycle.cycle, request.unit)
                raise ServiceRefusal(
                    ServiceReason.ALREADY_EXISTS,
                    "a calibration of this unit is open; close it first",
                    details={"name": calibration_name(agency, cycle.cycle, known or "")},
                )
            whole = await self._whole(connection, caller, row)
            return pb.OpenCalibrationResponse(calibration=whole)

        return await self.once(caller, request, pb.OpenCalibrationResponse, make)

    async def GetCalibration(  # noqa: N802
        self, request: pb.GetCalibrationRequest, context: Context
    ) -> pb.GetCalibrationResponse:
        """Read a session, and how each rating stands by now."""
        caller = admit("GetCalibration")
        async with self.store.agency(caller.agency) as connection:
            row = await found(connection, caller.agency, request.name)
            must_have_part(caller, row, Role.AGENCY_ADMIN, Role.AUDITOR)
            whole = await self._whole(connection, caller, row)
        return pb.GetCalibrationResponse(calibration=whole)

    async def ListCalibrations(  # noqa: N802
        self, request: pb.ListCalibrationsRequest, context: Context
    ) -> pb.ListCalibrationsResponse:
        """List sessions, the newest first."""
        caller = admit("ListCalibrations")
        page = Page.asked(request, caller, (instant_or_never, text))
        after = Place(str(page.after[0]), str(page.after[1])) if page.after else queries.FIRST
        async with self.store.agency(caller.agency) as connection:
            cycle = await found_cycle(connection, caller.agency, request.parent)
            rows = await queries.page(
                connection, caller.agency, cycle.cycle, after=after, limit=page.limit
            )
        kept, token = page.cut(rows, lambda row: (row.opened_at.isoformat(), row.calibration))
        return pb.ListCalibrationsResponse(
            calibrations=[shown.calibration(caller, row) for row in kept],
            next_page_token=token,
        )

    async def ProposeRating(  # noqa: N802
        self, request: pb.ProposeRatingRequest, context: Context
    ) -> pb.ProposeRatingResponse:
        """Propose another predicate."""
        caller, person = admit_person("ProposeRating")
        key = evaluation_key(request.evaluation)
        asked = values_pb2.Predicate.Name(request.predicate).removeprefix("PREDICATE_")

        async def make(connection: Connection) -> pb.ProposeRatingResponse:
            agency = caller.agency
            row = await self._open(connection, caller, request.name)
            rules.must_not_be_own(key.person, person)
            standing = await evaluations.get(connection, key) if key.agency == agency else None
            if standing is None or (standing.cycle, standing.unit) != (row.cycle, row.unit):
                raise invalid("evaluation", "is none of this calibration's unit and cycle")
            proposals = await queries.proposals(connection, agency, row.calibration)
            must_have_room(proposals)
            rules.must_be_new([each.known for each in proposals], key.person, key.segment)
            before = await distribution.predicate(connection, key)
            await queries.propose(
                connection,
                key,
                row.calibration,
                before=before,
                revision=standing.revision,
                proposed=asked,
                reason=request.reason,
                by=person,
                at=self.clock.now(),
            )
            whole = await self._whole(connection, caller, row)
            return pb.ProposeRatingResponse(calibration=whole)

        return await self.once(caller, request, pb.ProposeRatingResponse, make)

    async def DecideProposal(  # noqa: N802
        self, request: pb.DecideProposalRequest, context: Context
    ) -> pb.DecideProposalResponse:
        """Agree to a proposal, or decline it; as one vote where a panel decides."""
        caller, person = admit_person("DecideProposal")

        async def make(connection: Connection) -> pb.DecideProposalResponse:
            agency = caller.agency
            row = await self._open(connection, caller, request.name)
            proposals = await queries.proposals(connection, agency, row.calibration)
            proposal = next((each for each in proposals if each.number == request.number), None)
            if proposal is None:
                raise invalid("number", "there is no such proposal")
            rules.must_wait(proposal.known)
            at = self.clock.now()
            agreed = await decided(connection, self.archive, caller, row, proposal, request, at)
            if agreed is not None:
                await queries.decide(
                    connection,
                    agency,
                    row.calibration,
                    proposal.number,
                    agreed=agreed,
                    by=person,
                    at=at,
                    said=request.reason,
                )
            whole = await self._whole(connection, caller, row)
            return pb.DecideProposalResponse(calibration=whole)

        return await self.once(caller, request, pb.DecideProposalResponse, make)

    async def CloseCalibration(  # noqa: N802
        self, request: pb.CloseCalibrationRequest, context: Context
    ) -> pb.CloseCalibrationResponse:
        """End a session in which nothing waits, and have released what waits to be delivered."""
        caller, person = admit_person("CloseCalibration")

        async def make(connection: Connection) -> pb.CloseCalibrationResponse:
            agency = caller.agency
            row = await self._open(connection, caller, request.name, members=False)
            cycle = await cycle_of(connection, agency, row.cycle)
            rows = await queries.proposals(connection, agency, row.calibration)
            proposals = [each.known for each in rows]
            rules.must_be_settled(proposals)
            await self._must_be_kept(connection, agency, cycle, row, proposals)
            at, said = self.clock.now(), request.closing
            operation = None
            if await self._calibration(connection, agency, cycle) is not None:
                operation = await release.enter(connection, agency, row, said=said, at=at)
            await queries.close(
                connection,
                agency,
                row.calibration,
                by=person,
                at=at,
                said=said,
                operation=operation,
            )
            closed = await found(connection, agency, request.name)
            whole = await self._whole(connection, caller, closed)
            return pb.CloseCalibrationResponse(calibration=whole)

        answer = await self.once(caller, request, pb.CloseCalibrationResponse, make)
        if answer.calibration.operation:
            # Also when it is sent again: an engine that was away then has not been told.
            operation = operation_id(answer.calibration.operation)
            await operating.begin(self.client, caller.agency, operation)
        return answer

    async def _open(
        self, connection: Connection, caller: Caller, name: str, *, members: bool = True
    ) -> CalibrationRow:
        """Return an open session, held until the transaction ends, if the caller has part in it."""
        cycle, _ = calibration_id(name)
        await queries.lock(connection, caller.agency, cycle)
        row = await found(connection, caller.agency, name)
        must_have_part(caller, row, Role.AGENCY_ADMIN, members=members)
        if row.state != queries.OPEN:
            message = "the calibration is closed; open another one"
            raise Refusal(Reason.CALIBRATION_CLOSED, message, details={"name": name})
        return row

    async def _whole(
        self, connection: Connection, caller: Caller, row: CalibrationRow
    ) -> calibrations_pb2.Calibration:
        agency = caller.agency
        cycle = await cycle_of(connection, agency, row.cycle)
        return shown.calibration(
            caller,
            row,
            spread=await self._spread(connection, agency, cycle, row.unit),
            proposals=await queries.proposals(connection, agency, row.calibration),
            votes=await calibration_votes.votes(connection, agency, row.calibration),
        )

    async def _spread(
        self, connection: Connection, agency: AgencyId, cycle: CycleRow, unit: str
    ) -> calibrations_pb2.Distribution:
        rule = await self.guides.of(connection, agency, cycle.policy, cycle.policy_version)
        organisation = await distribution.organisation(connection, agency, cycle.cycle, unit)
        held, unrated = await distribution.counts(connection, agency, cycle.cycle, unit)
        return spread.distribution(unit, rule, organisation, held, unrated)

    async def _calibration(
        self, connection: Connection, agency: AgencyId, cycle: CycleRow
    ) -> CalibrationRule | None:
        """Return the stage before delivery, None where the policy has none.

        Refuses where it switches the distribution off as well: there is nothing to look at.
        """
        rules = await self.guides.rules(connection, agency, cycle.policy, cycle.policy_version)
        off = rules.distribution is not None and rules.distribution.mode is Mode.OFF
        if off and rules.calibration is None:
            message = "the policy of this cycle switches the distribution off"
            raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, message)
        return rules.calibration

    async def _must_be_kept(
        self,
        connection: Connection,
        agency: AgencyId,
        cycle: CycleRow,
        row: CalibrationRow,
        proposals: Sequence[Proposal],
    ) -> None:
        """Refuse where the policy blocks and more than was agreed to lies above a guide."""
        rule = await self.guides.of(connection, agency, cycle.policy, cycle.policy_version)
        if rule is None or rule.mode is not Mode.BLOCK:
            return
        organisation = await distribution.organisation(connection, agency, row.cycle, row.unit)
        held, unrated = await distribution.counts(connection, agency, row.cycle, row.unit)
        guides = spread.guides(rule, organisation, sum(held.values()) + unrated)
        rules.must_be_kept(breaches(guides, held, unrated=unrated), proposals)


CalibrationServicer: Any = servicer("CalibrationServicer", Calibrations, "CalibrationService")
"""Calibrations with the command that sends a rating back."""
