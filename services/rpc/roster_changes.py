"""RosterChangeService: changes of the roster that take effect on a day, and the agency's check."""

import secrets
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from siklus.activities import roster_changing, upkeep
from siklus.activities.schedules import ensure_schedules
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import change_effects, roster
from siklus.activities.store.queries import changes as queries
from siklus.activities.store.queries.changes import ChangeRow
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import roster_change_views as shown
from siklus.services.rpc.checking import CheckMethods
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.names import change_id, change_name
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Key, Page, number, text
from siklus.services.rpc.roster_change_preview import Preview, hint
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import roster_change_service_pb2_grpc
from siklus.v1 import roster_changes_pb2 as pb
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.roster_changes import (
    Change,
    ChangeState,
    as_recorded,
    command_for,
    must_be_dated,
    must_fit,
)
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports.people import ChangeRef

MOST: Final = 50
"""Changes that are planned for one person."""
USUAL_ZONE: Final = "Asia/Jakarta"
"""Of somebody whose unit is not known."""

log = structlog.get_logger(__name__)


class RosterChanges(CheckMethods, roster_change_service_pb2_grpc.RosterChangeServiceServicer):
    """Records changes and lets those whose day has come be applied."""

    def __init__(self, store: Store, client: Client, archive: Archive, clock: Clock) -> None:
        self._store = store
        self._client = client
        self._archive = archive
        self._clock = clock

    async def RecordRosterChange(  # noqa: N802
        self, request: pb.RecordRosterChangeRequest, context: Context
    ) -> pb.RecordRosterChangeResponse:
        """Record a change, and put it into the roster if its day has come."""
        caller, _ = admit_person("RecordRosterChange")
        change, agency = shown.asked(request), caller.agency
        if request.validate_only:
            async with self._store.agency(agency) as connection:
                row = await self._judged(connection, agency, change, request, caller.subject)
                evaluations = await _touched(connection, agency, row.says)
            preview = Preview(self._store, self._archive, caller, self._clock.now())
            return pb.RecordRosterChangeResponse(
                change=shown.change(agency, row),
                evaluations=evaluations,
                effects=await preview.effects(row.says, request.reason),
                hint=hint(change),
            )

        async def make() -> pb.RecordRosterChangeResponse:
            await roster.lock(connection, agency)
            row = await self._judged(connection, agency, change, request, caller.subject)
            evaluations = await _touched(connection, agency, row.says)
            row = await self._record(connection, agency, row)
            return pb.RecordRosterChangeResponse(
                change=shown.change(agency, row), evaluations=evaluations
            )

        async with self._store.agency(agency) as connection:
            once = Request(caller, request, self._clock)
            answer = await once.once(connection, pb.RecordRosterChangeResponse, make)
        await self._begin(agency, answer.change)
        return answer

    async def _judged(
        self,
        connection: Connection,
        agency: AgencyId,
        change: Change,
        request: pb.RecordRosterChangeRequest,
        by: str,
    ) -> ChangeRow:
        """Return the change as it would be recorded; raises Refusal where it does not fit."""
        known = await roster_changing.known_round(connection, agency, change)
        today = await self._today(connection, agency, known.person.unit if known.person else "")
        must_be_dated(change.effective_on, today)
        must_fit(change, known)
        planned = await queries.planned(connection, agency, change.person)
        if len(planned) >= MOST:
            raise ServiceRefusal(
                ServiceReason.LIMIT_REACHED,
                f"at most {MOST} changes are planned for one person; withdraw one first",
                details={"limit": str(MOST)},
            )
        return ChangeRow(
            change=f"c-{secrets.token_hex(10)}",
            person=change.person,
            effective_on=change.effective_on,
            facts=as_recorded(change, known).facts.model_dump_json(),
            reason=request.reason,
            state=ChangeState.PLANNED,
            created_at=self._clock.now(),
            created_by=by,
        )

    async def _record(self, connection: Connection, agency: AgencyId, row: ChangeRow) -> ChangeRow:
        await queries.add(
            connection,
            agency,
            row.change,
            row.says,
            reason=row.reason,
            at=row.created_at,
            by=row.created_by,
        )
        due = await queries.due(connection, agency, self._clock.now())
        if row.change in due:
            await roster_changing.apply(connection, agency, row, at=self._clock.now())
        return await _found(connection, agency, row.change)

    async def _begin(self, agency: AgencyId, change: pb.RosterChange) -> None:
        """Let the evaluations follow now, or the upkeep see to it later."""
        try:
            async with self._store.agency(agency) as connection:
                zones = await roster.zones(connection, agency)
            await ensure_schedules(self._client, agency, zones)
            if change.state == pb.ROSTER_CHANGE_STATE_APPLYING:
                reference = ChangeRef(agency=agency, change=change_id(change.name))
                await upkeep.begin(self._client, reference)
        except (RPCError, RuntimeError) as error:
            # A client that cannot even connect says so by a bare RuntimeError.
            log.warning("change_not_begun", error=type(error).__name__)

    async def _today(self, connection: Connection, agency: AgencyId, unit: str) -> date:
        zones = {each.code: each.zone for each in await roster.units(connection, agency)}
        return self._clock.now().astimezone(ZoneInfo(zones.get(unit, USUAL_ZONE))).date()

    async def GetRosterChange(  # noqa: N802
        self, request: pb.GetRosterChangeRequest, context: Context
    ) -> pb.GetRosterChangeResponse:
        """Read one change and what it did to evaluations."""
        caller = admit("GetRosterChange")
        page = Page.asked(request, caller, (text, text, number))
        async with self._store.agency(caller.agency) as connection:
            row = await _found(connection, caller.agency, change_id(request.name))
            counted = await change_effects.counts(connection, caller.agency, row.change)
            found = await change_effects.page(
                connection, caller.agency, row.change, after=_effect(page.after), limit=page.limit
            )
        effects, token = page.cut(found, lambda each: (each.cycle, each.person, each.segment))
        return pb.GetRosterChangeResponse(
            change=shown.change(caller.agency, row),
            counts=shown.counts(counted),
            effects=[shown.effect(caller.agency, each) for each in effects],
            next_page_token=token,
        )

    async def ListRosterChanges(  # noqa: N802
        self, request: pb.ListRosterChangesRequest, context: Context
    ) -> pb.ListRosterChangesResponse:
        """List changes, those that take effect last first."""
        caller = admit("ListRosterChanges")
        page = Page.asked(request, caller, (shown.is_day, text))
        wanted = pb.RosterChangeState.Name(request.state).removeprefix("ROSTER_CHANGE_STATE_")
        async with self._store.agency(caller.agency) as connection:
            found = await queries.page(
                connection,
                caller.agency,
                person=request.person or None,
                state=wanted if request.state else None,
                after=_place(page.after),
                limit=page.limit,
            )
        listed, token = page.cut(found, lambda row: (row.effective_on.isoformat(), row.change))
        return pb.ListRosterChangesResponse(
            changes=[shown.change(caller.agency, each) for each in listed], next_page_token=token
        )

    async def WithdrawRosterChange(  # noqa: N802
        self, request: pb.WithdrawRosterChangeRequest, context: Context
    ) -> pb.WithdrawRosterChangeResponse:
        """Withdraw a change whose day has not come."""
        caller, _ = admit_person("WithdrawRosterChange")
        agency = caller.agency

        async def withdraw() -> pb.WithdrawRosterChangeResponse:
            row = await _found(connection, agency, change_id(request.name))
            withdrawn, of = ChangeState.WITHDRAWN, (ChangeState.PLANNED,)
            if not await queries.mark(connection, agency, row.change, withdrawn, of=of):
                raise _not_planned(row)
            row = await _found(connection, agency, row.change)
            return pb.WithdrawRosterChangeResponse(change=shown.change(agency, row))

        async with self._store.agency(agency) as connection:
            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.WithdrawRosterChangeResponse, withdraw)


async def _touched(connection: Connection, agency: AgencyId, change: Change) -> int:
    if command_for(change, own=True, reason="") is None:
        return 0
    held = command_for(change, own=False, reason="") is not None
    return await change_effects.count_touched(connection, agency, change.person, held=held)


async def _found(connection: Connection, agency: AgencyId, change: str) -> ChangeRow:
    row = await queries.get(connection, agency, change)
    if row is None:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND,
            "there is no such change",
            details={"name": change_name(agency, change)},
        )
    return row


def _not_planned(row: ChangeRow) -> Refusal:
    message = f"the change is {row.state.lower()}; only what is planned can be withdrawn"
    return Refusal(Reason.ALREADY_DONE, message, details={"state": row.state.value})


def _place(key: Key | None) -> queries.Place:
    if key is None:
        return queries.FIRST
    effective_on, change = key
    return queries.Place(date.fromisoformat(str(effective_on)), str(change))


def _effect(key: Key | None) -> tuple[str, str, int]:
    if key is None:
        return change_effects.NOWHERE
    cycle, person, segment = key
    return str(cycle), str(person), int(str(segment))
