"""Mandates of the roster: who uses whose say, entered and ended by the agency's team."""

import secrets
from datetime import date
from typing import Any, Final

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import mandates as queries
from siklus.activities.store.queries import roster, tasks
from siklus.activities.store.queries.mandates import MandateRow
from siklus.activities.store.queries.standing_in import Lent
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import views
from siklus.services.rpc.gate import admit
from siklus.services.rpc.names import mandate_id, mandate_name
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Key, Page, text
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.standing_in import days_in
from siklus.v1 import mandates_pb2 as pb
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.mandates import (
    MandateKind,
    last_day,
    must_fit_the_others,
    must_hold_by_itself,
    must_name_people,
)
from siklus.workflows.domain.standing_in import Chain
from siklus.workflows.domain.values import AgencyId, PersonId

MOST: Final = 50
"""Mandates of one delegate that hold or are to come."""


def _day(part: object) -> bool:
    """Tell whether a part of a page token is a date."""
    try:
        return isinstance(part, str) and bool(date.fromisoformat(part)) and len(part) == 10
    except ValueError:
        return False


class MandateMethods:
    """The methods of RosterService that speak of mandates."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def CreateMandate(  # noqa: N802
        self, request: pb.CreateMandateRequest, context: Context
    ) -> pb.CreateMandateResponse:
        """Enter a mandate, unless it could not be one."""
        caller = admit("CreateMandate")

        async def make() -> pb.CreateMandateResponse:
            row = await self._new(connection, caller, request)
            await queries.add(connection, caller.agency, row)
            return pb.CreateMandateResponse(mandate=_shown(caller.agency, row))

        async with self._store.agency(caller.agency) as connection:
            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.CreateMandateResponse, make)

    async def _new(
        self, connection: Connection, caller: Caller, request: pb.CreateMandateRequest
    ) -> MandateRow:
        agency = caller.agency
        row = MandateRow(
            mandate=f"m-{secrets.token_hex(10)}",
            principal=PersonId(request.principal),
            delegate=PersonId(request.delegate),
            kind=MandateKind(pb.MandateKind.Name(request.kind).removeprefix("MANDATE_KIND_")),
            letter=_letter(request.letter),
            from_on=_date("from_on", request.from_on),
            to_on=_date("to_on", request.to_on),
            last_on=_date("to_on", request.to_on),
            scope=list(request.scope),
            created_at=self._clock.now(),
            created_by=caller.subject,
        )
        new = row.relied_on
        today = await self._today(connection, agency)
        must_hold_by_itself(new, today=today, by=caller.person)
        named = [
            await roster.person(connection, agency, who) for who in (row.principal, row.delegate)
        ]
        must_name_people(new, {each.person: each.active for each in named if each is not None})
        await queries.lock(connection, agency)
        if await queries.count(connection, agency, row.delegate, today) >= MOST:
            raise ServiceRefusal(
                ServiceReason.LIMIT_REACHED,
                f"a delegate has at most {MOST} mandates; end one first",
                details={"limit": str(MOST)},
            )
        days = (new.from_on, new.to_on)
        above = await queries.leading_up(connection, agency, row.principal, *days)
        below = await queries.leading_down(connection, agency, row.delegate, *days)
        must_fit_the_others(new, {each.id: each for each in (*above, *below)}.values())
        return row

    async def GetMandate(  # noqa: N802
        self, request: pb.GetMandateRequest, context: Context
    ) -> pb.GetMandateResponse:
        """Read one mandate."""
        caller = admit("GetMandate")
        async with self._store.agency(caller.agency) as connection:
            row = await _found(connection, caller.agency, request.name)
        admit("GetMandate", about=_own(caller, row.principal, row.delegate))
        return pb.GetMandateResponse(mandate=_shown(caller.agency, row))

    async def ListMandates(  # noqa: N802
        self, request: pb.ListMandatesRequest, context: Context
    ) -> pb.ListMandatesResponse:
        """List mandates, those that begin last first."""
        caller = admit("ListMandates")
        caller = admit("ListMandates", about=_own(caller, request.principal, request.delegate))
        page = Page.asked(request, caller, (_day, text))
        async with self._store.agency(caller.agency) as connection:
            found = await queries.page(
                connection,
                caller.agency,
                principal=request.principal or None,
                delegate=request.delegate or None,
                on=_date("active_on", request.active_on) if request.active_on else None,
                after=_place(page.after),
                limit=page.limit,
            )
        shown, token = page.cut(found, lambda row: (row.from_on.isoformat(), row.mandate))
        listed = [_shown(caller.agency, row) for row in shown]
        return pb.ListMandatesResponse(mandates=listed, next_page_token=token)

    async def EndMandate(  # noqa: N802
        self, request: pb.EndMandateRequest, context: Context
    ) -> pb.EndMandateResponse:
        """End a mandate early, or tell what that would mean."""
        caller = admit("EndMandate")

        async def end() -> pb.EndMandateResponse:
            return await self._end(connection, caller, request)

        async with self._store.agency(caller.agency) as connection:
            if request.validate_only:
                return await end()
            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.EndMandateResponse, end)

    async def _end(
        self, connection: Connection, caller: Caller, request: pb.EndMandateRequest
    ) -> pb.EndMandateResponse:
        agency = caller.agency
        if not request.validate_only:
            await queries.lock(connection, agency)
        row = await _found(connection, agency, request.name)
        today = await self._today(connection, agency)
        ends_on = _date("ends_on", request.ends_on)
        last_on = last_day(row.relied_on, ends_on=ends_on, today=today)
        waiting = await self._waiting(connection, agency, row)
        if not request.validate_only:
            await queries.end(
                connection,
                agency,
                row.mandate,
                last_on=last_on,
                at=self._clock.now(),
                by=caller.subject,
                reason=request.reason,
            )
            row = await _found(connection, agency, request.name)
        shown = _shown(agency, row)
        shown.last_on = last_on.isoformat()
        return pb.EndMandateResponse(mandate=shown, waiting=waiting)

    async def _waiting(self, connection: Connection, agency: AgencyId, row: MandateRow) -> int:
        now = self._clock.now()
        chain = Chain(links=(row.relied_on,))
        lent = Lent((chain,), now, await days_in(connection, agency, now))
        counted = await tasks.counts(connection, agency, (), lent=lent, as_of=now)
        return sum(each.count for each in counted)

    async def _today(self, connection: Connection, agency: AgencyId) -> date:
        """Return the day that it still is somewhere in the agency."""
        return min(await days_in(connection, agency, self._clock.now()))


async def _found(connection: Connection, agency: AgencyId, name: str) -> MandateRow:
    row = await queries.get(connection, agency, mandate_id(name))
    if row is None:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND, "there is no such mandate", details={"name": name}
        )
    return row


def _own(caller: Caller, principal: str, delegate: str) -> PersonId:
    """Return whom a mandate is about: the caller, where they are either side of it."""
    mine = caller.person is not None and caller.person in {principal, delegate}
    return PersonId(caller.person if mine and caller.person else principal)


def _letter(written: str) -> str:
    if not written.isprintable() or not written.strip():
        raise invalid("letter", "write the number of the letter without control characters")
    return " ".join(written.split())


def _date(field: str, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise invalid(field, "this is no date") from None


def _place(key: Key | None) -> queries.Place:
    if key is None:
        return queries.FIRST
    from_on, mandate = key
    return queries.Place(date.fromisoformat(str(from_on)), str(mandate))


def _shown(agency: AgencyId, row: MandateRow) -> pb.Mandate:
    ended: dict[str, Any] = {}
    if row.ended_at is not None:
        ended = {
            "ended_at": views.to_timestamp(row.ended_at),
            "ended_by": row.ended_by,
            "end_reason": row.end_reason,
        }
    return pb.Mandate(
        name=mandate_name(agency, row.mandate),
        principal=row.principal,
        delegate=row.delegate,
        kind=pb.MandateKind.Value(f"MANDATE_KIND_{row.kind}"),
        letter=row.letter,
        from_on=row.from_on.isoformat(),
        to_on=row.to_on.isoformat(),
        last_on=row.last_on.isoformat(),
        scope=row.scope,
        created_at=views.to_timestamp(row.created_at),
        created_by=row.created_by,
        **ended,
    )
