"""Which events people are told of at once, and whom; everything else waits for a reminder."""

from enum import StrEnum

from siklus.workflows.domain import events as e
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.values import PersonId, Value


class NoticeKind(StrEnum):
    """What a mail is about; REMINDER comes from the ladder, the others from events."""

    REMINDER = "REMINDER"
    ESCALATED = "ESCALATED"
    PLAN_RETURNED = "PLAN_RETURNED"
    RATED = "RATED"
    RATING_RETURNED = "RATING_RETURNED"
    APPEAL_FILED = "APPEAL_FILED"
    APPEAL_DECIDED = "APPEAL_DECIDED"
    APPROVED = "APPROVED"


class EventNotice(Value):
    """One person to tell of one event."""

    number: int
    """The event's number."""
    kind: NoticeKind
    recipient: PersonId


def notices_of(state: Evaluation, entry: e.Entry) -> tuple[EventNotice, ...]:
    """Return whom an event is told to; the one who did it is never told."""
    seats = state.participants
    told: list[tuple[NoticeKind, PersonId | None]] = []
    match entry.event:
        case e.PlanReturned():
            told = [(NoticeKind.PLAN_RETURNED, seats.employee)]
        case e.ResultDelivered():
            told = [(NoticeKind.RATED, seats.employee)]
        case e.RatingReturned():
            told = [(NoticeKind.RATING_RETURNED, seats.supervisor)]
        case e.AppealFiled(decider=decider):
            told = [(NoticeKind.APPEAL_FILED, decider), (NoticeKind.APPEAL_FILED, state.rater)]
        case e.AppealDecided():
            told = [(NoticeKind.APPEAL_DECIDED, seats.employee)]
            told.append((NoticeKind.APPEAL_DECIDED, state.rater))
        case e.EvaluationApproved():
            told = [(NoticeKind.APPROVED, seats.employee)]
        case e.TaskEscalated(to=to):
            told = [(NoticeKind.ESCALATED, to)]
        case _:
            pass
    return tuple(
        EventNotice(number=entry.number, kind=kind, recipient=recipient)
        for kind, recipient in dict.fromkeys(told)
        if recipient is not None and recipient != entry.actor
    )
