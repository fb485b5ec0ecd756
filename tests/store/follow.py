"""An evaluation on record that was completed, what follows from it, and plans of memory."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment

from siklus.activities.commanding import Unanswered
from siklus.activities.following import Following
from siklus.activities.plans import PlanProjector
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.outcomes.drawn import DrawnOutcome, Source, as_drawn
from siklus.workflows.domain.outcomes.improvement import (
    AnyPlanCommand,
    Basis,
    ImprovementPlan,
    task_of,
)
from siklus.workflows.domain.outcomes.judging import Facts, judge
from siklus.workflows.domain.outcomes.rules import OutcomeRule
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.domain.policy import Roll
from siklus.workflows.domain.values import (
    AgencyId,
    Digest,
    EvaluationKey,
    Level,
    PersonId,
    Predicate,
    Role,
)
from siklus.workflows.following import completed
from siklus.workflows.packs import source_of
from siklus.workflows.ports.evaluation import Text
from siklus.workflows.ports.following import Completed, PlanProjection
from tests.domain.story import make_policy
from tests.store.case import Case

OFF: dict[str, Any] = {"enabled": False}
POLICY = make_policy(plan=OFF, midyear=OFF, self_evaluation=OFF, rating={"opens": None}, appeal=OFF)
REASON = {"reason": "Bukti baru"}


def the_rule(code: str) -> OutcomeRule:
    """Return a rule of the national pack."""
    (found,) = [rule for rule in POLICY.outcomes if rule.code == code]
    return found


def an_outcome(code: str) -> DrawnOutcome:
    """Return what a rule of the national pack gives to somebody poor."""
    (judged,) = judge([the_rule(code)], Facts(year=2026, predicate=Predicate.KURANG))
    source = Source(
        policy="permenpan-6-2022",
        policy_version=1,
        policy_digest=Digest("d" * 64),
        predicate=Predicate.KURANG,
        months=12,
        head=Digest("e" * 64),
    )
    words = words_of("permenpan-6-2022", source_of("permenpan-6-2022").decode())
    return as_drawn(judged, source, words)


def a_basis(key: EvaluationKey, at: datetime) -> Basis:
    """Return what a plan of that evaluation is opened from, with Budi as the supervisor."""
    return Basis(
        key=key,
        policy_digest=Digest("d" * 64),
        employee=key.person,
        supervisor=PersonId("budi"),
        unit="dinas",
        calendar=Calendar(zone="Asia/Jakarta"),
        roll=Roll.KEEP,
        completed_at=at,
    )


@dataclass
class Plans:
    """The plans that were opened and ended."""

    opened: list[ImprovementPlan] = field(default_factory=list)
    told: list[tuple[str, AnyPlanCommand]] = field(default_factory=list)
    silent: bool = False

    async def open(self, plan: ImprovementPlan) -> None:
        self.opened.append(plan)

    async def tell(
        self, key: EvaluationKey, code: str, command: AnyPlanCommand, request_key: str
    ) -> None:
        if self.silent:
            raise Unanswered("DEADLINE_EXCEEDED", "no answer in time")
        self.told.append((code, command))


class Followed:
    """One evaluation and whatever follows from it, in the store."""

    def __init__(self, store: Store, vault: Vault, agency: AgencyId, **rules: Any) -> None:
        self.case = Case(agency, policy=POLICY.model_copy(update=rules))
        self.plans = Plans()
        self._projector = Projector(store, vault)
        self._plan_projector = PlanProjector(store, vault)
        self._following = Following(store, self.plans, lambda: self.case.now)

    @property
    def completed(self) -> Completed:
        found = completed(self.case.record.state)
        assert found is not None
        return found

    async def rated(self, behaviour: Level, *, results: Level = Level.BELOW) -> None:
        """Rate it, approve it and draw what follows."""
        self.case.does("budi", c.Rate(results=results, behaviour=behaviour))
        self.case.does("agus", c.ApproveEvaluation())
        await self.project()
        await self.draws()

    async def reopened(self, by: str = "tim") -> None:
        self.case.does(by, c.Reopen(prose=REASON), Role.AGENCY_ADMIN)
        await self.project()

    async def cancelled(self) -> None:
        """Call it off, and have drawn that nothing follows."""
        self.case.does("tim", c.Cancel(prose=REASON), Role.AGENCY_ADMIN)
        await self.project()
        await self.draws()

    async def project(self) -> None:
        await ActivityEnvironment().run(self._projector.project, self.case.taken())

    async def draws(self) -> None:
        await ActivityEnvironment().run(self._following.draw_outcomes, self.completed)

    async def stands(self, plan: ImprovementPlan, *texts: Text) -> None:
        """Write how a plan stands."""
        projection = PlanProjection(plan=plan, task=task_of(plan), texts=texts)
        await ActivityEnvironment().run(self._plan_projector.project_plan, projection)

    def later(self, days: int) -> None:
        self.case.now += timedelta(days=days)
