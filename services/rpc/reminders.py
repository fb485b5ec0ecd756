"""ReminderService: how people are told, what they were told, whom nothing reaches."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from pydantic_core import from_json

from siklus.activities.reminders import workday
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import notice_ledger as ledger
from siklus.activities.store.queries import notice_preferences as preferences
from siklus.activities.store.queries import roster
from siklus.activities.store.queries.notice_ledger import LATEST, LedgerPlace, NoticeRow
from siklus.activities.store.queries.notice_preferences import AGENCY, USUAL
from siklus.activities.store.queries.reminder_preview import PlannedDigest, preview
from siklus.activities.store.queries.reminders import Workday
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import names, notice_views
from siklus.services.rpc.gate import admit
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Key, Page, day, identity, text
from siklus.services.rpc.reading import read
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import reminder_service_pb2_grpc
from siklus.v1 import reminders_pb2 as pb
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.values import AgencyId, PersonId

LONG_SECONDS: Final = 8.0
"""A preview looks at many open tasks; what changes an agency's hours touches all that waits."""
YEARS: Final = range(2000, 2200)
"""For which a date can be asked about: calendars know no others."""
SHOWN: Final = 20
"""Reminders of one digest in a preview."""
BLOCKS: Final = 10
"""Of people that one page of a preview looks through; then it ends, however little it found."""


class ReminderServicer(reminder_service_pb2_grpc.ReminderServiceServicer):
    """Answers for the notices of the caller's agency."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def GetNoticePreferences(  # noqa: N802
        self, request: pb.GetNoticePreferencesRequest, context: Context
    ) -> pb.GetNoticePreferencesResponse:
        """Read how a person, or whoever of the agency has not chosen, is told."""
        who = _whose(request.name)
        caller = admit("GetNoticePreferences", about=who)
        async with self._store.agency(caller.agency) as connection:
            shown = await self._shown(connection, caller.agency, who)
        return pb.GetNoticePreferencesResponse(preferences=shown)

    async def UpdateNoticePreferences(  # noqa: N802
        self, request: pb.UpdateNoticePreferencesRequest, context: Context
    ) -> pb.UpdateNoticePreferencesResponse:
        """Replace them; what waits is looked at anew."""
        who = _whose(request.name)
        caller = admit("UpdateNoticePreferences", about=who)
        chosen = notice_views.chosen(request)
        async with self._store.agency(caller.agency, within=LONG_SECONDS) as connection:

            async def change() -> pb.UpdateNoticePreferencesResponse:
                now = self._clock.now()
                await self._must_be_there(connection, caller.agency, who)
                await preferences.put(connection, caller.agency, who, chosen, at=now)
                shown = await self._shown(connection, caller.agency, who)
                return pb.UpdateNoticePreferencesResponse(preferences=shown)

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.UpdateNoticePreferencesResponse, change)

    async def ListNotices(  # noqa: N802
        self, request: pb.ListNoticesRequest, context: Context
    ) -> pb.ListNoticesResponse:
        """List the ledger of an evaluation or of a person, the latest first."""
        if "/people/" in request.parent:
            return await self._of_person(request)
        caller = admit("ListNotices")
        page = Page.asked(request, caller, (day, identity))
        key = names.evaluation_key(request.parent)
        stored = await read(self._store, caller, key, self._clock)
        relations = notice_views.relations(from_json(stored.document))
        async with self._store.agency(caller.agency) as connection:
            rows = await ledger.of_evaluation(
                connection, key, after=_place(page.after), limit=page.limit
            )
        return _listed(caller, page, rows, relations)

    async def _of_person(self, request: pb.ListNoticesRequest) -> pb.ListNoticesResponse:
        who = names.person_id(request.parent)
        caller = admit("ListNotices", about=who)
        page = Page.asked(request, caller, (day, identity))
        async with self._store.agency(caller.agency) as connection:
            await self._must_be_there(connection, caller.agency, who)
            rows = await ledger.of_person(
                connection, caller.agency, who, after=_place(page.after), limit=page.limit
            )
        return _listed(caller, page, rows, {})

    async def ListUndeliverable(  # noqa: N802
        self, request: pb.ListUndeliverableRequest, context: Context
    ) -> pb.ListUndeliverableResponse:
        """List whom notices do not reach."""
        caller = admit("ListUndeliverable")
        page = Page.asked(request, caller, (text, text))
        recipient, channel = page.after or ("", "")
        async with self._store.agency(caller.agency) as connection:
            rows = await ledger.unreached(
                connection, caller.agency, after=(str(recipient), str(channel)), limit=page.limit
            )
        shown, token = page.cut(rows, lambda row: (row.recipient, row.channel))
        return pb.ListUndeliverableResponse(
            undeliverable=[notice_views.unreached(caller.agency, row) for row in shown],
            next_page_token=token,
        )

    async def RetryNotices(  # noqa: N802
        self, request: pb.RetryNoticesRequest, context: Context
    ) -> pb.RetryNoticesResponse:
        """Begin anew with what did not reach a person."""
        caller = admit("RetryNotices")
        who = names.person_id(request.name)
        async with self._store.agency(caller.agency, within=LONG_SECONDS) as connection:

            async def retry() -> pb.RetryNoticesResponse:
                await self._must_be_there(connection, caller.agency, who)
                retried = await ledger.retry(connection, caller.agency, who)
                return pb.RetryNoticesResponse(retried=retried)

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.RetryNoticesResponse, retry)

    async def PreviewReminders(  # noqa: N802
        self, request: pb.PreviewRemindersRequest, context: Context
    ) -> pb.PreviewRemindersResponse:
        """Show whom the run of a date would reach if it were planned now."""
        caller = admit("PreviewReminders")
        page = Page.asked(request, caller, (text,))
        on = _date(request.on)
        async with self._store.agency(caller.agency, within=LONG_SECONDS) as connection:
            work = await workday(connection, caller.agency, request.zone or None, on)
            if not work.anybody:
                return pb.PreviewRemindersResponse()
            rows, last = await self._previewed(connection, caller.agency, work, page)
        shown, token = page.cut(rows, lambda row: (row.reader,))
        return pb.PreviewRemindersResponse(
            digests=[notice_views.planned(caller.agency, row) for row in shown],
            next_page_token=token or (page.going_on((last,)) if last is not None else ""),
            working_day=True,
        )

    async def _previewed(
        self, connection: Connection, agency: AgencyId, work: Workday, page: Page
    ) -> tuple[list[PlannedDigest], str | None]:
        """Look for a page of digests; returns whom it looked at last, None at the end."""
        last: str | None = str(page.after[0]) if page.after else ""
        found: list[PlannedDigest] = []
        for _ in range(BLOCKS):
            if last is None or len(found) == page.limit:
                break
            rows, last = await preview(
                connection, agency, work, after=last, limit=page.limit - len(found), shown=SHOWN
            )
            found += rows
        return found, last

    async def _shown(
        self, connection: Connection, agency: AgencyId, who: PersonId
    ) -> pb.NoticePreferences:
        await self._must_be_there(connection, agency, who)
        own = await preferences.get(connection, agency, who)
        theirs = await preferences.get(connection, agency, AGENCY) if who else own
        name = names.person_name(agency, who) if who else f"agencies/{agency}"
        return notice_views.preferences(name, own, own.over(theirs).over(USUAL))

    async def _must_be_there(self, connection: Connection, agency: AgencyId, who: PersonId) -> None:
        if who != AGENCY and await roster.person(connection, agency, who) is None:
            raise ServiceRefusal(
                ServiceReason.NOT_FOUND,
                "there is no such person",
                details={"name": names.person_name(agency, who)},
            )


def _whose(name: str) -> PersonId:
    """Return whose preferences a name means; the agency's are those of nobody."""
    return names.person_id(name) if "/people/" in name else PersonId(AGENCY)


def _date(written: str) -> date:
    try:
        on = date.fromisoformat(written)
    except ValueError:
        raise invalid("on", "there is no such date") from None
    if on.year not in YEARS:
        raise invalid("on", f"years run from {YEARS.start} to {YEARS.stop - 1}")
    return on


def _place(key: Key | None) -> LedgerPlace:
    if key is None:
        return LATEST
    planned_on, notice = key
    return LedgerPlace(date.fromisoformat(str(planned_on)), UUID(str(notice)))


def _listed(
    caller: Caller, page: Page, rows: Sequence[NoticeRow], relations: notice_views.Relations
) -> pb.ListNoticesResponse:
    shown, token = page.cut(rows, lambda row: (row.planned_on.isoformat(), str(row.notice)))
    return pb.ListNoticesResponse(
        notices=[
            notice_views.notice(caller.agency, row, relations, with_error=caller.sees_all)
            for row in shown
        ],
        next_page_token=token,
    )
