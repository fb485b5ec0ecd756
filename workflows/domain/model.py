"""The state of one evaluation: only ever what folding its events gives."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import ClassVar

from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands import (
    AppealOutcome,
    ExclusionGround,
    Indicator,
    IndicatorLevel,
)
from siklus.workflows.domain.deadlines import Due, Stretch
from siklus.workflows.domain.events import Receipt
from siklus.workflows.domain.panel import PanelSeat, Spoken, spoken
from siklus.workflows.domain.policy import Panel, Policy
from siklus.workflows.domain.scheme.explained import Step
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.stages import ENDED, Stage, Task, TaskKind
from siklus.workflows.domain.values import (
    Digest,
    EvaluationKey,
    Grown,
    Instant,
    Level,
    PersonId,
    Predicate,
    Value,
)


class Terms(Value):
    """What an evaluation is judged by, pinned at its start."""

    policy: Policy
    calendar: Calendar
    year: int


class Participants(Value):
    """The seats of an evaluation and who fills them."""

    employee: PersonId
    supervisor: PersonId
    superior: PersonId | None = None
    """The supervisor's own superior; None at the top of the line."""
    approver: PersonId | None = None


class Start(Value):
    """All that an evaluation needs to begin; the workflow's first input."""

    key: EvaluationKey
    terms: Terms
    participants: Participants
    unit: str
    served_from_on: date
    superiors: dict[PersonId, PersonId | None] = {}
    """Whom escalations reach from here, as far as known; further levels are looked up."""
    from_rating: bool = False
    """The employee joins at the rating (study assignment)."""


class Plan(Value):
    """The plan as it stands; `version` 0 until the first approval."""

    version: int = 0
    indicators: tuple[Indicator, ...] = ()
    prose: Digest | None = None
    submitted_at: Instant | None = None
    approved_at: Instant | None = None
    set_by_team: bool = False
    returns: int = 0
    due: Due | None = None
    """When the plan was last due; a withdrawal keeps it."""
    proposed: tuple[Indicator, ...] | None = None
    """A change that waits for the supervisor."""
    proposed_prose: Digest | None = None


class Period(Value):
    """One periodic evaluation: open, recorded or skipped."""

    number: int
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate | None = None
    recorded_at: Instant | None = None
    skipped: bool = False


class Midyear(Value):
    """The midyear review: open, accounted for, reviewed, missed or skipped."""

    opened_at: Instant | None = None
    account_at: Instant | None = None
    account_overdue: bool = False
    reviewed_at: Instant | None = None
    missed: bool = False
    skipped: bool = False

    @property
    def settled(self) -> bool:
        """Tell whether nothing more can come of it."""
        return self.reviewed_at is not None or self.missed or self.skipped


class SelfEvaluation(Value):
    """The employee's own view: open, submitted or missed."""

    opened_at: Instant | None = None
    submitted_at: Instant | None = None
    results: Level | None = None
    behaviour: Level | None = None
    missed: bool = False

    @property
    def settled(self) -> bool:
        """Tell whether it was submitted or missed."""
        return self.submitted_at is not None or self.missed


class Rating(Value):
    """One rating in the order given; an appeal's decision adds one, it never replaces."""

    rater: PersonId
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate
    combined: Predicate
    """The year's predicate, where earlier segments count too; else the same."""
    rated_at: Instant
    by_appeal: bool = False
    given_by: str = ""
    """Who acted, where that was somebody in the rater's name."""
    indicators: tuple[IndicatorLevel, ...] = ()
    numbers: Numbers | None = None
    """Where the policy rates by numbers; then there are no levels."""
    explanation: tuple[Step, ...] = ()

    @property
    def score(self) -> Decimal | None:
        """The year's score, where the policy rates by numbers."""
        return None if self.numbers is None else self.numbers.of_the_year


class Calibration(Value):
    """What is kept of the stage before delivery, where the policy has it."""

    due: Due | None = None
    """Until when the last rating waited in it; one that is given again has the rest."""
    withheld_from: int | None = None
    """Number of the first event about a rating that the employee is not shown yet."""
    shown: int = 0
    """How many of the ratings the employee has been shown."""


class Appeal(Grown, Value):
    """The one appeal."""

    added: ClassVar[frozenset[str]] = frozenset({"answered_by", "panel", "seats"})

    filed_at: Instant
    decider: PersonId | None
    top_of_hierarchy: bool = False
    response_due_at: Instant | None = None
    decision_due_at: Instant | None = None
    responded_at: Instant | None = None
    response_missed: bool = False
    withdrawn_at: Instant | None = None
    outcome: AppealOutcome | None = None
    decided_at: Instant | None = None
    decided_by: str | None = None
    seats: tuple[PanelSeat, ...] = ()
    """Who decides together, where the policy has a panel."""
    panel: Panel | None = None
    """The policy's, so that whoever reads the appeal knows how many decide."""
    answered_by: tuple[PersonId, ...] = ()
    """Who answered for the rating, and in whose name."""

    def seat_of(self, person: PersonId | None) -> PanelSeat | None:
        """Return somebody's place on the panel."""
        return next((seat for seat in self.seats if seat.member == person), None)

    def waits_for_others(self, number: int) -> bool:
        """Tell whether a seat has spoken while others who could still decide have not.

        Once all have spoken, and nothing is decided, it waits for all of them again.
        """
        if self.panel is None or self.withdrawn_at is not None or self.outcome is not None:
            return False
        silent = [seat.number for seat in self.seats if seat.vote is None]
        alone = len(self.seats) < self.panel.quorum
        return number not in silent and (alone or bool(silent))


class Last(Value):
    """The newest event in brief, for whoever comes too late."""

    kind: str
    actor: str
    at: Instant


class SegmentResult(Value):
    """What an earlier segment brings to the year; without levels or a score it is unrated."""

    segment: int
    days: int
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate | None = None
    score: Decimal | None = None
    innovation: bool = False
    conditions: tuple[str, ...] = ()
    """Which of the policy's conditions for a cap held; its score is capped by them already."""


class Leave(Stretch):
    """A leave of the employee as it was last recorded; the own clocks stand still on its days."""

    given_to_on: date
    """The last day that it was ever recorded to; what leave has given is not given again."""
    recorded_at: Instant


class Repair(Value):
    """An act that one member of the team asked for and a second one has to give as well."""

    command: str
    content: Digest
    by: str
    at: Instant


class Evaluation(Value):
    """One employee's evaluation for one segment of one cycle."""

    schema_version: int = 1
    key: EvaluationKey
    terms: Terms
    revision: int = 0
    head: Digest
    participants: Participants
    unit: str
    served_from_on: date
    superiors: dict[PersonId, PersonId | None] = {}
    from_rating: bool = False
    involved: tuple[PersonId, ...] = ()
    """Everybody who ever held a seat, was escalated to or acted: they may go on looking."""
    stage: Stage = Stage.PLAN
    stage_since_at: Instant | None = None
    stage_before_end: Stage | None = None
    tasks: tuple[Task, ...] = ()
    plan: Plan = Plan()
    periods: tuple[Period, ...] = ()
    midyear: Midyear = Midyear()
    self_evaluation: SelfEvaluation = SelfEvaluation()
    ratings: tuple[Rating, ...] = ()
    first: Rating | None = None
    """What the first of two raters gave, once that happened."""
    rating_returns: int = 0
    calibration: Calibration | None = None
    delivered_at: Instant | None = None
    received_at: Instant | None = None
    received_how: Receipt | None = None
    accepted_at: Instant | None = None
    window_due_at: Instant | None = None
    appeal: Appeal | None = None
    approved_at: Instant | None = None
    approved_by: str | None = None
    referred: bool = False
    segments: tuple[SegmentResult, ...] = ()
    closing_on: date | None = None
    interim: SegmentResult | None = None
    ground: ExclusionGround | None = None
    reopening_by: str | None = None
    """Who asked first for a reopening that needs two."""
    repair: Repair | None = None
    """What waits for a second person; whatever a person does in between sets it aside."""
    gone: tuple[PersonId, ...] = ()
    """Who was replaced, or left: no new task is given to them."""
    moved: dict[str, date] = {}
    """Last days that the team has set, by task id; they hold for tasks still to come."""
    outages: tuple[str, ...] = ()
    """The outages that were made good."""
    leaves: tuple[Leave, ...] = ()
    """Only kept where the policy pauses clocks for them."""
    calendar_digest: Digest | None = None
    """Of the calendar in force, once it was replaced."""
    opened_at: Instant | None = None
    last: Last | None = None
    settled: dict[str, Last] = {}
    """How each task ended that is open no more, by its id."""

    @property
    def ended(self) -> bool:
        """Tell whether only a reopening may follow."""
        return self.stage in ENDED

    @property
    def policy(self) -> Policy:
        """The rules pinned at the start."""
        return self.terms.policy

    @property
    def calendar(self) -> Calendar:
        """The unit's days."""
        return self.terms.calendar

    @property
    def under_plan_since(self) -> Instant | None:
        """When the plan came into force; where the policy asks for none, the opening."""
        if self.plan.approved_at is not None or self.policy.plan.enabled or self.from_rating:
            return self.plan.approved_at
        return self.opened_at

    @property
    def spoken(self) -> Spoken | None:
        """How many of an appeal's panel have spoken; None where no panel decides."""
        appeal = self.appeal
        if appeal is None or appeal.panel is None:
            return None
        return spoken(appeal.panel, appeal.seats)

    @property
    def open_periods(self) -> tuple[Period, ...]:
        """The periods that wait for their evaluation, or never got one."""
        return tuple(p for p in self.periods if not p.skipped and p.recorded_at is None)

    @property
    def rating(self) -> Rating | None:
        """The rating that stands."""
        return self.ratings[-1] if self.ratings else None

    @property
    def appeal_spent(self) -> bool:
        """Tell whether the one appeal was used.

        A withdrawal spends it against the rating it was about. Where that one was returned, or
        sent back, the new rating is another result, and nothing was decided: it may be appealed.
        """
        appeal, rating = self.appeal, self.rating
        if appeal is None:
            return False
        return (
            appeal.withdrawn_at is None or rating is None or rating.rated_at < appeal.withdrawn_at
        )

    @property
    def rater(self) -> PersonId | None:
        """Who actually rated, appeals aside."""
        given = [rating for rating in self.ratings if not rating.by_appeal]
        return given[-1].rater if given else None

    @property
    def raters(self) -> frozenset[PersonId]:
        """Whoever had a hand in the rating that is appealed: the rater, and who stood in."""
        given = [rating for rating in self.ratings if not rating.by_appeal][-1:]
        return _people_of(given) | (self.first_raters if given else frozenset())

    @property
    def first_raters(self) -> frozenset[PersonId]:
        """Whoever had a hand in the first of two ratings."""
        return _people_of([self.first] if self.first else [])

    def task(self, kind: TaskKind, number: int = 0) -> Task | None:
        """Return the open task of that kind, or None."""
        for task in self.tasks:
            if task.kind is kind and task.number == number:
                return task
        return None


def _people_of(ratings: Iterable[Rating]) -> frozenset[PersonId]:
    return frozenset(PersonId(name) for r in ratings for name in (r.rater, r.given_by) if name)
