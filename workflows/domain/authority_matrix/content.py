"""Valid content for every command, so that only who asks and when are in question."""

from datetime import datetime, timedelta
from typing import Any

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level, PersonId

WORDS = "Teks contoh"
INDICATOR = "antrean"
CALIBRATION = "kalibrasi"
SPARE = PersonId("pengganti")
"""Whom a command names where it does not matter."""
ANOTHER = PersonId("rekan")
"""Beside them, where it names several."""
_RATINGS = (c.Rate, c.DecideAppeal, c.RecordSegmentResult)
_SAID = ("reason", "note", "expectation", "account", "dialogue", "reasons", "response")


def _before(stage: Stage) -> Stage:
    """Return a stage to which there may be a way back."""
    after_rating = {
        Stage.CALIBRATION,
        Stage.DELIVERY,
        Stage.APPEAL_WINDOW,
        Stage.FINAL_APPROVAL,
    }
    return Stage.RATING if stage in after_rating else Stage.PLAN


def content(kind: str, state: Evaluation, at: datetime, *, person: PersonId | None = None) -> Any:
    """Return a command of that kind which fits the evaluation as it stands at that instant.

    `person` is whom a command names: who gets a seat, or whose superior is told.
    """
    command = c.COMMANDS[kind]
    today = at.astimezone(state.calendar.tz).date()
    last_day = state.policy.year.ends.in_year(state.terms.year)
    kinds = state.policy.plan.indicators.kinds
    needed = kinds if state.policy.plan.indicators.each_kind_required else kinds[:1]
    plan = tuple(
        c.Indicator(id=f"{INDICATOR}-{number}", kind=c.IndicatorKind(kind.upper()))
        for number, kind in enumerate(needed)
    )
    fields: dict[str, Any] = {
        "prose": {
            path: WORDS for path in (*_SAID, *(f"indicators.{i.id}.description" for i in plan))
        },
        "indicators": plan,
        "approved": True,
        "accepted": True,
        "period": state.open_periods[0].number if state.open_periods else 1,
        "results": Level.AT,
        "behaviour": Level.AT,
        "outcome": c.AppealOutcome.UPHELD,
        "seat": c.Seat.SUPERVISOR,
        "person": person or SPARE,
        "superior": None,
        "closing_on": min(today, last_day),
        "ground": c.ExclusionGround.OTHER,
        "leaving": state.participants.supervisor,
        "successor": None,
        "departure": c.Departure.RETIRED,
        "leave": c.LeaveKind.ANNUAL,
        "from_on": today,
        "to_on": today + timedelta(days=5),
        "task": state.tasks[0].kind if state.tasks else TaskKind.RATE,
        "number": state.tasks[0].number if state.tasks else 0,
        "due_on": today + timedelta(days=90),
        "outage": "gangguan",
        "began_at": at - timedelta(hours=2),
        "ended_at": at - timedelta(hours=1),
        "stage": _before(state.stage),
        "reopen_passed": True,
        "entry": c.Correctable.SELF_EVALUATION,
        "calendar": state.calendar.model_copy(update={"version": "baru"}),
        "segment": 1,
        "days": 90,
        "calibration": CALIBRATION,
        "members": (SPARE, ANOTHER),
    }
    if command is c.Rate:
        each = state.policy.rating.per_indicator
        levels = (c.IndicatorLevel(id=i.id, level=Level.AT) for i in state.plan.indicators)
        fields["indicators"] = tuple(levels) if each else ()
    rule = state.policy.rating.weighted
    if command in _RATINGS and rule is not None:
        fields |= {"results": None, "behaviour": None, "indicators": ()}
        top = rule.bands[0].from_score
        fields["numbers"] = GivenNumbers(
            results=top if rule.weights.results else None,
            behaviour=top if rule.weights.behaviour else None,
        )
        if command is c.RecordSegmentResult:
            fields["score"] = top
    if command is c.CorrectEntry:
        # Other levels than those that were written down.
        fields |= {"number": 0, "results": Level.BELOW}
    if command is c.DecideAppeal:
        # Upheld levels are the rating's own.
        fields |= {"results": None, "behaviour": None, "numbers": None}
    if command is c.RecordMidyearReview:
        fields["indicators"] = ()
    return command(**{name: fields[name] for name in command.model_fields if name in fields})
