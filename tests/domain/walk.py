"""Random walks through an evaluation's life: mostly what could come next, now and then not."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.calendar import Calendar, DayOff
from siklus.workflows.domain.decide import decide, open_evaluation, tick
from siklus.workflows.domain.decide.clock import next_wake, unknown_superior
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.evolve import fold
from siklus.workflows.domain.model import Evaluation, Start
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import Level, PersonId, Role
from tests.domain.story import (
    AGUS,
    BUDI,
    LINE,
    RINA,
    SITI,
    WAYAN,
    ZONES,
    make_policy,
    make_start,
)
from tests.domain.vouched import vouched

WAYS_BACK = (
    Stage.PLAN,
    Stage.PLAN_REVIEW,
    Stage.MIDYEAR,
    Stage.SELF_EVALUATION,
    Stage.RATING,
    Stage.APPEAL_WINDOW,
    Stage.EXECUTION,
)
TO_COME = Task(kind=TaskKind.RATE, holder=BUDI, opened_at=datetime(2026, 1, 1, tzinfo=UTC))
OFF: dict[str, Any] = {"enabled": False}
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"periods": {"per_year": 4}},
    {"periods": {"per_year": 12}, "reopen_needs_second_person": True},
    {"appeal": {"decided_by": "team", "may_lower": True}},
    {"appeal": {"decided_by": "panel", "panel": {"members": 3, "quorum": 2}, "may_lower": True}},
    {"appeal": OFF, "midyear": OFF},
    {"appeal": {"top_of_hierarchy": True}, "rating": {"max_returns": 1}},
    {"rating": {"second": {"combine": "second"}}},
    {"calibration": {}},
    {"calibration": {"due": {"days": 3}, "late": {"act": "team_acts"}}},
    {"segments": {"combine": "longest"}, "min_days_under_plan": 90},
    {"self_evaluation": OFF, "plan": {"late": {"act": "escalate"}, "max_returns": 0}},
    {"plan": OFF, "final_approval": OFF, "plan_change": OFF},
    {"leave_pauses_clocks": True, "second_person": ["cancel", "return_to_stage", "reassign"]},
    {"leave_pauses_clocks": True, "roll": "next"},
    {"plan_review": OFF, "midyear": {"due": {"on": None, "after": {"days": 20}}}},
)
LINES: tuple[dict[PersonId, PersonId | None], ...] = (
    LINE,
    LINE,
    {},
    {BUDI: None},
    {BUDI: RINA, RINA: BUDI},
    {BUDI: RINA, RINA: SITI, SITI: BUDI},
)
ROSTER: dict[PersonId, PersonId | None] = {**LINE, WAYAN: RINA, PersonId("tim"): AGUS}
OPENINGS = (
    *(datetime(2026, 1, 2, 2, tzinfo=UTC),) * 5,
    datetime(2026, 8, 14, 2, tzinfo=UTC),
    datetime(2026, 12, 10, 2, tzinfo=UTC),
    datetime(2027, 1, 20, 2, tzinfo=UTC),
)
PEOPLE = (SITI, BUDI, RINA, AGUS, WAYAN, PersonId("tim"), PersonId("tim-2"), PersonId("asing"))
ADMINS = {"tim", "tim-2"}
Kinds = tuple[type[c.Command], ...]
WORK: Kinds = (c.ReportProgress, c.RequestPlanChange, c.AddExpectation, c.DecidePlanChange)
TEAM: Kinds = (
    c.Reassign,
    c.Transfer,
    c.Exclude,
    c.Cancel,
    c.SendBackRating,
    c.ReleaseRating,
    c.RecordSegmentResult,
)
REPAIRS: Kinds = (
    c.ReplaceCalendar,
    c.ReplacePerson,
    c.RecordDeparture,
    c.RecordLeave,
    c.MoveDeadline,
    c.MoveDeadline,
    c.ExtendForOutage,
    c.ReturnToStage,
    c.CorrectEntry,
)
BY_ITSELF = {c.RecordSegmentResult, c.ReplaceCalendar}
TAKING_BACK: Kinds = (c.WithdrawPlan, c.WithdrawAppeal, c.SetPlan)

FOR_TASK: dict[TaskKind, Kinds] = {
    TaskKind.SUBMIT_PLAN: (c.SubmitPlan,),
    TaskKind.REVIEW_PLAN: (c.ApprovePlan, c.ApprovePlan, c.ReturnPlan),
    TaskKind.DECIDE_PLAN_CHANGE: (c.DecidePlanChange,),
    TaskKind.PERIODIC_EVALUATION: (c.RecordPeriodicEvaluation,),
    TaskKind.MIDYEAR_ACCOUNT: (c.SubmitMidyearAccount,),
    TaskKind.MIDYEAR_REVIEW: (c.RecordMidyearReview,),
    TaskKind.SELF_EVALUATION: (c.SubmitSelfEvaluation,),
    TaskKind.RATE: (c.Rate,),
    TaskKind.SECOND_RATE: (c.Rate,),
    TaskKind.INTERIM_RATE: (c.Rate,),
    TaskKind.CALIBRATE: (c.ReleaseRating, c.SendBackRating),
    TaskKind.RECEIVE_RESULT: (c.OpenResult, c.AcknowledgeResult, c.FileAppeal),
    TaskKind.APPEAL: (c.AcknowledgeResult, c.FileAppeal, c.FileAppeal),
    TaskKind.RESPOND_TO_APPEAL: (c.RespondToAppeal,),
    TaskKind.DECIDE_APPEAL: (c.DecideAppeal,),
    TaskKind.VOTE_ON_APPEAL: (c.DecideAppeal,) * 5 + (c.SeatPanel,),
    TaskKind.SEAT_PANEL: (c.SeatPanel,),
    TaskKind.APPROVE: (c.ApproveEvaluation, c.ApproveEvaluation, c.ReturnRating, c.ReferEvaluation),
    TaskKind.RESOLVE_REFERRAL: (c.Reassign,),
}


class Tally:
    """What a run of many walks arrived at."""

    def __init__(self) -> None:
        self.given: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.stages: Counter[Stage] = Counter()
        self.refusals: Counter[str] = Counter()
        self.walks = self.approved = 0

    @property
    def rate(self) -> float:
        """The share of commands that were accepted."""
        return self.accepted.total() / self.given.total()

    def __str__(self) -> str:
        return (
            f"{self.walks} walks, {self.given.total()} commands, {self.rate:.0%} accepted, "
            f"{self.events.total()} events, {self.approved} finally approved"
        )


class Walk:
    """One evaluation that random people and the clock act upon; `watch` sees every step."""

    def __init__(self, random: Random, tally: Tally, watch: Callable[["Walk"], None]) -> None:
        self.random, self.tally, self.watch = random, tally, watch
        self.start = random_start(random)
        self.now = random.choice(OPENINGS)
        self.before: Evaluation | None = None
        self.added: tuple[Entry, ...] = ()
        self.entries: tuple[Entry, ...] = ()
        self.approved = False
        self.state, entries = open_evaluation(self.start, self.now)
        self._record(entries, applied=True)

    def step(self) -> None:
        """Let time pass, or let somebody say something."""
        dice = self.random.random()
        if dice < 0.3:
            self.pass_time()
        elif dice < 0.8:
            self.give(*self.plausible())
        else:
            kind = self.random.choice(list(c.COMMANDS.values()))
            self.give(self.actor(self.random.choice(PEOPLE)), self.command(kind))
        self.look_up()

    def go(self, steps: int) -> None:
        """Take so many steps, and be counted."""
        for _ in range(steps):
            self.step()
        self.tally.walks += 1
        self.tally.approved += self.approved

    def pass_time(self) -> None:
        """Move a little, or to what the clock does next, or right round it."""
        wake_at = next_wake(self.state)
        jumps = [
            timedelta(minutes=self.random.randrange(20)),
            timedelta(days=self.random.randrange(1, 6)),
        ]
        if wake_at is not None and wake_at > self.now:
            jumps += [wake_at - self.now] * 3
            jumps += [wake_at - self.now + timedelta(seconds=self.random.choice((-1, 0, 1, 300)))]
        self.now += max(self.random.choice(jumps), timedelta(0))
        self._record(tick(self.state, self.now))

    def look_up(self) -> None:
        """Let the system ask the roster, most of the time."""
        person = unknown_superior(self.state, self.now)
        if person is not None and self.random.random() < 0.8:
            superior = ROSTER.get(person)
            self.give(c.SYSTEM, c.ResolveSuperior(person=person, superior=superior))

    def give(self, actor: c.Actor, command: c.AnyCommand) -> None:
        """Give a command, received now or a while ago; refusals are counted."""
        late = timedelta(seconds=self.random.choice((0, 0, 1, 300, 599, 600, 900)))
        order = c.Order(
            actor=actor,
            command=command,
            request_key=str(self.tally.given.total()),
            salt="garam",
            roster=self.roster_of(command),
            **vouched(self.random, command, PEOPLE),
            expected_revision=self.random.choice((0,) * 9 + (self.state.revision, 1)),
            received_at=self.now - late,
        )
        self.tally.given[command.kind] += 1
        written = self.state.model_dump_json()
        try:
            entries = decide(self.state, order, self.now)
        except Refusal as refusal:
            self.tally.refusals[refusal.reason] += 1
            assert self.state.model_dump_json() == written
            return
        self.tally.accepted[command.kind] += 1
        self._record(entries)

    def roster_of(self, command: c.AnyCommand) -> c.InRoster | None:
        """Return what the roster says of the person whom a command names."""
        if not isinstance(command, c.Reassign | c.ReplacePerson) or self.random.random() < 0.03:
            return None
        if isinstance(command, c.ReplacePerson):
            line = self.random.choice(((RINA, AGUS), (AGUS,), (SITI, RINA), ()))
            superior = self.random.choice((AGUS, command.leaving, None))
            return c.InRoster(active=True, superior=superior, line=line)
        superior = self.random.choice((RINA, AGUS, None))
        return c.InRoster(active=self.random.random() < 0.95, superior=superior)

    def plausible(self) -> tuple[c.Actor, c.AnyCommand]:
        """Return what somebody might well say now."""
        if self.state.ended:
            return self.actor(self.random.choice(("tim", "tim-2"))), self.command(c.Reopen)
        dice = self.random.random()
        if dice < 0.12:
            kind = self.random.choice(TEAM if dice < 0.06 else REPAIRS)
            team = self.random.choice(("tim", "tim", "tim-2"))
            return self.actor(None if kind in BY_ITSELF else team), self.command(kind)
        if dice < 0.2:
            kind = self.random.choice(TAKING_BACK)
            return self.actor("tim" if kind is c.SetPlan else SITI), self.command(kind)
        if dice < 0.3 or not self.state.tasks:
            kind = self.random.choice(WORK)
            seats = self.state.participants
            own = kind in {c.ReportProgress, c.RequestPlanChange}
            return self.actor(seats.employee if own else seats.supervisor), self.command(kind)
        task = self.random.choice(self.state.tasks)
        if task.kind is TaskKind.SUBMIT_PLAN and task.flagged and dice < 0.7:
            return self.actor("tim"), self.command(c.SetPlan)
        kind = self.random.choice(FOR_TASK[task.kind])
        by = "tim" if kind is c.SeatPanel else self._holder(task)
        return self.actor(by), self.command(kind, task.number)

    def _holder(self, task: Task) -> str:
        return self.random.choice((task.holder or "tim", *task.escalated_to))

    def actor(self, person: str | None) -> c.Actor:
        """Return somebody, now and then somebody who stands in for them."""
        if person is None:
            return c.SYSTEM
        if person in ADMINS or self.random.random() < 0.03:
            return c.Actor(person=PersonId(person), roles=(Role.AGENCY_ADMIN,))
        if self.random.random() < 0.15:
            delegate = self.random.choice(PEOPLE)
            mandate = c.Mandate(
                id="m",
                principal=PersonId(person),
                delegate=delegate,
                letter="800/1",
                from_on=date(2026, 1, 1),
                to_on=date(2027, 2, self.random.choice((1, 28))),
            )
            return c.Actor(person=delegate, mandates=(mandate,))
        return c.Actor(person=PersonId(person))

    def command(self, kind: type[c.Command], number: int = 0) -> Any:
        """Return a command of that kind with mostly sensible content."""
        given = {
            name: value
            for name, value in self._content(number).items()
            if name in kind.model_fields
        }
        if kind is c.DecideAppeal and given["outcome"] is c.AppealOutcome.UPHELD:
            given |= {"results": None, "behaviour": None}
        if kind is c.Rate:
            given["indicators"] = ()
        if kind is c.CorrectEntry:
            recorded = [p.number for p in self.state.periods if p.recorded_at is not None]
            given["number"] = self.random.choice(recorded or [1])
            own = c.Correctable.SELF_EVALUATION
            given["entry"] = c.Correctable.PERIODIC_EVALUATION if recorded else own
        return kind.model_validate(given)

    def _content(self, number: int) -> dict[str, Any]:
        random = self.random
        ids = random.sample(["antrean", "inovasi", "disiplin"], random.randrange(1, 4))
        words = {f"indicators.{i}.description": "Teks Siti" for i in ids}
        forms = ("reason", "note", "expectation", "account", "dialogue", "reasons", "response")
        words |= {field: "Teks Siti" for field in forms}
        return {
            "prose": {} if random.random() < 0.03 else words,
            "indicators": [{"id": i, "kind": "QUALITATIVE"} for i in ids],
            "indicator": random.choice((None, *ids)),
            "approved": random.random() < 0.7,
            "accepted": random.random() < 0.6,
            "period": number or random.randrange(1, 13),
            "results": random.choice(list(Level)),
            "behaviour": random.choice(list(Level)),
            "outcome": random.choice(list(c.AppealOutcome)),
            "seat": random.choice(list(c.Seat)),
            "person": random.choice(PEOPLE[1:5]),
            "superior": random.choice((RINA, AGUS, None)),
            "closing_on": self.now.date() - timedelta(days=random.choice((0, 1, 30))),
            "ground": random.choice(list(c.ExclusionGround)),
            "leaving": random.choice((BUDI, BUDI, RINA, AGUS, SITI)),
            "successor": random.choice((None, None, WAYAN, RINA)),
            "departure": random.choice(list(c.Departure)),
            "leave": random.choice(list(c.LeaveKind)),
            "from_on": self.now.date() + timedelta(days=random.choice((-3, 0, 10))),
            "to_on": self.now.date() + timedelta(days=random.choice((0, 5, 30))),
            "task": self._waiting().kind,
            "number": self._waiting().number or number,
            "due_on": self.now.date() + timedelta(days=random.choice((0, 2, 10, 40))),
            "reopen_passed": random.random() < 0.5,
            "calibration": "k-1",
            "members": random.sample(PEOPLE[1:], random.choice((2, 3, 3))),
            "outage": random.choice(("padam", "listrik")),
            "began_at": self.now - timedelta(hours=random.choice((5, 50))),
            "ended_at": self.now - timedelta(hours=random.choice((0, 2))),
            "stage": random.choice(WAYS_BACK),
            "entry": random.choice(list(c.Correctable)),
            "calendar": Calendar(
                zone=self.state.calendar.zone,
                days_off=self._days_off(),
                version=str(random.random()),
            ),
            "segment": 1,
            "days": random.randrange(300),
        }

    def _waiting(self) -> Task:
        return self.random.choice(self.state.tasks or (TO_COME,))

    def _days_off(self) -> tuple[DayOff, ...]:
        """Return the days off with some more in the next weeks."""
        first = self.now.date()
        new = {first + timedelta(days=self.random.randrange(1, 40)) for _ in range(3)}
        kept = [day for day in self.state.calendar.days_off if day.on not in new]
        return (*kept, *(DayOff(on=on, name="Libur daerah") for on in sorted(new)))

    def _record(self, entries: tuple[Entry, ...], *, applied: bool = False) -> None:
        self.before = None if applied else self.state
        if not applied:
            self.state = fold(self.state, entries)
        self.added = entries
        self.entries += entries
        for entry in entries:
            self.tally.events[entry.event.kind] += 1
            self.approved = self.approved or entry.event.kind == "evaluation_approved"
            if entry.event.stage is not None:
                self.tally.stages[entry.event.stage] += 1
        self.watch(self)


@cache
def policies() -> tuple[Policy, ...]:
    """Return the policies that walks choose from."""
    return tuple(make_policy(**changes) for changes in POLICIES)


def random_start(random: Random) -> Start:
    """Return a start under some policy, in some zone, with some line of superiors."""
    seats: dict[str, Any] = {}
    dice = random.random()
    if dice < 0.1:
        seats = {"supervisor": SITI}
    elif dice < 0.2:
        seats = {"approver": random.choice((SITI, BUDI, None))}
    second = random.random() < 0.2
    return make_start(
        zone=random.choice(ZONES),
        policy=random.choice(policies()),
        segment=2 if second else 1,
        served_from_on=date(2026, 5, 1) if second else date(2026, 1, 1),
        superiors=random.choice(LINES),
        from_rating=random.random() < 0.05,
        **seats,
    )
