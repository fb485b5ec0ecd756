"""Stories of one evaluation, told in the words of the process.

`story().at("2026-01-06 09:00").employee.submits_plan().supervisor.approves_plan()` gives the
commands through `decide`, lets the clock catch up through `tick`, and keeps every entry.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Self

import pytest

from siklus.activities.calendars import snapshot
from siklus.workflows.domain import commands as c
from siklus.workflows.domain import packs
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.decide import decide, open_evaluation, tick
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.events import AnyEvent, Entry
from siklus.workflows.domain.evolve import begin, fold
from siklus.workflows.domain.model import Evaluation, Participants, Start, Terms
from siklus.workflows.domain.policy import CalendarRule, Policy
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import (
    AgencyId,
    CycleId,
    EvaluationKey,
    Level,
    PersonId,
    Predicate,
    Role,
    UnitId,
)
from siklus.workflows.packs import shipped_pack

WIB, WITA, WIT = ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)

SITI, BUDI, RINA, AGUS, WAYAN = map(PersonId, ("siti", "budi", "rina", "agus", "wayan"))
"""The employee, her supervisor, his superior, the approver above her, and a colleague."""

LINE: dict[PersonId, PersonId | None] = {BUDI: RINA, RINA: AGUS, AGUS: None}
ADMIN = (Role.AGENCY_ADMIN,)


def make_policy(**changes: Any) -> Policy:
    """Return the national policy without its quarters, changed section by section."""
    written = _merged(_national().model_dump(mode="json"), {"periods": {"per_year": 0}} | changes)
    return Policy.model_validate(written)


def make_start(
    *,
    zone: str = WIB,
    year: int = 2026,
    policy: Policy | None = None,
    segment: int = 1,
    served_from_on: date = date(2026, 1, 1),
    superiors: Mapping[PersonId, PersonId | None] = LINE,
    from_rating: bool = False,
    **seats: PersonId | None,
) -> Start:
    """Return the start of Siti's evaluation, in Budi's unit."""
    filled = {"employee": SITI, "supervisor": BUDI, "superior": RINA, "approver": AGUS} | seats
    policy = policy or make_policy()
    return Start(
        key=EvaluationKey(
            agency=AgencyId("a"), cycle=CycleId("2026"), person=SITI, segment=segment
        ),
        terms=Terms(policy=policy, calendar=make_calendar(zone, year), year=year),
        participants=Participants.model_validate(filled),
        unit=UnitId("u"),
        served_from_on=served_from_on,
        superiors=dict(superiors),
        from_rating=from_rating,
    )


@cache
def make_calendar(zone: str = WIB, year: int = 2026) -> Calendar:
    """Return the national calendar of that year and the next."""
    return snapshot(CalendarRule(), zone, (1, 2, 3, 4, 5), (), year)


def make_plan(*ids: str) -> dict[str, Any]:
    """Return the fields of a form that proposes a plan with these indicators."""
    ids = ids or ("antrean",)
    return {
        "indicators": tuple(c.Indicator(id=i, kind=c.IndicatorKind.QUANTITATIVE) for i in ids),
        "prose": {f"indicators.{i}.description": f"Waktu tunggu {i}" for i in ids},
    }


def story(*, opened: str = "2026-01-02 09:00", **start: Any) -> "Story":
    """Open an evaluation; what is said of the start goes to `make_start`."""
    return Story(make_start(**start), opened)


def planned(**start: Any) -> "Story":
    """Return a story whose plan was approved on 7 January."""
    told = story(**start).at("2026-01-06 09:00").employee.submits_plan()
    return told.at("2026-01-07 09:00").supervisor.approves_plan()


def at_rating(**start: Any) -> "Story":
    """Return a story that waits for its rating on 4 January of the next year."""
    return planned(**start).at("2027-01-04 09:00")


def rated(results: str = "AT", behaviour: str = "BELOW", **start: Any) -> "Story":
    """Return a story whose result was delivered on 5 January of the next year."""
    return at_rating(**start).at("2027-01-05 09:00").supervisor.rates(results, behaviour)


def appealed(**start: Any) -> "Story":
    """Return a story in which Siti opened the result and appealed on 6 January."""
    told = rated(**start).at("2027-01-06 09:00").employee.opens_result()
    return told.employee.appeals()


def at_approval(**start: Any) -> "Story":
    """Return a story in which Siti accepted the result on 6 January."""
    return rated("AT", "AT", **start).at("2027-01-06 09:00").employee.acknowledges(accepted=True)


class Story:
    """One evaluation from its opening on; `at` moves the time and lets the clock act."""

    def __init__(self, start: Start, opened: str) -> None:
        self.start = start
        self.now = self.received = self.local(opened)
        self.state, entries = open_evaluation(start, self.now)
        self.entries: tuple[Entry, ...] = entries

    def again(self) -> Self:
        """Return a second telling from here on."""
        return copy(self)

    def local(self, when: str | datetime) -> datetime:
        """Return an instant; a written one is local to the unit."""
        if isinstance(when, datetime):
            return when
        return datetime.fromisoformat(when).replace(tzinfo=self.start.terms.calendar.tz)

    def at(self, when: str | datetime, *, recorded: timedelta = timedelta(0)) -> Self:
        """Move on: commands are now received at that instant, and recorded so much later."""
        self.received = self.local(when)
        self.now = self.received + recorded
        return self.record(tick(self.state, self.now))

    def record(self, entries: tuple[Entry, ...]) -> Self:
        """Fold entries into the story."""
        self.state = fold(self.state, entries)
        self.entries += entries
        return self

    def give(self, actor: c.Actor, command: c.Command, **order: Any) -> Self:
        """Give a command now; what else is said belongs to its order."""
        given = c.Order(
            actor=actor,
            command=command,
            request_key=f"{actor.name}-{len(self.entries)}",
            salt="garam",
            received_at=self.received,
            **{"edition": c.Edition.NEWEST, **order},
        )
        return self.record(decide(self.state, given, self.now))

    def person(
        self, name: str, *, roles: tuple[Role, ...] = (), mandates: tuple[c.Mandate, ...] = ()
    ) -> "Person":
        """Return anybody, to let them act."""
        return Person(self, c.Actor(person=PersonId(name), roles=roles, mandates=mandates))

    @property
    def employee(self) -> "Person":
        return self.person(SITI)

    @property
    def supervisor(self) -> "Person":
        return self.person(self.start.participants.supervisor)

    @property
    def superior(self) -> "Person":
        return self.person(RINA)

    @property
    def approver(self) -> "Person":
        return self.person(AGUS)

    @property
    def team(self) -> "Person":
        return self.person("tim", roles=ADMIN)

    @property
    def system(self) -> "Person":
        return Person(self, c.SYSTEM)

    @property
    def stage(self) -> Stage:
        return self.state.stage

    @property
    def predicates(self) -> list[Predicate]:
        """The predicates in the order given."""
        return [rating.predicate for rating in self.state.ratings]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the recorded events."""
        return [entry.event.kind for entry in self.entries]

    @property
    def last(self) -> AnyEvent:
        return self.entries[-1].event

    def entry(self, kind: str) -> Entry:
        """Return the newest entry of a kind."""
        return next(entry for entry in reversed(self.entries) if entry.event.kind == kind)

    def task(self, kind: TaskKind, number: int = 0) -> Task:
        """Return an open task; fail without it."""
        task = self.state.task(kind, number)
        assert task is not None, f"{kind} is not open: {[task.id for task in self.state.tasks]}"
        return task

    def due(self, kind: TaskKind, number: int = 0) -> datetime:
        """Return the last second of an open task."""
        due = self.task(kind, number).due
        assert due is not None
        return due.due_at

    def due_on(self, kind: TaskKind, number: int = 0) -> str:
        """Return the local day on which an open task is due."""
        due = self.task(kind, number).due
        assert due is not None
        return due.on.isoformat()

    @property
    def waiting(self) -> list[str]:
        """The ids of the open tasks."""
        return [task.id for task in self.state.tasks]

    def folded(self) -> Evaluation:
        """Return the state that the whole history gives."""
        return fold(begin(self.start), self.entries)


class Person:
    """Somebody who acts in a story; every act returns the story."""

    def __init__(self, told: Story, actor: c.Actor) -> None:
        self.story = told
        self.actor = actor

    def gives(self, command: c.Command, **order: Any) -> Story:
        return self.story.give(self.actor, command, **order)

    def submits_plan(self, *ids: str) -> Story:
        return self.gives(c.SubmitPlan(**make_plan(*ids)))

    def withdraws_plan(self) -> Story:
        return self.gives(c.WithdrawPlan())

    def sets_plan(self, *ids: str) -> Story:
        return self.gives(c.SetPlan(**make_plan(*ids)))

    def approves_plan(self) -> Story:
        return self.gives(c.ApprovePlan())

    def returns_plan(self, reason: str = "Target belum terukur") -> Story:
        return self.gives(c.ReturnPlan(prose={"reason": reason}))

    def adds_expectation(self) -> Story:
        return self.gives(c.AddExpectation(prose={"expectation": "Antrean di bawah 10 menit"}))

    def reports_progress(self, indicator: str | None = None) -> Story:
        note = {"note": "Loket ketiga dibuka"}
        return self.gives(c.ReportProgress(indicator=indicator, prose=note))

    def asks_for_a_change(self, *ids: str) -> Story:
        return self.gives(c.RequestPlanChange(**make_plan(*ids)))

    def decides_the_change(self, *, approved: bool = True) -> Story:
        prose = {"reason": "Anggaran berubah"}
        return self.gives(c.DecidePlanChange(approved=approved, prose=prose))

    def evaluates_period(self, period: int, results: str = "AT", behaviour: str = "AT") -> Story:
        return self.gives(
            c.RecordPeriodicEvaluation(
                period=period, results=Level(results), behaviour=Level(behaviour)
            )
        )

    def accounts_for_midyear(self) -> Story:
        return self.gives(c.SubmitMidyearAccount(prose={"account": "Antrean turun"}))

    def reviews_midyear(self, *ids: str) -> Story:
        plan = make_plan(*ids) if ids else {"indicators": (), "prose": {}}
        prose = plan["prose"] | {"dialogue": "Lanjutkan"}
        return self.gives(c.RecordMidyearReview(indicators=plan["indicators"], prose=prose))

    def evaluates_self(self, results: str = "AT", behaviour: str = "AT") -> Story:
        return self.gives(
            c.SubmitSelfEvaluation(
                results=Level(results), behaviour=Level(behaviour), prose={"account": "Tercapai"}
            )
        )

    def rates(self, results: str = "AT", behaviour: str = "AT") -> Story:
        return self.gives(c.Rate(results=Level(results), behaviour=Level(behaviour)))

    def returns_rating(self) -> Story:
        return self.gives(c.ReturnRating(prose={"reason": "Bukti kurang"}))

    def opens_result(self) -> Story:
        return self.gives(c.OpenResult())

    def acknowledges(self, *, accepted: bool = False) -> Story:
        return self.gives(c.AcknowledgeResult(accepted=accepted))

    def appeals(self, reasons: str = "Target dihitung dua kali", **order: Any) -> Story:
        return self.gives(c.FileAppeal(prose={"reasons": reasons}), **order)

    def withdraws_appeal(self) -> Story:
        return self.gives(c.WithdrawAppeal())

    def responds(self) -> Story:
        return self.gives(c.RespondToAppeal(prose={"response": "Dihitung sekali"}))

    def upholds(self) -> Story:
        outcome = c.AppealOutcome.UPHELD
        return self.gives(c.DecideAppeal(outcome=outcome, prose={"reason": "Sesuai bukti"}))

    def changes_rating(self, results: str = "AT", behaviour: str = "AT") -> Story:
        return self.gives(
            c.DecideAppeal(
                outcome=c.AppealOutcome.CHANGED,
                results=Level(results),
                behaviour=Level(behaviour),
                prose={"reason": "Bukti baru"},
            )
        )

    def approves(self) -> Story:
        return self.gives(c.ApproveEvaluation())

    def refers(self) -> Story:
        return self.gives(c.ReferEvaluation(prose={"reason": "Tidak dapat disetujui"}))

    def reassigns(
        self, seat: c.Seat, person: PersonId = WAYAN, superior: PersonId | None = RINA
    ) -> Story:
        command = c.Reassign(seat=seat, person=person, prose={"reason": "Pindah tugas"})
        return self.gives(command, roster=c.InRoster(active=True, superior=superior))

    def transfers(self, closing_on: str) -> Story:
        on = date.fromisoformat(closing_on)
        return self.gives(c.Transfer(closing_on=on, prose={"reason": "Mutasi"}))

    def excludes(self, ground: c.ExclusionGround = c.ExclusionGround.UNPAID_LEAVE) -> Story:
        return self.gives(c.Exclude(ground=ground, prose={"reason": "Cuti"}))

    def cancels(self) -> Story:
        return self.gives(c.Cancel(prose={"reason": "Keliru"}))

    def reopens(self) -> Story:
        return self.gives(c.Reopen(prose={"reason": "Bukti baru"}))


@contextmanager
def refused(reason: Reason, **details: str) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """Expect a refusal for that reason, with at least these details."""
    with pytest.raises(Refusal) as caught:
        yield caught
    assert caught.value.reason is reason, caught.value.message
    assert details.items() <= caught.value.details.items()


@cache
def _national() -> Policy:
    return packs.compile(shipped_pack("permenpan-6-2022"))


def _merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _merged(base.get(key) or {}, value) if isinstance(value, Mapping) else value
        for key, value in changes.items()
    }
    return base | nested
