"""A script: which day of the year brings what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from siklus.services.demo.office import Office
from siklus.services.demo.people import HOME

Play = Callable[[Office], Awaitable[None]]


@dataclass(frozen=True)
class Day:
    """A day on which something happens; `years` counts from the cycle's own."""

    month: int
    day: int
    years: int
    title: str
    play: Play

    @property
    def place(self) -> tuple[int, int, int]:
        """When it is, for whatever year."""
        return self.years, self.month, self.day

    def starts_at(self, cycle: int) -> datetime:
        """Return nine o'clock at the head office."""
        on = date(cycle + self.years, self.month, self.day)
        return datetime.combine(on, time(9), ZoneInfo(HOME))


class Script:
    """The days of one agency, in the order of the calendar."""

    def __init__(self) -> None:
        self.days: list[Day] = []

    def on(self, month: int, day: int, *, years: int = 0) -> Callable[[Play], Play]:
        """Enter the function as a day of the year; its docstring is what is shown."""

        def enter(play: Play) -> Play:
            title = (play.__doc__ or "").removesuffix(".")
            self.days.append(Day(month, day, years, title, play))
            return play

        return enter

    def at(self, place: tuple[int, int, int]) -> Day | None:
        """Return the day at that place, if something happens there."""
        return next((day for day in self.days if day.place == place), None)
