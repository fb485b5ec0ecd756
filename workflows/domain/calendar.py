"""A unit's calendar as a recorded fact: which days count, in which zone, by which version.

The rule book never asks a holiday library: a data update would change what a replay decides.
"""

from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from siklus.workflows.domain.values import Value


class DayOff(Value):
    """One date on which nobody is expected to work, with the name it is known by."""

    on: date
    name: str
    estimated: bool = False


class Calendar(Value):
    """The snapshot of a unit's calendar that an evaluation carries.

    `weekdays` are ISO numbers of working days (Monday is 1); `days_off` cover the cycle's year
    and the next; `version` names the data they came from.
    """

    zone: str
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    days_off: tuple[DayOff, ...] = ()
    version: str = ""

    @cached_property
    def tz(self) -> ZoneInfo:
        """The zone in which the unit's days begin and end."""
        return ZoneInfo(self.zone)

    @cached_property
    def _named(self) -> dict[date, DayOff]:
        return {day.on: day for day in self.days_off}

    def day_off(self, on: date) -> DayOff | None:
        """Return the named day off on that date, or None."""
        return self._named.get(on)

    def is_working_day(self, on: date) -> bool:
        """Tell whether the unit works on that date."""
        return on.isoweekday() in self.weekdays and on not in self._named
