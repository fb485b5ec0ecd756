"""Deadlines: from an event or a date to the last legal second, with the reasons why.

Pure arithmetic over a recorded `Calendar`. Whether an act came in time is the rule book's question.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Final, assert_never

from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.policy import Clock, Count, Roll, Span
from siklus.workflows.domain.values import Grown, Instant, Value

WEEKEND: Final = "WEEKEND"
"""Stands for the name of a day that the unit's own week leaves free."""

_DAY = timedelta(days=1)


class Skipped(Value):
    """A day that was not counted or was rolled over, and what it is (a holiday, or `WEEKEND`)."""

    on: date
    name: str


class Stretch(Value):
    """Days of leave, both included."""

    from_on: date
    to_on: date

    def holds(self, on: date) -> bool:
        """Tell whether that day is one of them."""
        return self.from_on <= on <= self.to_on

    def without(self, others: "Iterable[Stretch]") -> "tuple[Stretch, ...]":
        """Return what is left of it beside these."""
        left = [self] if self.from_on <= self.to_on else []
        for other in others:
            parts = (
                part
                for each in left
                for part in (
                    Stretch(from_on=each.from_on, to_on=min(each.to_on, other.from_on - _DAY)),
                    Stretch(from_on=max(each.from_on, other.to_on + _DAY), to_on=each.to_on),
                )
            )
            left = [part for part in parts if part.from_on <= part.to_on]
        return tuple(left)


class Pause(Stretch):
    """Leave on which a clock stood still: so many of its days were not counted."""

    days: int


class Due(Grown):
    """A deadline that can explain itself.

    `due_at` is 23:59:59 of the day `on` in `zone`, given in UTC. `rule` is the path of the policy
    key it comes from. `basis_on` is the uncounted day of the event, with the `days` and the `count`
    that followed; all three are None for a fixed date. `skipped` are the non-working days that
    changed the result; `estimated` says that one of them is only expected, not yet decreed.
    `pauses` are the leave that moved it on, where the policy lets leave pause clocks.
    """

    added: ClassVar = frozenset({"pauses"})

    due_at: Instant
    on: date
    rule: str
    basis_on: date | None = None
    days: int | None = None
    count: Count | None = None
    roll: Roll
    rolled_from: date | None = None
    skipped: tuple[Skipped, ...] = ()
    estimated: bool = False
    zone: str
    calendar_version: str
    pauses: tuple[Pause, ...] = ()

    @property
    def expires_at(self) -> datetime:
        """The first instant that is too late: an act counts if it came before."""
        return self.due_at + timedelta(seconds=1)


class Rung(Value):
    """The local working day on which the reminder of a rung goes out."""

    rung: int
    on: date


def after(
    calendar: Calendar, event_at: Instant, span: Span, *, rule: str, default_roll: Roll
) -> Due:
    """Return the end of day n after the event, whose own local day is not counted.

    Rolling back never goes before the day of the event: such a last day is kept (our decision).
    """
    basis = event_at.astimezone(calendar.tz).date()
    match span.count:
        case Count.CALENDAR:
            last, passed = basis + span.days * _DAY, list[date]()
        case Count.WORKING:
            last, passed = _count_working(calendar, basis, span.days)
        case _:
            assert_never(span.count)
    roll = span.roll or default_roll
    due = _ending(calendar, last, passed=passed, roll=roll, rule=rule, not_before=basis)
    return due.model_copy(update={"basis_on": basis, "days": span.days, "count": span.count})


def on_day(calendar: Calendar, on: date, *, roll: Roll, rule: str) -> Due:
    """Return the end of a fixed date, rolled when nobody works on it."""
    return _ending(calendar, on, passed=[], roll=roll, rule=rule)


def for_clock(
    calendar: Calendar,
    clock: Clock,
    year: int,
    entered_at: Instant,
    *,
    rule: str,
    default_roll: Roll,
) -> Due | None:
    """Return when a stage entered at that instant is due in the cycle's year, or None if never.

    A fixed date means the later of that date and entry + `min_days`, so that nobody is late at
    birth (our decision). The result names the key that decided: `rule` plus `.on`, `.min_days` or
    `.after`.
    """
    roll = clock.roll or default_roll
    if clock.on is not None:
        fixed = on_day(calendar, clock.on.in_year(year), roll=roll, rule=f"{rule}.on")
        least = f"{rule}.min_days"
        return later(
            fixed, after(calendar, entered_at, clock.min_days, rule=least, default_roll=roll)
        )
    if clock.after is not None:
        return after(calendar, entered_at, clock.after, rule=f"{rule}.after", default_roll=roll)
    return None


def paused(
    calendar: Calendar,
    due: Due,
    since: date,
    fresh: Collection[Stretch],
    known: Collection[Stretch] = (),
    *,
    roll: Roll,
) -> Due:
    """Return a deadline that gives back each day of `fresh` leave after `since` that it counted.

    A clock of working days counts the working days of leave, any other all of them. What is given
    back falls on no leave either, be it fresh or `known`, whose days up to the deadline are in it
    already. Never earlier than it was.
    """

    def counts(on: date) -> bool:
        return due.count is not Count.WORKING or calendar.is_working_day(on)

    left = sum(counts(on) for on in _from_to(since, due.on) if _away(fresh, on))
    last, passed = due.on, list[date]()
    while left > 0:
        last += _DAY
        left -= counts(last) and not _away((*fresh, *known), last)
        passed += [] if counts(last) else [last]
    if last == due.on:
        return due
    stood = [(leave, since) for leave in fresh] + [(leave, due.on) for leave in known]
    pauses = (
        Pause(from_on=leave.from_on, to_on=leave.to_on, days=days)
        for leave, after in stood
        if (days := sum(counts(on) for on in _from_to(after, last) if leave.holds(on)))
    )
    moved = _ending(calendar, last, passed=passed, roll=roll, rule=due.rule)
    return moved.model_copy(
        update={
            "basis_on": due.basis_on,
            "days": due.days,
            "count": due.count,
            "skipped": (*due.skipped, *moved.skipped),
            "estimated": due.estimated or moved.estimated,
            "pauses": (*due.pauses, *pauses),
        }
    )


def later(a: Due | None, b: Due | None) -> Due | None:
    """Return the later of two deadlines, the first when they end together."""
    if a is None or b is None:
        return a or b
    return b if b.due_at > a.due_at else a


def opens_at(calendar: Calendar, on: date) -> datetime:
    """Return the first instant of that local day, in UTC."""
    return datetime.combine(on, time.min, calendar.tz).astimezone(UTC)


def remind_on(calendar: Calendar, due: Due, rungs: Iterable[int]) -> tuple[Rung, ...]:
    """Return the local working day of each rung, sorted, at most one rung a day.

    Rung -3 is the third working day before the due date, 3 the third after it; 0 is the due date
    itself, or the last working day before it. Of rungs that meet on one day the latest stays.
    """
    meeting = {_rung_day(calendar, due.on, rung): rung for rung in sorted(set(rungs))}
    return tuple(Rung(rung=rung, on=on) for on, rung in sorted(meeting.items()))


def _rung_day(calendar: Calendar, due_on: date, rung: int) -> date:
    if rung == 0 and calendar.is_working_day(due_on):
        return due_on
    step = _DAY if rung > 0 else -_DAY
    left, last = max(abs(rung), 1), due_on
    for on in _days(calendar, due_on, step):
        left, last = left - calendar.is_working_day(on), on
        if left == 0:
            break
    return last


def _count_working(calendar: Calendar, basis: date, days: int) -> tuple[date, list[date]]:
    """Walk n working days on; return the last one and the days passed over on the way."""
    last, passed = basis, list[date]()
    for on in _days(calendar, basis, _DAY):
        if days == 0:
            break
        if calendar.is_working_day(on):
            days, last = days - 1, on
        else:
            passed.append(on)
    return last, passed


def _roll_over(calendar: Calendar, on: date, roll: Roll) -> tuple[date, list[date]]:
    """Move off a non-working day; return where to and the days left behind."""
    if roll is Roll.KEEP or calendar.is_working_day(on):
        return on, []
    left_behind = [on]
    for day in _days(calendar, on, _DAY if roll is Roll.NEXT else -_DAY):
        if calendar.is_working_day(day):
            return day, left_behind
        left_behind.append(day)
    raise AssertionError("unreachable: the walk over days has no end")


def _from_to(after: date, last: date) -> Iterator[date]:
    """Yield the days after the first and up to the last."""
    return (after + number * _DAY for number in range(1, (last - after).days + 1))


def _away(leaves: Iterable[Stretch], on: date) -> bool:
    return any(leave.holds(on) for leave in leaves)


def _days(calendar: Calendar, start: date, step: timedelta) -> Iterator[date]:
    """Yield the days after (or before) the start, for ever."""
    if not calendar.weekdays:
        raise ValueError("a calendar without working days has no next working day")
    while True:
        start += step
        yield start


def _ending(
    calendar: Calendar,
    last: date,
    *,
    passed: list[date],
    roll: Roll,
    rule: str,
    not_before: date | None = None,
) -> Due:
    on, left_behind = _roll_over(calendar, last, roll)
    if not_before is not None and on < not_before:
        on, left_behind = last, []
    skipped = sorted({*passed, *left_behind})
    return Due(
        due_at=datetime.combine(on, time(23, 59, 59), calendar.tz).astimezone(UTC),
        on=on,
        rule=rule,
        roll=roll,
        rolled_from=last if left_behind else None,
        skipped=tuple(Skipped(on=day, name=_why(calendar, day)) for day in skipped),
        estimated=any(_rests_on_an_estimate(calendar, day) for day in skipped),
        zone=calendar.zone,
        calendar_version=calendar.version,
    )


def _why(calendar: Calendar, on: date) -> str:
    named = calendar.day_off(on)
    return named.name if named else WEEKEND


def _rests_on_an_estimate(calendar: Calendar, on: date) -> bool:
    """An estimated holiday on a free weekday changes nothing."""
    named = calendar.day_off(on)
    return named is not None and named.estimated and on.isoweekday() in calendar.weekdays
