"""Calendars from the `holidays` package, taken once as a snapshot; nothing else imports it."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import cache
from importlib import metadata
from itertools import groupby
from typing import Final

import holidays
from holidays import HolidayBase

from siklus.workflows.domain.calendar import Calendar, DayOff
from siklus.workflows.domain.policy import CalendarRule

RELEASE: Final = metadata.version("holidays")
"""Of the national days off."""
_LANGUAGES = {"ID": "id"}
"""Holidays keep the names of their own country; None takes the package's default."""


def snapshot(
    rule: CalendarRule, zone: str, weekdays: tuple[int, ...], regional: Sequence[DayOff], year: int
) -> Calendar:
    """Return the unit's calendar for that year and the next.

    `zone` and `weekdays` are the unit's; the rule may fix others. Days that the unit's week leaves
    free anyway are left out, to keep the snapshot small. `version` names the package's release and
    the content, so two equal snapshots have one version.
    """
    week = rule.weekdays or weekdays
    found = [*national_days(rule, (year, year + 1)), *regional]
    working = sorted(
        (day for day in found if day.on.isoweekday() in week), key=lambda day: (day.on, day.name)
    )
    days_off = tuple(_merged(list(same)) for _, same in groupby(working, key=lambda day: day.on))
    content = "\n".join(f"{day.on} {day.name} {day.estimated}" for day in days_off)
    digest = hashlib.sha256(f"{sorted(week)}\n{content}".encode()).hexdigest()[:12]
    return Calendar(
        zone=rule.zone or zone,
        weekdays=tuple(sorted(set(week))),
        days_off=days_off,
        version=f"holidays-{RELEASE}+{digest}",
    )


def national_days(rule: CalendarRule, years: Sequence[int]) -> Iterator[DayOff]:
    """Yield the national days off of those years; dates not decreed yet are marked as estimated."""
    if rule.holidays == "none":
        return
    for year in years:
        known = _known(rule, year)
        label = _estimated_label(known)
        for on, name in sorted(known.items()):
            yield DayOff(on=on, name=name.replace(label, "").strip(), estimated=label in name)


def is_working_day(rule: CalendarRule, weekdays: Collection[int], on: date) -> bool:
    """Tell whether a policy's calendar has a day as a working one of a unit with that week.

    Regional days off are not in it.
    """
    week = rule.weekdays or weekdays
    return on.isoweekday() in week and on not in _national(rule, on.year)


@cache
def _national(rule: CalendarRule, year: int) -> frozenset[date]:
    return frozenset(day.on for day in national_days(rule, (year,)))


def _known(rule: CalendarRule, year: int) -> HolidayBase:
    country = holidays.country_holidays(rule.holidays)
    categories = [kind for kind in rule.categories if kind in country.supported_categories]
    return holidays.country_holidays(
        rule.holidays,
        years=year,
        categories=tuple(categories),
        language=_LANGUAGES.get(rule.holidays),
    )


def _estimated_label(known: HolidayBase) -> str:
    """Return the words that the package adds to an expected date, such as `(perkiraan)`."""
    label = getattr(known, "estimated_label", None)
    return known.tr(label).replace("%s", "").strip() if label else "(estimated)"


def _merged(same: list[DayOff]) -> DayOff:
    """Two reasons for one date: it is certain as soon as one of them is."""
    names = dict.fromkeys(day.name for day in same)
    return DayOff(
        on=same[0].on, name="; ".join(names), estimated=all(day.estimated for day in same)
    )
