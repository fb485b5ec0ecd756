"""Whom to tell of what is no event of an evaluation: what follows from it, plans, feedback rounds.

No news names a result, a kind of outcome or how a plan ended: a mail may be read by others.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Final, assert_never

from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.outcomes.improvement import ImprovementPlan, PlanEvent, PlanEventKind
from siklus.workflows.domain.outcomes.rules import OutcomeKind, OutcomeRule
from siklus.workflows.domain.values import PersonId, Value

FEEDBACK_REMINDED_BEFORE: Final = timedelta(days=3)
"""Before a round's last day (our decision)."""
FEEDBACK_NEWS_WITHIN: Final = timedelta(days=7)
"""After that day it is no news that a round has closed (our decision)."""
CONFIDENTIAL: Final = frozenset({NoticeKind.FEEDBACK_ASKED, NoticeKind.FEEDBACK_REMINDED})
"""Told to those who are asked, and not in the evaluation's ledger: nobody else is shown who is."""
_ARRANGED_BY_SUPERVISOR: Final = frozenset(
    {OutcomeKind.DEVELOPMENT_PLAN, OutcomeKind.COACHING, OutcomeKind.IMPROVEMENT_PLAN}
)


class News(Value):
    """One person to tell of one thing; `matter` names it, and a reader is told of it once."""

    matter: str
    kind: NoticeKind
    recipient: PersonId


def news_of_outcomes(
    revision: int, employee: PersonId, supervisor: PersonId, rules: Collection[OutcomeRule]
) -> tuple[News, ...]:
    """Return who is told that something follows from the result after that event.

    The employee; the supervisor too where a rule asks something of them and opens no plan with
    steps, because such a plan tells by itself (our decision).
    """
    arranged = any(each.kind in _ARRANGED_BY_SUPERVISOR and not each.steps for each in rules)
    told = ([employee] if rules else []) + ([supervisor] if arranged else [])
    return tuple(
        News(matter=f"outcomes.{revision}", kind=NoticeKind.OUTCOMES_DRAWN, recipient=who)
        for who in told
    )


def news_of_plan(plan: ImprovementPlan, *, after: int) -> tuple[News, ...]:
    """Return who is told of a plan's events after that number; its opening is number 0.

    Nobody is told of what they did, nor of a late step: the ladder reminds of that. Whoever was
    given the plan since is told of that, and not of an opening before it.
    """
    handed = any(event.kind is PlanEventKind.HANDED_OVER for event in plan.events)
    sides = (plan.employee,) if handed else (plan.employee, plan.supervisor)
    told = [(0, NoticeKind.IMPROVEMENT_OPENED, who) for who in sides]
    for event in plan.events:
        told += [(event.number, *one) for one in _told(plan, event)]
    return tuple(
        News(
            matter=f"plan.{plan.code}.{plan.opened_at.isoformat()}.{number}",
            kind=kind,
            recipient=who,
        )
        for number, kind, who in told
        if number > after
    )


def news_of_round(round_: str, kind: NoticeKind, readers: Collection[PersonId]) -> tuple[News, ...]:
    """Return that readers are told of a round of feedback."""
    matter = f"feedback.{round_}"
    return tuple(News(matter=matter, kind=kind, recipient=reader) for reader in readers)


def _told(plan: ImprovementPlan, event: PlanEvent) -> list[tuple[NoticeKind, PersonId]]:
    told: list[tuple[NoticeKind, PersonId]]
    match event.kind:
        case PlanEventKind.CHECKED_IN:
            told = [(NoticeKind.IMPROVEMENT_RECORDED, plan.employee)]
        case PlanEventKind.HANDED_OVER:
            to = event.supervisor or plan.supervisor
            told = [(NoticeKind.IMPROVEMENT_HANDED_OVER, to)]
        case PlanEventKind.CLOSED:
            sides = (plan.employee, plan.supervisor)
            told = [(NoticeKind.IMPROVEMENT_ENDED, who) for who in sides]
        case PlanEventKind.STEP_LATE:
            told = []
        case _:
            assert_never(event.kind)
    return [(kind, who) for kind, who in told if who != event.actor]
