"""Delivery: the waiting notices of a page of people become one mail each.

The ledger makes a repeat harmless. A mail goes out twice only if between the server's answer and
the mark a worker dies or the store stays away, and then the second has the Message-ID of the first.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from time import monotonic
from typing import Final, cast, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from siklus.activities.mail.message import AddressUnusableError, compose
from siklus.activities.mail.post import (
    Mailer,
    MailRefused,
    MailServerAway,
    MailUncertain,
    PostOffice,
)
from siklus.activities.mail.render import Item, render
from siklus.activities.mail.texts import Language
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import notices
from siklus.activities.store.queries.notices import Waiting
from siklus.workflows import ports
from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import AgencyId

LEASE: Final = timedelta(minutes=4)
"""How long a mail that was taken up is ours: longer than the activity may run."""
TIME_FOR_A_PAGE: Final = 60.0
TIME_TO_NOTE: Final = 60.0
"""For which the store is waited for when a mail was taken: unnoted, it would go out again."""
PAUSE_TO_NOTE: Final = 1.0
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=4)
MOST_ATTEMPTS: Final = 24
"""With these pauses about two and a half days: a weekend of a full mailbox."""
WITHIN: Final = 10.0

log = structlog.get_logger("siklus.delivery")


@dataclass
class _Tally:
    mails: int = 0
    failed: int = 0


class Delivery:
    """Sends digests by a mailer and keeps the ledger; `now` is the clock of the process."""

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        now: Callable[[], datetime],
        *,
        default_language: Language = "id",
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._now = now
        self._default_language = default_language

    @activity.defn(name="deliver_page")
    async def deliver_page(self, page: ports.DeliveryPage) -> ports.Delivered:
        """Send one digest to each person with waiting notices and note it in the ledger.

        Fails, to be tried again, when the store or the mail server is away; a mail that is
        refused waits for its next turn and holds nobody up.
        """
        async with self._store.agency(page.agency) as connection:
            if not await notices.any_waiting(connection, page.agency, self._now()):
                return ports.Delivered(people=0, mails=0, failed=0, more=False)
        try:
            async with self._mailer.open() as post:
                return await self._deliver(page, post)
        except MailServerAway as away:
            raise ApplicationError(str(away), type="MAIL_SERVER_AWAY") from None

    async def _deliver(self, page: ports.DeliveryPage, post: PostOffice) -> ports.Delivered:
        now = self._now()
        async with (
            self._store.agency(page.agency, within=WITHIN) as connection,
            connection.transaction(),
        ):
            mails = await notices.take(connection, page.agency, page.size, now, now + LEASE)
        people = {mail[0].recipient for mail in mails.values()}
        tally, stop_at = _Tally(), monotonic() + TIME_FOR_A_PAGE
        left = dict(mails)
        try:
            while left and monotonic() < stop_at:
                key = next(iter(left))
                await self._one(page.agency, post, key, left.pop(key), tally)
        finally:
            await self._put_back(page.agency, list(left.values()))
        more = bool(left) or len(people) >= page.size
        return ports.Delivered(
            people=len(people), mails=tally.mails, failed=tally.failed, more=more
        )

    async def _one(
        self, agency: AgencyId, post: PostOffice, key: str, mail: Sequence[Waiting], tally: _Tally
    ) -> None:
        wanted = await self._sorted_out(agency, mail)
        if not wanted:
            return
        try:
            await post.send(self._composed(agency, key, wanted))
        except MailRefused as refused:
            await self._failed(agency, wanted, refused.code)
        except MailServerAway:
            await self._put_back(agency, [wanted])
            raise
        except MailUncertain:
            await self._failed(agency, wanted, "MAIL_UNCERTAIN", keep_key=True)
        except AddressUnusableError:
            await self._failed(agency, wanted, "ADDRESS_UNUSABLE")
        except (ValueError, LookupError) as error:
            # One notice that this version cannot put into words must not hold up the others.
            log.error("notice_not_writable", agency=agency, error=type(error).__name__)
            await self._failed(agency, wanted, "NOT_WRITABLE")
        else:
            await self._sent(agency, wanted)
            tally.mails += 1
            return
        tally.failed += 1

    async def _sent(self, agency: AgencyId, mail: Sequence[Waiting]) -> None:
        give_up_at = monotonic() + TIME_TO_NOTE
        while True:
            try:
                async with self._store.agency(agency) as connection:
                    return await notices.mark_sent(connection, agency, _ids(mail), self._now())
            except StoreUnavailable:
                if monotonic() >= give_up_at:
                    raise
            await asyncio.sleep(PAUSE_TO_NOTE)

    async def _sorted_out(self, agency: AgencyId, mail: Sequence[Waiting]) -> list[Waiting]:
        """Give up what is no longer wanted: the task is done, or its reader has left."""
        left = [row for row in mail if not row.active]
        done = [row for row in mail if row.active and not row.wanted]
        for rows, code in ((left, "READER_INACTIVE"), (done, "TASK_CLOSED")):
            if rows:
                async with self._store.agency(agency) as connection:
                    await notices.mark_failed(connection, agency, _ids(rows), code, until=None)
        return [row for row in mail if row.active and row.wanted]

    def _composed(self, agency: AgencyId, key: str, mail: Sequence[Waiting]) -> EmailMessage:
        reader, now = mail[0], self._now()
        items = [_item(row) for row in mail]
        zone = ZoneInfo(reader.reader_zone) if reader.reader_zone else UTC
        # A pass may be for a date ahead of the clock; its mails speak as of that date.
        today = max(now.astimezone(zone).date(), *(row.planned_on for row in mail))
        known = reader.language in get_args(Language)
        language = cast("Language", reader.language) if known else self._default_language
        return compose(
            render(reader.name, language, items, today),
            agency=agency,
            sender=self._mailer.sender,
            name=reader.name,
            address=reader.email,
            language=language,
            key=key,
            kinds=[item.kind for item in items],
            at=now,
        )

    async def _failed(
        self, agency: AgencyId, mail: Sequence[Waiting], code: str, *, keep_key: bool = False
    ) -> None:
        attempts = max(row.attempts for row in mail) + 1
        pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 16), LONGEST_PAUSE)
        until = self._now() + pause if attempts < MOST_ATTEMPTS else None
        log.warning("mail_not_sent", agency=agency, code=code, attempts=attempts)
        async with self._store.agency(agency) as connection:
            await notices.mark_failed(
                connection, agency, _ids(mail), code, until=until, keep_key=keep_key
            )

    async def _put_back(self, agency: AgencyId, left: Sequence[Sequence[Waiting]]) -> None:
        rows = [row for mail in left for row in mail]
        if rows:
            async with self._store.agency(agency) as connection:
                await notices.put_back(connection, agency, rows)


def _item(row: Waiting) -> Item:
    return Item(
        kind=NoticeKind(row.kind),
        cycle=row.cycle,
        task=TaskKind(row.task_kind) if row.task_kind else None,
        period=row.period,
        about=row.about,
        due_at=row.due_at,
        zone=row.zone or "UTC",
    )


def _ids(mail: Sequence[Waiting]) -> list[UUID]:
    return [row.notice for row in mail]
