"""From when on what citizens said of somebody is evidence, as the policy of the cycle says.

How many answers make evidence is for the agency: the survey rules (PermenPANRB 14/2017) set samples
for a service and none for a person, of whom a few angry or grateful words would tell too much.
"""

from datetime import date, datetime, timedelta

from siklus.workflows.domain.feedback.rules import CitizenRule
from siklus.workflows.domain.feedback.tickets import first_day_not_over
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.values import PersonId


def days_counted(rule: CitizenRule, starts: date, ends: date, today: date) -> tuple[date, date]:
    """Return the first and the last day whose contacts count, of the year from start to end.

    `today` is the day in the agency's zone.
    """
    if rule.window is None:
        return starts, ends
    last = max(starts, min(ends, today))
    return max(starts, last - timedelta(days=rule.window.days - 1)), last


def rated_before(reader: PersonId | None, person: PersonId, now: datetime) -> date:
    """Return before which day an answer must have come that a reader is told of.

    Whoever served learns of it when the day is over: they would see it come from the citizen who
    just left (our decision). Everybody else reads it at once.
    """
    return first_day_not_over(now) if reader == person else date.max


def answers_missing(rule: CitizenRule, count: int) -> int:
    """Return how many answers lack until they are evidence; 0 where there are enough."""
    return max(0, rule.min_answers - count)


def told_missing(count: int, missing: int) -> Text:
    """Return what stands where there are too few."""
    said, more = (
        ("answer" if count == 1 else "answers"),
        ("more is" if missing == 1 else "more are"),
    )
    return Text(
        id=f"Baru ada {count} jawaban masyarakat; masih kurang {missing} jawaban"
        " sebelum dapat dipakai sebagai bahan pertimbangan.",
        en=f"{count} {said} by citizens so far; {missing} {more} needed before they are evidence.",
    )
