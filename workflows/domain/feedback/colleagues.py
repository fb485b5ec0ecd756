"""Colleagues asked about one employee: by policy, once each, and without their names if so agreed.

An anonymous answer is anonymous for real: whoever answered is noted in one place, what was
answered in another, of its time the week alone, and nothing leads from one to the other. None is
shown before the round closes, as whoever looked twice would know who came between; and none where
fewer answered than the policy wants.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.feedback.contacts import Scores, scores_of
from siklus.workflows.domain.feedback.rules import ColleagueRule
from siklus.workflows.domain.values import Digest, Instant, PersonId, Value


class Group(StrEnum):
    """Which colleagues of the employee are asked."""

    PEERS = "PEERS"
    SUBORDINATES = "SUBORDINATES"


class Round(Value):
    """One group that was asked about one employee."""

    person: PersonId
    group: Group
    anonymous: bool
    invited: int
    min_answers: int
    closes_at: Instant

    def closed(self, now: datetime) -> bool:
        """Tell whether it can be answered no more."""
        return now >= self.closes_at


class Answer(Value):
    """What one colleague said; `author` only where the policy wants names."""

    score: int
    comment: str | None = None
    author: PersonId | None = None


def must_be_inviter(by: PersonId, employee: PersonId, supervisor: PersonId, *, team: bool) -> None:
    """Refuse who may not have colleagues asked: only the supervisor and the agency's team may."""
    if by == employee:
        raise Refusal(Reason.SELF_DECISION, "nobody has colleagues asked about themselves")
    if by != supervisor and not team:
        raise Refusal(Reason.NOT_YOUR_TASK, "the supervisor or the team has colleagues asked")


def answers_wanted(rule: ColleagueRule, group: Group, people: Collection[PersonId]) -> int:
    """Return how many must answer; refuse a group that the policy does not ask, or too small."""
    wanted = rule.peers if group is Group.PEERS else rule.subordinates
    if not wanted:
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, "the policy of this cycle does not ask them")
    if len(people) < wanted:
        raise Refusal(
            Reason.NOT_ALLOWED_BY_POLICY,
            f"the group has {len(people)} people, and {wanted} must answer",
            details={"people": str(len(people)), "min_answers": str(wanted)},
        )
    return wanted


def must_be_answerable(
    round_: Round,
    by: PersonId,
    *,
    answered: bool | None,
    same_request: bool,
    now: datetime,
) -> bool:
    """Tell whether this very request answered before; refuse who may not answer.

    `answered` is None for somebody who was not asked.
    """
    if by == round_.person:
        raise Refusal(Reason.SELF_DECISION, "nobody gives feedback on themselves")
    if answered is None:
        raise Refusal(Reason.NOT_A_PARTICIPANT, "you are not asked about this colleague")
    if round_.closed(now):
        raise Refusal(
            Reason.WINDOW_CLOSED,
            "the round is closed",
            details={"closed_at": round_.closes_at.isoformat(), "rule": "feedback.colleagues"},
        )
    if answered and not same_request:
        raise Refusal(Reason.ALREADY_DONE, "you answered; what was said cannot be told or changed")
    return answered


def shown(round_: Round, answers: Sequence[Answer], now: datetime) -> tuple[Answer, ...] | None:
    """Return what may be shown, in an order that tells nothing; None for nothing at all."""
    if not round_.closed(now) or len(answers) < round_.min_answers:
        return None
    ordered = sorted(answers, key=lambda each: (each.score, each.comment or ""))
    if round_.anonymous:
        return tuple(each.model_copy(update={"author": None}) for each in ordered)
    return tuple(ordered)


def scores_of_answers(answers: Sequence[Answer]) -> Scores:
    """Return how they are spread, without days."""
    counted: dict[int, int] = {}
    for each in answers:
        counted[each.score] = counted.get(each.score, 0) + 1
    return scores_of(counted, None, None)


def week_of(day: date) -> date:
    """Return the Monday of a day's week: all that is kept of when an answer came."""
    return day - timedelta(days=day.weekday())


def request_mark(round_: str, by: PersonId, request_id: str) -> Digest:
    """Return by what a request sent again is known; nothing of what was said is in it."""
    return Digest(hashlib.sha256(f"{round_}/{by}/{request_id}".encode()).hexdigest())
