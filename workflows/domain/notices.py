"""Which events people are told of, and whom; everything else waits for a reminder.

What is no event of an evaluation, and is told all the same, is in `news`.
"""

from enum import StrEnum
from typing import Final

from siklus.workflows.domain import events as e
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import RATINGS
from siklus.workflows.domain.values import PersonId, Value


class NoticeKind(StrEnum):
    """What a mail is about; REMINDER comes from the ladder, the others from what happened."""

    REMINDER = "REMINDER"
    ESCALATED = "ESCALATED"
    PLAN_RETURNED = "PLAN_RETURNED"
    RATED = "RATED"
    RATING_RETURNED = "RATING_RETURNED"
    APPEAL_FILED = "APPEAL_FILED"
    APPEAL_DECIDED = "APPEAL_DECIDED"
    APPROVED = "APPROVED"
    APPEAL_HEARD = "APPEAL_HEARD"
    """The rater responded, or the time to is over: it can be decided."""
    APPEAL_WITHDRAWN = "APPEAL_WITHDRAWN"
    OUTCOMES_DRAWN = "OUTCOMES_DRAWN"
    IMPROVEMENT_OPENED = "IMPROVEMENT_OPENED"
    IMPROVEMENT_RECORDED = "IMPROVEMENT_RECORDED"
    IMPROVEMENT_HANDED_OVER = "IMPROVEMENT_HANDED_OVER"
    IMPROVEMENT_ENDED = "IMPROVEMENT_ENDED"
    FEEDBACK_ASKED = "FEEDBACK_ASKED"
    FEEDBACK_REMINDED = "FEEDBACK_REMINDED"
    FEEDBACK_CLOSED = "FEEDBACK_CLOSED"


URGENT: Final = frozenset({NoticeKind.RATED, NoticeKind.APPEAL_FILED})
"""Told at any hour: from these a clock runs for the reader that the law or the policy ends. All
else waits for working hours (our decision)."""


class Channel(StrEnum):
    """How a person is told. There is no channel that tells nothing: a result has legal effects."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    """The agency's own system gets the digest, and passes it on."""


class NoticeState(StrEnum):
    """What became of a notice."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    FAILED = "FAILED"
    """Given up: an administrator mends the address and asks for it again."""
    DROPPED = "DROPPED"
    """No longer wanted before it was sent: the task is done, moved or another's."""


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
        case e.RatingReturned() | e.RatingSentBack():
            holders = (task.holder for task in state.tasks if task.kind in RATINGS)
            told = [(NoticeKind.RATING_RETURNED, who) for who in holders]
        case e.AppealFiled(decider=decider, panel=panel):
            to = (decider, *panel, state.rater)
            told = [(NoticeKind.APPEAL_FILED, person) for person in to]
        case e.PanelSeated(opens=opens):
            # Of those who stay the reminders may change: that is no news.
            new = (task.holder for task in opens if task.opened_at == entry.occurred_at)
            told = [(NoticeKind.APPEAL_FILED, holder) for holder in new]
        case e.AppealResponded() | e.AppealResponseMissed():
            told = [(NoticeKind.APPEAL_HEARD, who) for who in (*_deciders(state), seats.employee)]
        case e.AppealWithdrawn():
            told = [(NoticeKind.APPEAL_WITHDRAWN, who) for who in (*_deciders(state), state.rater)]
        case e.AppealDecided():
            all_sides = (seats.employee, state.rater, seats.approver)
            told = [(NoticeKind.APPEAL_DECIDED, who) for who in all_sides]
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


def _deciders(state: Evaluation) -> tuple[PersonId | None, ...]:
    appeal = state.appeal
    return (appeal.decider, *(seat.member for seat in appeal.seats)) if appeal else ()
