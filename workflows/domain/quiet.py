"""When a person may be written to: not at night, not on days off, and of news once a day.

What cannot wait is told at any hour; which kinds those are, `notices` says. Our decision: the law
says nothing of hours.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from siklus.workflows.domain.values import Value

MORNING: Final = time(8, 15)
"""News waits for the reminders of the day, which are planned from eight and leave in one mail
with it."""
FURTHEST: Final = 60
"""Days that are looked at for a working one; no calendar has so many days off in a row."""


class Quiet(Value):
    """A person's quiet hours, in the zone of their unit; `begins` = `ends` has none.

    Who has none is written to on days off as well.
    """

    begins: time = time(18)
    ends: time = time(7)

    @property
    def never(self) -> bool:
        """Tell whether the person may be written to at any hour of any day."""
        return self.begins == self.ends

    def covers(self, local: time) -> bool:
        """Tell whether a time of day lies in them; the end does not."""
        if self.begins <= self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends


def not_before(
    now: datetime,
    zone: ZoneInfo,
    quiet: Quiet,
    works: Callable[[date], bool],
    *,
    reminds: bool,
    told_at: datetime | None,
) -> datetime | None:
    """Return None if a mail that can wait may go now, else the instant from which it may.

    `works` tells the reader's working days. A mail that `reminds` is the day's digest, and goes
    although news was sent on that day already (`told_at` is the last of either); news alone waits
    for the morning and goes once a day.
    """
    local = now.astimezone(zone)
    told_on = told_at.astimezone(zone).date() if told_at and not reminds else None
    if not quiet.never:
        early = not reminds and local.time() < MORNING
        resting = not works(local.date()) or quiet.covers(local.time()) or early
    else:
        resting = False
    if not resting and told_on != local.date():
        return None
    return _next_morning(local, zone, quiet, works, told_on)


def _next_morning(
    local: datetime,
    zone: ZoneInfo,
    quiet: Quiet,
    works: Callable[[date], bool],
    told_on: date | None,
) -> datetime:
    at = quiet.ends if quiet.covers(MORNING) else MORNING
    days = (local.date() + timedelta(days=n) for n in range(FURTHEST))
    open_days = (day for day in days if day != told_on and (quiet.never or works(day)))
    mornings = (_last(day, at, zone) for day in open_days)
    tomorrow = local.date() + timedelta(days=1)
    return next((each for each in mornings if each > local), _last(tomorrow, at, zone))


def _last(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return when it is that time, the second time where clocks go back."""
    # In UTC: in one zone Python compares what the clocks show.
    moments = (datetime.combine(day, at, zone).replace(fold=fold) for fold in (0, 1))
    return max(each.astimezone(UTC) for each in moments)
