"""An improvement plan: who records its steps, how it ends, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands import SYSTEM, Actor
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.outcomes.check_ins import decide, fold, late
from siklus.workflows.domain.outcomes.improvement import (
    Basis,
    ClosePlan,
    HandOver,
    ImprovementPlan,
    PlanOrder,
    PlanState,
    RecordCheckIn,
    SupersedePlan,
    open_plan,
    task_of,
    wakes_at,
)
from siklus.workflows.domain.policy import Roll
from siklus.workflows.domain.values import AgencyId, CycleId, Digest, EvaluationKey, PersonId, Role
from siklus.workflows.packs import shipped_pack

AT = datetime(2027, 3, 1, 3, tzinfo=UTC)
EMPLOYEE, SUPERVISOR, NEXT, TEAM = map(PersonId, ("p-1", "p-2", "p-3", "p-9"))
MET: dict[str, Any] = {"result": "MET"}


def opened() -> ImprovementPlan:
    """The national pack's plan: three steps."""
    (rule,) = [r for r in shipped_pack("permenpan-6-2022").rules.outcomes if r.steps]
    basis = Basis(
        key=EvaluationKey(agency=AgencyId("a"), cycle=CycleId("2026"), person=EMPLOYEE),
        policy_digest=Digest("d" * 64),
        employee=EMPLOYEE,
        supervisor=SUPERVISOR,
        unit="u",
        calendar=Calendar(zone="Asia/Makassar"),
        roll=Roll.KEEP,
        completed_at=AT,
    )
    return open_plan(basis, rule)


def by(
    plan: ImprovementPlan, command: Any, person: PersonId | None = SUPERVISOR, **order: Any
) -> ImprovementPlan:
    """The plan after a command."""
    roles = (Role.AGENCY_ADMIN,) if person == TEAM else ()
    actor = Actor(person=person, roles=roles) if person else SYSTEM
    given = PlanOrder(actor=actor, command=command, request_key="k", salt="s", **order)
    return fold(plan, decide(plan, given, AT + timedelta(days=9)))


def recorded(plan: ImprovementPlan, *steps: str) -> ImprovementPlan:
    for step in steps:
        plan = by(plan, RecordCheckIn(step=step, **MET))
    return plan


def refused(plan: ImprovementPlan, command: Any, person: PersonId | None = SUPERVISOR) -> Reason:
    with pytest.raises(Refusal) as refusal:
        by(plan, command, person)
    return refusal.value.reason


def test_steps_are_due_by_the_policy_and_say_so() -> None:
    plan = opened()

    assert [(step.code, step.due.on.isoformat()) for step in plan.steps] == [
        ("sepakat", "2027-03-15"),
        ("pantau", "2027-05-30"),
        ("simpulkan", "2027-08-28"),
    ]
    assert plan.steps[0].due.rule == "outcomes.perbaikan.steps.sepakat"
    task = task_of(plan)
    assert task is not None
    assert (task.holder, task.id) == (SUPERVISOR, "IMPROVEMENT_CHECK_IN.1")
    assert dict(task.remind_on) == {-3: "2027-03-10", 0: "2027-03-15", 3: "2027-03-18"}


def test_a_plan_is_completed_once_every_step_is_recorded() -> None:
    plan = recorded(opened(), "sepakat", "pantau")
    complete = ClosePlan(ending=PlanState.COMPLETED)

    assert refused(plan, complete) is Reason.WRONG_STAGE
    plan = by(recorded(plan, "simpulkan"), complete)

    assert (plan.state, plan.closed_by, plan.revision) == (PlanState.COMPLETED, SUPERVISOR, 4)
    assert task_of(plan) is None
    assert refused(plan, complete) is Reason.ALREADY_DONE


def test_failing_and_a_step_not_met_say_why() -> None:
    plan, failed = opened(), ClosePlan(ending=PlanState.FAILED)
    not_met = RecordCheckIn.model_validate({"step": "sepakat", "result": "NOT_MET"})

    assert refused(plan, not_met) is Reason.FIELD_INVALID
    assert refused(plan, failed) is Reason.FIELD_INVALID
    plan = by(plan, not_met.model_copy(update={"prose": {"note": "Tidak hadir"}}))
    plan = by(plan, failed.model_copy(update={"prose": {"reason": "Tidak ada kemajuan"}}))

    assert plan.state is PlanState.FAILED
    assert "Tidak" not in plan.model_dump_json()
    assert plan.steps[0].prose is not None


def test_nobody_acts_in_the_own_plan_nor_in_anybody_elses() -> None:
    plan, step = opened(), RecordCheckIn(step="sepakat", **MET)
    cancel = ClosePlan(ending=PlanState.CANCELLED, prose={"reason": "Mutasi"})

    assert refused(plan, step, EMPLOYEE) is Reason.SELF_DECISION
    assert refused(plan, step, NEXT) is Reason.NOT_YOUR_TASK
    assert refused(plan, step, TEAM) is Reason.NOT_YOUR_TASK
    assert refused(plan, cancel) is Reason.NOT_YOUR_TASK
    assert refused(plan, SupersedePlan()) is Reason.NOT_YOUR_TASK
    assert by(plan, cancel, TEAM).state is PlanState.CANCELLED


def test_whoever_supervises_now_may_record_and_is_handed_the_plan() -> None:
    plan = by(opened(), RecordCheckIn(step="sepakat", **MET), NEXT, supervises=True)
    handed = by(plan, HandOver(supervisor=NEXT), None)

    assert (plan.steps[0].recorded_by, handed.supervisor) == (NEXT, NEXT)
    assert by(handed, HandOver(supervisor=EMPLOYEE), None) == handed


def test_a_late_step_is_told_once_and_shown_to_the_team() -> None:
    plan = opened()
    due = plan.steps[0].due.expires_at

    assert (wakes_at(plan), late(plan, due - timedelta(seconds=1))) == (due, ())
    plan = fold(plan, late(plan, due))

    task = task_of(plan)
    assert task is not None
    assert (task.flagged, wakes_at(plan), late(plan, due)) == (True, None, ())
    assert wakes_at(recorded(plan, "sepakat")) == plan.steps[1].due.expires_at


def test_a_changed_result_supersedes_an_open_plan_alone() -> None:
    plan = by(opened(), SupersedePlan(), None)

    assert (plan.state, plan.closed_by) == (PlanState.SUPERSEDED, "system:clock")
    assert by(plan, SupersedePlan(), None) == plan
