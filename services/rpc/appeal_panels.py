"""AppealPanelService: who decides appeals together, for a cycle, a unit, or one appeal."""

from typing import Any

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import panels as queries
from siklus.activities.store.queries import policies
from siklus.activities.store.queries.cycles import CycleRow
from siklus.activities.store.queries.panels import PanelRow
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import views
from siklus.services.rpc.commanding import Commanding, servicer
from siklus.services.rpc.cycle_rows import found as found_cycle
from siklus.services.rpc.cycle_rows import must_be_a_unit
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.paging import NEWEST, Page, number
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import appeal_panel_service_pb2 as pb
from siklus.v1 import appeal_panel_service_pb2_grpc, panels_pb2
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.panel import must_be_as_many, must_work_there
from siklus.workflows.domain.policy import Panel
from siklus.workflows.domain.values import AgencyId, PersonId


class AppealPanels(Commanding, appeal_panel_service_pb2_grpc.AppealPanelServiceServicer):
    """Keeps who is appointed; one appeal's own panel is seated by a command."""

    async def AppointAppealPanel(  # noqa: N802
        self, request: pb.AppointAppealPanelRequest, context: Context
    ) -> pb.AppointAppealPanelResponse:
        """Write down who decides the appeals of a unit."""
        caller, person = admit_person("AppointAppealPanel")

        async def make(connection: Connection) -> pb.AppointAppealPanelResponse:
            agency = caller.agency
            cycle = await found_cycle(connection, agency, request.parent)
            if request.unit:
                await must_be_a_unit(connection, agency, request.unit)
            members = [PersonId(member) for member in request.members]
            must_be_as_many(await _rule(connection, agency, cycle), members)
            must_work_there(members, await queries.active(connection, agency, members))
            row = await queries.appoint(
                connection,
                agency,
                cycle.cycle,
                request.unit,
                members,
                reason=request.reason,
                by=person,
                at=self.clock.now(),
            )
            return pb.AppointAppealPanelResponse(panel=_shown(row))

        return await self.once(caller, request, pb.AppointAppealPanelResponse, make)

    async def GetAppealPanel(  # noqa: N802
        self, request: pb.GetAppealPanelRequest, context: Context
    ) -> pb.GetAppealPanelResponse:
        """Read the panel that counts for a unit."""
        agency = admit("GetAppealPanel").agency
        async with self.store.agency(agency) as connection:
            cycle = await found_cycle(connection, agency, request.parent)
            if request.unit:
                await must_be_a_unit(connection, agency, request.unit)
            row = await queries.nearest(connection, agency, cycle.cycle, request.unit)
        if row is None:
            message = "no panel is appointed there; appoint one, or seat each appeal's own"
            details = {"name": request.parent}
            raise ServiceRefusal(ServiceReason.NOT_FOUND, message, details=details)
        return pb.GetAppealPanelResponse(panel=_shown(row))

    async def ListAppealPanels(  # noqa: N802
        self, request: pb.ListAppealPanelsRequest, context: Context
    ) -> pb.ListAppealPanelsResponse:
        """List appointments, the newest first."""
        caller = admit("ListAppealPanels")
        page = Page.asked(request, caller, (number,))
        (before,) = page.after or (NEWEST,)
        async with self.store.agency(caller.agency) as connection:
            cycle = await found_cycle(connection, caller.agency, request.parent)
            rows = await queries.page(
                connection, caller.agency, cycle.cycle, before=int(before), limit=page.limit
            )
        kept, token = page.cut(rows, lambda row: (row.number,))
        return pb.ListAppealPanelsResponse(panels=map(_shown, kept), next_page_token=token)


async def _rule(connection: Connection, agency: AgencyId, cycle: CycleRow) -> Panel:
    """Return the panel that the cycle's policy asks for; refuses one where it asks for none."""
    rules = await policies.compiled(connection, agency, cycle.policy, cycle.policy_version)
    if rules.appeal.panel is None:
        decided_by = rules.appeal.decided_by
        message = f"by the policy of this cycle no panel decides appeals, but the {decided_by}"
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, message)
    return rules.appeal.panel


def _shown(row: PanelRow) -> panels_pb2.AppointedPanel:
    return panels_pb2.AppointedPanel(
        unit=row.unit,
        members=row.members,
        reason=row.reason,
        appointed_by=row.appointed_by,
        appointed_at=views.to_timestamp(row.appointed_at),
    )


AppealPanelServicer: Any = servicer("AppealPanelServicer", AppealPanels, "AppealPanelService")
"""Panels with the command that seats one appeal's own."""
