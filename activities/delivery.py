"""Delivery: the waiting notices of a page of people become one digest each.

The ledger makes a repeat harmless. Before a mail is handed over it is noted that it may have gone
out; so if a worker dies or the store stays away, the next one knows. A channel with keys takes it
again under its key; plain mail is handed over once more, as the same mail, and that is counted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from siklus.activities.digests import Sorted, Sorting
from siklus.activities.mail.message import AddressUnusableError
from siklus.activities.mail.post import (
    Mailer,
    MailRefused,
    MailServerAway,
    MailUncertain,
)
from siklus.activities.mail.writing import Writing
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import notices
from siklus.activities.store.queries.notices import Mail, Waiting
from siklus.activities.store.queries.subscriptions import Receiver
from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.digests import DigestNotTaken, DigestPost, receiver_of
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.notices import Channel
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import reminders as ports

LEASE: Final = timedelta(minutes=4)
"""How long a mail that was taken up is ours: longer than the activity may run."""
TIME_FOR_A_PAGE: Final = 60.0
TIME_TO_NOTE: Final = 60.0
"""For which the store is waited for when a mail was taken: unnoted, it would go out again."""
PAUSE_TO_NOTE: Final = 1.0
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=4)
MOST_ATTEMPTS: Final = 24
"""With these pauses about two and a half days for what is urgent, and a week of working hours for
the rest: long enough for a full mailbox."""
MOST_REPEATS: Final = 1
"""Of a mail that perhaps arrived and has no key by which a receiver would know it again."""
AT_ONCE: Final = 4
"""Mails under way in each channel, so that a slow mailbox does not hold up all others."""
WITHIN: Final = 10.0

log = structlog.get_logger("siklus.delivery")

Give = Callable[[Mail, list[Waiting]], Awaitable[None]]


@dataclass
class _Page:
    """One page under way: what is left to send, and what became of the rest."""

    agency: AgencyId
    sorted: Sorted
    receiver: tuple[Turn, Receiver] | None
    mails: int = 0
    failed: int = 0
    put_back: int = 0
    stop_at: float = field(default_factory=lambda: monotonic() + TIME_FOR_A_PAGE)

    def __post_init__(self) -> None:
        self.left = {
            channel: [mail for mail in reversed(self.sorted.mails) if mail.channel is channel]
            for channel in Channel
        }

    def next(self, channel: Channel) -> Mail | None:
        """Take the next mail of a channel, None when none is left or the time is up."""
        left = self.left[channel]
        return left.pop() if left and monotonic() < self.stop_at else None

    @property
    def untried(self) -> list[Mail]:
        """What nobody came to."""
        return [mail for left in self.left.values() for mail in left]


class Delivery:
    """Sends digests by a mailer or a webhook and keeps the ledger; `now` is the process's clock.

    Without `digests` everybody is told by mail.
    """

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        now: Callable[[], datetime],
        *,
        digests: DigestPost | None = None,
        default_language: Language = "id",
        at_once: int = AT_ONCE,
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._digests = digests
        self._now = now
        self._writing = Writing(mailer.sender, now, default_language)
        self._at_once = at_once

    @activity.defn(name="deliver_page")
    async def deliver_page(self, page: ports.DeliveryPage) -> ports.Delivered:
        """Send one digest to each person with waiting notices and note it in the ledger.

        Fails, to be tried again, when the store or the mail server is away; a mail that is
        refused waits for its next turn and holds nobody up.
        """
        async with self._store.agency(page.agency) as connection:
            if not await notices.any_waiting(connection, page.agency, self._now()):
                return ports.Delivered(people=0, mails=0, failed=0, more=False)
        people, taken = await self._taken_up(page)
        try:
            await self._all_of(taken)
        except MailServerAway as away:
            raise ApplicationError(str(away), type="MAIL_SERVER_AWAY") from None
        finally:
            left = taken.untried
            await self._put_back(page.agency, [row for mail in left for row in mail.notices])
        more = bool(left) or people >= page.size
        return ports.Delivered(people=people, mails=taken.mails, failed=taken.failed, more=more)

    async def _taken_up(self, page: ports.DeliveryPage) -> tuple[int, _Page]:
        now, agency = self._now(), page.agency
        async with (
            self._store.agency(agency, within=WITHIN) as connection,
            connection.transaction(),
        ):
            receiver = await receiver_of(connection, agency) if self._digests else None
            rows = await notices.waiting(connection, agency, page.size, now)
            sorting = Sorting(agency, now, webhook=receiver is not None)
            found = await sorting.sort(connection, rows)
            await notices.take_up(connection, agency, found.mails, now + LEASE)
            await notices.defer(connection, agency, found.later)
        return len({row.recipient for row in rows}), _Page(agency, found, receiver)

    async def _all_of(self, page: _Page) -> None:
        """Send in several lanes at once; one that ends with an error lets the others finish."""
        lanes = [
            lane(page)
            for channel, lane in (
                (Channel.MAIL, self._by_mail),
                (Channel.WEBHOOK, self._by_webhook),
            )
            for _ in range(min(self._at_once, len(page.left[channel])))
        ]
        ended = await asyncio.gather(*lanes, return_exceptions=True)
        errors = [error for error in ended if error is not None]
        # A server that takes three connections and not four has taken everything.
        if errors and (page.untried or page.put_back or not _away(errors)):
            raise errors[0]

    async def _by_mail(self, page: _Page) -> None:
        async with self._mailer.open() as post:

            async def give(mail: Mail, rows: list[Waiting]) -> None:
                reader = page.sorted.readers[rows[0].recipient]
                await post.send(self._writing.mail(page.agency, mail.key, reader, rows))

            while (mail := page.next(Channel.MAIL)) is not None:
                await self._one(page, mail, give)

    async def _by_webhook(self, page: _Page) -> None:
        give = self._to_receiver(page)
        while (mail := page.next(Channel.WEBHOOK)) is not None:
            await self._one(page, mail, give)

    def _to_receiver(self, page: _Page) -> Give | None:
        digests, receiver = self._digests, page.receiver
        if digests is None or receiver is None:
            return None

        async def give(mail: Mail, rows: list[Waiting]) -> None:
            reader = page.sorted.readers[rows[0].recipient]
            body = self._writing.digest(page.agency, mail.key, reader, rows)
            await digests.send(*receiver, mail.key, body)

        return give

    async def _one(self, page: _Page, mail: Mail, give: Give | None) -> None:
        agency = page.agency
        rows = await self._sorted_out(page, mail)
        if not rows:
            return
        if mail.channel is Channel.MAIL and _repeated_enough(rows):
            return await self._failed(page, rows, "MAIL_UNCERTAIN", keep_key=True, give_up=True)
        if give is None:
            # Of those that were perhaps sent, and now nobody takes them: nothing is handed over.
            return await self._failed(page, rows, "NO_SUBSCRIPTION", keep_key=True)
        await self._handed(agency, rows)
        try:
            await give(mail, rows)
        except MailRefused as refused:
            await self._failed(page, rows, refused.code)
        except DigestNotTaken as refused:
            # Whatever the receiver did with it, the key tells it that this one is the same.
            await self._failed(page, rows, refused.code, keep_key=True)
        except MailServerAway:
            page.put_back += 1
            await self._put_back(agency, rows)
            raise
        except MailUncertain:
            await self._failed(page, rows, "MAIL_UNCERTAIN", keep_key=True)
        except AddressUnusableError:
            await self._failed(page, rows, "ADDRESS_UNUSABLE")
        except (ValueError, LookupError) as error:
            # One notice that this version cannot put into words must not hold up the others.
            log.error("notice_not_writable", agency=agency, error=type(error).__name__)
            await self._failed(page, rows, "NOT_WRITABLE")
        else:
            await self._sent(agency, rows)
            page.mails += 1

    async def _handed(self, agency: AgencyId, rows: Sequence[Waiting]) -> None:
        async with self._store.agency(agency) as connection:
            await notices.hand_over(connection, agency, _ids(rows), self._now())
        if any(row.handed_at for row in rows):
            log.warning("mail_repeated", agency=agency, notices=len(rows))

    async def _sent(self, agency: AgencyId, rows: Sequence[Waiting]) -> None:
        give_up_at = monotonic() + TIME_TO_NOTE
        while True:
            try:
                async with self._store.agency(agency) as connection:
                    return await notices.mark_sent(connection, agency, _ids(rows), self._now())
            except StoreUnavailable:
                if monotonic() >= give_up_at:
                    raise
            await asyncio.sleep(PAUSE_TO_NOTE)

    async def _sorted_out(self, page: _Page, mail: Mail) -> list[Waiting]:
        """Drop what is no longer wanted: the task is done, moved or another's, the reader left.

        Asked when the mail's turn comes: much may have been done since the page was taken up.
        """
        agency, now = page.agency, self._now()
        reader = page.sorted.readers.get(mail.notices[0].recipient)
        there = reader is not None and reader.active
        async with self._store.agency(agency) as connection:
            if not there:
                await notices.drop(connection, agency, mail.ids, "READER_INACTIVE")
                return []
            wanted = await notices.wanted(connection, agency, mail.ids, now)
            done = [each for each in mail.ids if each not in wanted]
            if done:
                await notices.drop(connection, agency, done, "TASK_CLOSED")
        return [row for row in mail.notices if row.notice in wanted]

    async def _failed(
        self,
        page: _Page,
        rows: Sequence[Waiting],
        code: str,
        *,
        keep_key: bool = False,
        give_up: bool = False,
    ) -> None:
        attempts, now = max(row.attempts for row in rows) + 1, self._now()
        pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 16), LONGEST_PAUSE)
        until = now + pause if attempts < MOST_ATTEMPTS and not give_up else None
        log.warning("mail_not_sent", agency=page.agency, code=code, attempts=attempts)
        page.failed += 1
        async with self._store.agency(page.agency) as connection:
            await notices.mark_failed(
                connection, page.agency, _ids(rows), code, at=now, until=until, keep_key=keep_key
            )

    async def _put_back(self, agency: AgencyId, rows: Sequence[Waiting]) -> None:
        if rows:
            async with self._store.agency(agency) as connection:
                await notices.put_back(connection, agency, rows)


def _away(errors: Sequence[BaseException]) -> bool:
    return all(isinstance(error, MailServerAway) for error in errors)


def _repeated_enough(rows: Sequence[Waiting]) -> bool:
    return any(row.handed_at and row.repeats >= MOST_REPEATS for row in rows)


def _ids(rows: Sequence[Waiting]) -> list[UUID]:
    return [row.notice for row in rows]
