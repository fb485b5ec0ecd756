"""Which waiting notices go now, and as which mails: one digest for a reader, and what is urgent.

Each reader's hours are kept by their own zone, unit and wishes; the calendar is that of the policy
of the cycle that a notice is about.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from siklus.activities.calendars import is_working_day
from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import notices, readers, reminders
from siklus.activities.store.queries.notices import Mail, Waiting
from siklus.activities.store.queries.readers import Reader
from siklus.workflows.domain.notices import URGENT, Channel, NoticeKind
from siklus.workflows.domain.policy import CalendarRule
from siklus.workflows.domain.quiet import FURTHEST, not_before
from siklus.workflows.domain.values import AgencyId

TOLD_WITHIN: Final = timedelta(days=31)
"""What was planned longer ago and sent today is taken for another day's: more days than a mail is
tried again and no calendar has in a row off."""


@dataclass
class Sorted:
    """What goes now as mails, and what waits until when."""

    mails: list[Mail] = field(default_factory=list)
    later: list[tuple[UUID, datetime]] = field(default_factory=list)
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """Those of them whom the roster knows."""


class Sorting:
    """Sorts one page of an agency; `now` is when, `webhook` whether there is somewhere to send."""

    def __init__(self, agency: AgencyId, now: datetime, *, webhook: bool) -> None:
        self._agency = agency
        self._now = now
        self._webhook = webhook
        self._rules: dict[str, CalendarRule] = {}
        self._days_off: dict[str, frozenset[date]] = {}

    async def sort(self, connection: Connection, rows: Sequence[Waiting]) -> Sorted:
        """Sort what waits; changes nothing."""
        people = {row.recipient for row in rows}
        today = self._now.date()
        found = await readers.readers(connection, self._agency, people, since=today - TOLD_WITHIN)
        for rule, cycles in await reminders.calendar_rules(connection, self._agency):
            self._rules |= dict.fromkeys(cycles, rule)
        self._days_off = await readers.days_off(
            connection,
            self._agency,
            {reader.unit for reader in found.values()},
            today - timedelta(days=1),
            today + timedelta(days=FURTHEST),
        )
        sorted_ = Sorted(readers=found)
        for recipient, theirs in _by(rows, lambda row: row.recipient).items():
            self._sort_one(recipient, theirs, found.get(recipient), sorted_)
        return sorted_

    def _sort_one(
        self, recipient: str, rows: list[Waiting], reader: Reader | None, into: Sorted
    ) -> None:
        # What was perhaps sent stays the mail that it was, whatever else waits.
        again = [row for row in rows if row.handed_at is not None]
        for key, same in _by(again, lambda row: row.mail_key or "").items():
            mail = Mail(key, Channel(same[0].channel), same)
            if any(row.kind in URGENT for row in same):
                into.mails.append(mail)
            else:
                self._place(mail, reader, into, again=True)
        fresh = [row for row in rows if row.handed_at is None]
        urgent = [row for row in fresh if row.kind in URGENT]
        if not self._place(self._mail(recipient, fresh, reader), reader, into):
            self._place(self._mail(recipient, urgent, reader), reader, into)

    def _place(
        self, mail: Mail, reader: Reader | None, into: Sorted, *, again: bool = False
    ) -> bool:
        """Let the mail go if it may; else let what can wait in it wait, and return False."""
        can_wait = [row for row in mail.notices if row.kind not in URGENT]
        at = self._not_before(reader, can_wait, again=again) if reader and can_wait else None
        if at is not None:
            into.later += [(row.notice, at) for row in can_wait]
            return False
        if mail.notices:
            into.mails.append(mail)
        return True

    def _mail(self, recipient: str, rows: list[Waiting], reader: Reader | None) -> Mail:
        wanted = reader.told_by if reader else Channel.MAIL
        channel = wanted if self._webhook else Channel.MAIL
        key = notices.mail_key(self._agency, recipient, [row.notice for row in rows])
        return Mail(key, channel, rows)

    def _not_before(
        self, reader: Reader, rows: Sequence[Waiting], *, again: bool
    ) -> datetime | None:
        return not_before(
            self._now,
            ZoneInfo(reader.zone),
            reader.quiet,
            self._works(reader, {row.cycle for row in rows}),
            reminds=any(row.kind == NoticeKind.REMINDER for row in rows),
            told_at=None if again else reader.told_at,
        )

    def _works(self, reader: Reader, cycles: Iterable[str]) -> Callable[[date], bool]:
        rules = [self._rules.get(cycle, CalendarRule()) for cycle in sorted(cycles)]
        off = self._days_off.get("", frozenset()) | self._days_off.get(reader.unit, frozenset())
        return lambda on: (
            on not in off and any(is_working_day(rule, reader.weekdays, on) for rule in rules)
        )


def _by(rows: Iterable[Waiting], key: Callable[[Waiting], str]) -> dict[str, list[Waiting]]:
    groups: dict[str, list[Waiting]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
