"""The clocks of a policy by name: from `appeal_window` to a deadline that explains itself."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.deadlines import Due, after, for_clock
from siklus.workflows.domain.policy import Clock, Count, Policy, Roll, Span, StageRule
from siklus.workflows.domain.values import Instant


class UnknownClock(ValueError):  # noqa: N818 - what it is, in the words of the field
    """A name that is no clock, or a clock that this policy switches off."""


def _calibration(policy: Policy) -> Span | None:
    return policy.calibration.due if policy.calibration is not None else None


def _receipt(policy: Policy) -> Span | None:
    days = policy.delivery.deemed_after_days
    return None if days is None else Span(days=days)


SPANS: Mapping[str, tuple[str, Callable[[Policy], Span | None]]] = {
    "plan_return": ("plan.return_days", lambda policy: policy.plan.return_days),
    "periodic_evaluation": ("periods.due", lambda policy: policy.periods.due),
    "calibration": ("calibration.due", _calibration),
    "receipt": ("delivery.deemed_after_days", _receipt),
    "appeal_window": ("appeal.window", lambda policy: policy.appeal.window),
    "appeal_response": ("appeal.respond_within", lambda policy: policy.appeal.respond_within),
    "appeal_decision": ("appeal.decide_within", lambda policy: policy.appeal.decide_within),
    "interim_rating": ("segments.interim_due", lambda policy: policy.segments.interim_due),
}
"""Clocks of n days: name → policy path and span."""

STAGES: Mapping[str, Callable[[Policy], StageRule]] = {
    "plan": lambda policy: policy.plan,
    "plan_review": lambda policy: policy.plan_review,
    "plan_change": lambda policy: policy.plan_change,
    "midyear": lambda policy: policy.midyear,
    "self_evaluation": lambda policy: policy.self_evaluation,
    "rating": lambda policy: policy.rating,
    "final_approval": lambda policy: policy.final_approval,
}
"""Clocks of stages: the name is the section of the policy."""


def due_by_name(
    policy: Policy,
    calendar: Calendar,
    name: str,
    event_at: Instant,
    *,
    year: int | None = None,
    days: int | None = None,
    count: Count | None = None,
    roll: Roll | None = None,
) -> Due:
    """Return the deadline of a named clock from an event, with parts of it put otherwise.

    For a stage the event is the entry into it, and `year` the cycle's; without one it is the
    latest cycle that had reached the stage by then. `days` and `count` change the days that
    follow the event. Raises `UnknownClock`.
    """
    changes = {key: value for key, value in (("days", days), ("count", count)) if value is not None}
    if name in SPANS:
        path, span_of = SPANS[name]
        span = span_of(policy)
        if span is None or (name.startswith("appeal_") and not policy.appeal.enabled):
            raise UnknownClock(f"the policy {policy.name} switches {name} off")
        changed = Span.model_validate({**span.model_dump(), **changes})
        if roll is not None:
            changed = changed.model_copy(update={"roll": roll})
        return after(calendar, event_at, changed, rule=path, default_roll=policy.roll)
    if name not in STAGES:
        known = ", ".join(sorted({*SPANS, *STAGES}))
        raise UnknownClock(f"{name!r} is no clock of a policy; there are {known}")
    stage = STAGES[name](policy)
    clock = _changed(stage.due, changes, roll)
    cycle = year if year is not None else _cycle(policy, stage, event_at, calendar)
    due = for_clock(
        calendar, clock, cycle, event_at, rule=f"{name}.due", default_roll=roll or policy.roll
    )
    if due is None or not stage.enabled:
        raise UnknownClock(f"the policy {policy.name} sets no due time for {name}")
    return due


def _changed(clock: Clock, changes: Mapping[str, object], roll: Roll | None) -> Clock:
    part = "after" if clock.on is None else "min_days"
    span = clock.after if clock.on is None else clock.min_days
    if span is not None and (changes or roll):
        updates = {**changes, "roll": roll or span.roll}
        span = Span.model_validate({**span.model_dump(), **updates})
    return clock.model_copy(update={part: span, "roll": roll or clock.roll})


def _cycle(policy: Policy, stage: StageRule, event_at: Instant, calendar: Calendar) -> int:
    on = event_at.astimezone(calendar.tz).date()
    return next(
        year for year in range(on.year + 1, on.year - 4, -1) if _begins(policy, stage, year) <= on
    )


def _begins(policy: Policy, stage: StageRule, year: int) -> date:
    if stage.opens is not None:
        return stage.opens.in_year(year)
    if stage.due.on is not None and stage.due.on.offset > policy.year.ends.offset:
        return policy.year.ends.in_year(year) + timedelta(days=1)
    return policy.year.starts.in_year(year)
