"""What happens next to a waiting task if nobody acts: asked of the clock, never guessed."""

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from siklus.workflows.domain import events as e
from siklus.workflows.domain.decide.clock import possible_acts
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Task, TaskKind
from siklus.workflows.domain.values import PersonId, Value


class NextStep(StrEnum):
    """What the clock does, as people are told."""

    REMIND = "REMIND"
    ESCALATE = "ESCALATE"
    TEAM_ACTS = "TEAM_ACTS"
    GO_ON = "GO_ON"
    LAPSE = "LAPSE"
    DEEM_RECEIVED = "DEEM_RECEIVED"


class Next(Value):
    """One step: its legal instant and whom it reaches; `to` None is the team or nobody."""

    step: NextStep
    at: datetime
    to: PersonId | None = None


class Upcoming(Value):
    """A task that the calendar will bring."""

    kind: TaskKind
    at: datetime


_STEPS: dict[type[e.Event], NextStep] = {
    e.TaskFlagged: NextStep.TEAM_ACTS,
    e.ResultReceived: NextStep.DEEM_RECEIVED,
    e.AppealWindowLapsed: NextStep.LAPSE,
    e.SegmentUnrated: NextStep.LAPSE,
    e.AppealResponseMissed: NextStep.GO_ON,
    e.MidyearAccountOverdue: NextStep.GO_ON,
    e.MidyearMissed: NextStep.GO_ON,
    e.SelfEvaluationMissed: NextStep.GO_ON,
    e.SelfEvaluationOpened: NextStep.GO_ON,
    e.RatingOpened: NextStep.GO_ON,
    e.CalibrationPassed: NextStep.GO_ON,
}


def next_for(state: Evaluation, task: Task, now: datetime) -> Next | None:
    """Return the first thing that the clock does about a task, reminders included."""
    steps = [*_acts_on(state, task), *_reminders(state, task, now)]
    return min(steps, key=lambda step: step.at) if steps else None


def upcoming(state: Evaluation) -> Upcoming | None:
    """Return the next task that opens by itself, whoever will have it."""
    open_now = {task.id for task in state.tasks}
    coming = [
        Upcoming(kind=task.kind, at=legal_at)
        for legal_at, events in possible_acts(state)
        for event in events
        if isinstance(event, _OPENINGS)
        for task in event.opens
        if task.id not in open_now
    ]
    return min(coming, key=lambda opening: opening.at) if coming else None


_OPENINGS = (e.PeriodOpened, e.MidyearOpened, e.SelfEvaluationOpened, e.RatingOpened)


def _acts_on(state: Evaluation, task: Task) -> list[Next]:
    steps = []
    for legal_at, events in possible_acts(state):
        for event in events:
            if isinstance(event, e.TaskEscalated) and event.task == task.id:
                steps.append(Next(step=NextStep.ESCALATE, at=legal_at, to=event.to))
            elif _ends(event, task) and type(event) in _STEPS:
                steps.append(Next(step=_STEPS[type(event)], at=legal_at))
    if task.escalates_at is not None and not any(s.step is NextStep.ESCALATE for s in steps):
        flagged = any(step.step is NextStep.TEAM_ACTS for step in steps)
        if not flagged:
            steps.append(Next(step=NextStep.ESCALATE, at=task.escalates_at))
    return steps


def _ends(event: e.AnyEvent, task: Task) -> bool:
    if isinstance(event, e.TaskFlagged):
        return event.task == task.id
    overdue = isinstance(event, e.MidyearAccountOverdue) and task.kind == "MIDYEAR_ACCOUNT"
    return overdue or task.id in event.closes


def _reminders(state: Evaluation, task: Task, now: datetime) -> list[Next]:
    zone = ZoneInfo(state.calendar.zone)
    mornings = (datetime.fromisoformat(on).replace(hour=8, tzinfo=zone) for _, on in task.remind_on)
    return [Next(step=NextStep.REMIND, at=morning) for morning in mornings if morning > now][:1]
