"""What the official document shows, part by part, each with a digest that names its content."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Final, NewType

from siklus.workflows.domain import audit
from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import (
    AppealOutcome,
    ExclusionGround,
    Indicator,
    IndicatorLevel,
    Sha256,
)
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.scheme.explained import Step
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest, Level, PersonId, Predicate, Value

PartName = NewType("PartName", str)
"""`plan`, `expectation.2`, `rating`: a part and, of several of a kind, which."""

CASE: Final = PartName("case")
PLAN: Final = PartName("plan")
MIDYEAR_ACCOUNT: Final = PartName("midyear_account")
MIDYEAR_REVIEW: Final = PartName("midyear_review")
SELF_EVALUATION: Final = PartName("self_evaluation")
INTERIM: Final = PartName("interim")
FIRST_RATING: Final = PartName("first_rating")
RATING: Final = PartName("rating")
APPEAL: Final = PartName("appeal")
RESPONSE: Final = PartName("appeal_response")
DECISION: Final = PartName("appeal_decision")


def expectation(number: int) -> PartName:
    """Return the name of the expectation that was added as the so-manieth."""
    return PartName(f"expectation.{number}")


def period(number: int) -> PartName:
    """Return the name of a periodic evaluation."""
    return PartName(f"period.{number}")


def segment(number: int) -> PartName:
    """Return the name of what an earlier segment brought to the year."""
    return PartName(f"segment.{number}")


class Part(Value):
    """Base of every part; texts are in it by their digest alone.

    A field that comes later needs a default that says nothing: what was printed before it keeps
    its digest.
    """

    prose: Digest | None = None

    @property
    def digest(self) -> Digest:
        """SHA-256 in hex over the canonical form of the content."""
        content = self.model_dump(exclude_defaults=True)
        return Digest(hashlib.sha256(audit.canonical(content)).hexdigest())


class Case(Part):
    """Whose evaluation it is, under which rules, and how it ended."""

    employee: PersonId
    supervisor: PersonId
    superior: PersonId | None = None
    approver: PersonId | None = None
    unit: str
    year: int
    served_from_on: date
    policy: str
    policy_version: int
    ended: Stage | None = None
    ground: ExclusionGround | None = None


class Plan(Part):
    """The plan, as submitted or in force."""

    indicators: tuple[Indicator, ...]
    set_by_team: bool = False


class Words(Part):
    """What somebody wrote: an expectation, an account, a review, an appeal, a response."""

    evidence: tuple[Sha256, ...] = ()
    withdrawn: bool = False


class Judgement(Part):
    """Levels or numbers that somebody gave, and what follows from them by the policy."""

    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate | None = None
    combined: Predicate | None = None
    """The year's, where earlier segments count too."""
    numbers: Numbers | None = None
    """Where the policy rates by them; then there are no levels."""
    explanation: tuple[Step, ...] = ()
    """How the predicate came about, line by line, where something was computed."""
    indicators: tuple[IndicatorLevel, ...] = ()
    evidence: tuple[Sha256, ...] = ()
    outcome: AppealOutcome | None = None
    panel: tuple[PersonId, ...] = ()
    """Who sat on the panel that decided, where one did."""


class Earlier(Part):
    """What an earlier segment brought to the year; without a predicate it counts as unrated."""

    days: int
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate | None = None
    score: Decimal | None = None


AnyPart = Case | Plan | Words | Judgement | Earlier


def case_of(state: Evaluation) -> Case:
    """Return the case as a state has it."""
    seats, policy = state.participants, state.policy
    return Case(
        employee=seats.employee,
        supervisor=seats.supervisor,
        superior=seats.superior,
        approver=seats.approver,
        unit=state.unit,
        year=state.terms.year,
        served_from_on=state.served_from_on,
        policy=policy.name,
        policy_version=policy.version,
        ended=state.stage if state.ended else None,
        ground=state.ground,
    )


def judged(
    event: e.PeriodicEvaluationRecorded | e.FirstRated | e.Rated | e.InterimRated | e.AppealDecided,
) -> Judgement:
    """Return what one of these events says."""
    return Judgement(
        prose=event.prose,
        results=event.results,
        behaviour=event.behaviour,
        predicate=event.predicate,
        combined=event.combined if isinstance(event, e.Rated | e.AppealDecided) else None,
        numbers=None if isinstance(event, e.PeriodicEvaluationRecorded) else event.numbers,
        explanation=() if isinstance(event, e.PeriodicEvaluationRecorded) else event.explanation,
        indicators=event.indicators if isinstance(event, e.Rated | e.FirstRated) else (),
        outcome=event.outcome if isinstance(event, e.AppealDecided) else None,
    )
