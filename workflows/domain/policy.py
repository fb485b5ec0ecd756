"""The policy: every number and choice of an agency's year, as data.

This is the compiled form that an evaluation carries for its whole life. `packs.py` reads the
written form with its texts and checks it.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field

from siklus.workflows.domain.feedback.rules import FeedbackRule
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.outcomes.rules import MOST_RULES, OutcomeRule
from siklus.workflows.domain.scheme.keys import (
    MOST_CRITERIA,
    AxisRule,
    CriterionRule,
    IndicatorRule,
    Scheme,
    SecondRating,
    Weighted,
)
from siklus.workflows.domain.values import Grown, Level, Predicate, Value


class Count(StrEnum):
    """Which days a clock of n days counts."""

    CALENDAR = "calendar"
    WORKING = "working"


class Roll(StrEnum):
    """What becomes of a last day on which nobody works."""

    KEEP = "keep"
    PREVIOUS = "previous"
    NEXT = "next"


class Late(StrEnum):
    """What the clock does when a task is past its due time."""

    REMIND = "remind"
    ESCALATE = "escalate"
    TEAM_ACTS = "team_acts"
    GO_ON = "go_on"
    LAPSE = "lapse"


class YearDay(Value):
    """A day of the cycle's calendar: written `MM-DD`, `next MM-DD` or
    `previous MM-DD`; a day `end` is the month's last."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=0, le=31)]
    """0 is the last day of the month."""
    offset: Annotated[int, Field(ge=-1, le=1)] = 0

    def in_year(self, year: int) -> date:
        """Return the date for a cycle of that year; 29 February falls back to the month's end."""
        first = date(year + self.offset, self.month, 1)
        last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return last if self.day == 0 or self.day > last.day else first.replace(day=self.day)


def _year_day(written: object) -> object:
    if not isinstance(written, str):
        return written
    words = written.split()
    offsets = {"previous": -1, "next": 1}
    offset = offsets.get(words[0], 0) if len(words) == 2 else 0
    month, _, day = words[-1].partition("-")
    known = len(words) == 1 or (len(words) == 2 and words[0] in offsets)
    if not known or not month.isdigit() or not (day.isdigit() or day == "end"):
        raise ValueError("write a day as MM-DD, MM-end, next MM-DD or previous MM-DD")
    number = 0 if day == "end" else int(day)
    if day != "end" and number == 0:
        raise ValueError("a month has no day 00")
    if number and int(month) in range(1, 13) and number > _LONGEST[int(month) - 1]:
        raise ValueError(f"month {month} has no day {day}")
    return {"month": int(month), "day": number, "offset": offset}


_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

Day = Annotated[YearDay, BeforeValidator(_year_day)]


class Span(Value):
    """A clock of n days from an event; the day of the event is not counted."""

    days: Annotated[int, Field(ge=0, le=366)]
    count: Count = Count.CALENDAR
    roll: Roll | None = None
    """None takes the policy's default rolling."""


class Clock(Value):
    """When a stage is due: by a date, by days after its entry, or by the later of the two."""

    on: Day | None = None
    min_days: Span = Span(days=5, count=Count.WORKING)
    """With a date: the least that a late starter gets (our decision: 5 working days)."""
    after: Span | None = None
    """Without a date: days after the stage was entered (or after a change of post)."""
    roll: Roll | None = None


class Lateness(Value):
    """What happens after the due time, and how fast it climbs."""

    act: Late = Late.ESCALATE
    escalate_days: Annotated[int, Field(ge=1, le=90)] = 5
    """Working days between one level and the next (our decision)."""


Rungs = Annotated[tuple[Annotated[int, Field(ge=-60, le=60)], ...], Field(max_length=8)]
"""Reminders: working days before (negative), on and after the due date."""


class StageRule(Value):
    """What every stage may set."""

    enabled: bool = True
    opens: Day | None = None
    due: Clock = Clock()
    late: Lateness = Lateness()
    remind: Rungs = (-3, 0, 3)


class PlanRule(Grown, StageRule):
    """The plan and its review."""

    added: ClassVar[frozenset[str]] = frozenset({"indicators"})

    max_returns: Annotated[int, Field(ge=0, le=20)] = 3
    return_days: Span = Span(days=5, count=Count.WORKING)
    team_may_set: bool = True
    indicators: IndicatorRule = IndicatorRule()


class PeriodRule(Value):
    """Periodic evaluations in the year."""

    per_year: Literal[0, 2, 4, 12] = 0
    due: Span = Span(days=10, count=Count.WORKING)
    late: Lateness = Lateness()
    remind: Rungs = (0, 3)


class RatingRule(Grown, StageRule):
    """The rating; never automatic."""

    added: ClassVar[frozenset[str]] = frozenset({"weighted", "axis_level", "criteria", "second"})

    scheme: Scheme = Scheme.QUADRANT
    matrix: dict[Level, dict[Level, Predicate]] = Field(default_factory=dict)
    """results level → behaviour level → predicate; every cell is filled (checked on load)."""
    max_returns: Annotated[int, Field(ge=0, le=20)] = 3
    per_indicator: bool = False
    """Whether the rater gives a level to each indicator of the plan as well."""
    weighted: Weighted | None = None
    """Numbers, weights and bands; needed by the weighted scheme alone."""
    axis_level: AxisRule | None = None
    """How levels of indicators make the level of results; a departure then needs a reason."""
    criteria: Annotated[tuple[CriterionRule, ...], Field(max_length=MOST_CRITERIA)] = ()
    """What the rater may, or must, judge beside the indicators of the plan."""
    second: SecondRating | None = None
    """A second rater after the first; None leaves it at one."""


class DeliveryRule(Value):
    """How a result reaches the employee."""

    deemed_after_days: Annotated[int, Field(ge=1, le=90)] | None = 14
    """Calendar days after which receipt is deemed; None only where the appeal is off."""


MOST_MEMBERS: Final = 15


class Panel(Value):
    """Several people who decide together, once so many of them say the same."""

    members: Annotated[int, Field(ge=1, le=MOST_MEMBERS)]
    quorum: Annotated[int, Field(ge=1, le=MOST_MEMBERS)]
    """More than half of the members (checked on load): two decisions never reach it both."""


class CalibrationRule(Value):
    """The stage between a rating and its delivery, in which a unit's ratings are compared."""

    due: Span = Span(days=10, count=Count.WORKING)
    """From the rating; a rating given again has what is left of it, and some days at least."""
    late: Lateness = Lateness(act=Late.GO_ON)
    """Unsaid, a rating passes; where the distribution blocks, the team is shown it instead."""
    panel: Panel | None = None
    """Who votes in a session; without one its chair and the team decide."""


class DecidedBy(StrEnum):
    """Who decides an appeal."""

    SUPERIOR = "superior"
    TEAM = "team"
    PANEL = "panel"


class AppealRule(Grown):
    """The appeal (PP 30/2019 and PermenPANRB 6/2022; switchable for other laws)."""

    added: ClassVar[frozenset[str]] = frozenset({"panel"})

    enabled: bool = True
    window: Span = Span(days=14)
    respond_within: Span = Span(days=5, count=Count.WORKING)
    decide_within: Span = Span(days=14)
    decided_by: DecidedBy = DecidedBy.SUPERIOR
    panel: Panel | None = None
    """How many decide together; needed by `decided_by: panel` alone."""
    may_lower: bool = False
    top_of_hierarchy: bool = False
    """At the very top rater and decider are one person by law; only then, and shown."""
    late: Lateness = Lateness()
    remind: Rungs = (-3, 0, 3)
    remind_window: Rungs = (-3,)


class Combine(StrEnum):
    """How the segments of a year become one result."""

    LAST = "last"
    LONGEST = "longest"
    DAYS_WEIGHTED = "days_weighted"
    """The mean of the scores by days served: numbers alone."""


class SegmentRule(Value):
    """Transfers within a year."""

    combine: Combine = Combine.LAST
    min_days: Annotated[int, Field(ge=0, le=366)] = 90
    """Days served from which the leaving supervisor is asked for an interim rating."""
    interim_due: Span = Span(days=10, count=Count.WORKING)
    unrated_after_days: Annotated[int, Field(ge=1, le=366)] = 60


class MandateRule(Value):
    """Acting officials (Plt/Plh)."""

    max_chain: Annotated[int, Field(ge=1, le=5)] = 2
    may_sign_final: bool = True


class DeadlineRule(Value):
    """Deadlines that the team moves while a cycle runs."""

    notice: Span = Span(days=5, count=Count.WORKING)
    """The least that stays to whoever holds a task whose deadline is brought forward."""


Repair = Literal[
    "cancel",
    "correct_entry",
    "exclude",
    "extend_for_outage",
    "move_deadline",
    "reassign",
    "replace_person",
    "return_to_stage",
]
"""An act of the team that a policy may ask two of its members for; reopening has its own key."""


class Year(Value):
    """The stretch that is evaluated."""

    starts: Day = YearDay(month=1, day=1)
    ends: Day = YearDay(month=12, day=31)


Weekdays = Annotated[
    tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1, max_length=7)
]
"""ISO numbers of the working days; Monday is 1."""


class CalendarRule(Value):
    """Which days count, and whose."""

    holidays: Literal["ID", "US", "GB", "PH", "MY", "none"] = "ID"
    categories: tuple[Literal["public", "government"], ...] = ("public", "government")
    weekdays: Weekdays | None = None
    """None takes the unit's own."""
    zone: str | None = None
    """None takes the unit's own; a name fixes one zone for everybody."""


class Policy(Grown):
    """One agency's rules for one year, pinned when the cycle starts.

    Evaluations name their policy by the digest of its written form, which leaves out what policies
    of earlier releases had no word for: it must never change under one that runs.
    """

    added: ClassVar[frozenset[str]] = frozenset(
        {"calibration", "deadlines", "feedback", "languages", "outcomes", "second_person"}
    )

    name: str
    version: int = 1
    year: Year = Year()
    calendar: CalendarRule = CalendarRule()
    roll: Roll = Roll.KEEP
    min_days_under_plan: Annotated[int, Field(ge=0, le=366)] = 0
    spread_minutes: Annotated[int, Field(ge=0, le=1440)] = 60
    """Window over which automatic acts are spread; the legal instant does not move."""
    plan: PlanRule = PlanRule()
    plan_review: StageRule = StageRule()
    plan_change: StageRule = StageRule()
    periods: PeriodRule = PeriodRule()
    midyear: StageRule = StageRule()
    self_evaluation: StageRule = StageRule()
    rating: RatingRule = RatingRule()
    calibration: CalibrationRule | None = None
    """Without it a rating is delivered at once."""
    delivery: DeliveryRule = DeliveryRule()
    appeal: AppealRule = AppealRule()
    final_approval: StageRule = StageRule()
    segments: SegmentRule = SegmentRule()
    mandates: MandateRule = MandateRule()
    reopen_needs_second_person: bool = False
    leave_pauses_clocks: bool = False
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=2)] | None = None
    """In which the cycle speaks to its people, the first preferred; None is both, as each chose."""
    deadlines: DeadlineRule = DeadlineRule()
    second_person: tuple[Repair, ...] = ()
    feedback: FeedbackRule = FeedbackRule()
    outcomes: Annotated[tuple[OutcomeRule, ...], Field(max_length=MOST_RULES)] = ()
    """What follows from a final result, rule by rule."""
