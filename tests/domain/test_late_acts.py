"""Whatever a policy may say of lateness, stage by stage, is what the clock does: nothing else."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from siklus.workflows.domain.decide import tick
from siklus.workflows.domain.decide.clock import next_act, spread_of
from siklus.workflows.domain.labels import StageName
from siklus.workflows.domain.pack_checks import LATE_ACTS
from siklus.workflows.domain.policy import Late, Policy
from siklus.workflows.domain.stages import OWN_TASKS, Stage, TaskKind
from tests.domain.story import (
    Story,
    appealed,
    at_approval,
    at_rating,
    make_policy,
    planned,
    rated,
    story,
)

AT_ONE_SECOND: Final = 2000 if os.environ.get("SIKLUS_PROVE") else 200
LONG_AFTER: Final = "2027-12-01 09:00"


def _under_review(policy: Policy) -> Story:
    return story(policy=policy).at("2026-01-06 09:00").employee.submits_plan()


def _with_a_change(policy: Policy) -> Story:
    return planned(policy=policy).at("2026-03-02 09:00").employee.asks_for_a_change()


def _after_a_period(policy: Policy) -> Story:
    return planned(policy=policy).at("2026-04-01 09:00")


def _at_midyear(policy: Policy) -> Story:
    return planned(policy=policy).at("2026-07-01 09:00").employee.accounts_for_midyear()


def _at_self_evaluation(policy: Policy) -> Story:
    return planned(policy=policy).at("2026-12-01 09:00")


WAITS: Final[dict[StageName, tuple[TaskKind, Callable[[Policy], Story]]]] = {
    StageName.PLAN: (TaskKind.SUBMIT_PLAN, lambda policy: story(policy=policy)),
    StageName.PLAN_REVIEW: (TaskKind.REVIEW_PLAN, _under_review),
    StageName.PLAN_CHANGE: (TaskKind.DECIDE_PLAN_CHANGE, _with_a_change),
    StageName.PERIODS: (TaskKind.PERIODIC_EVALUATION, _after_a_period),
    StageName.MIDYEAR: (TaskKind.MIDYEAR_REVIEW, _at_midyear),
    StageName.SELF_EVALUATION: (TaskKind.SELF_EVALUATION, _at_self_evaluation),
    StageName.RATING: (TaskKind.RATE, lambda policy: at_rating(policy=policy)),
    StageName.CALIBRATION: (TaskKind.CALIBRATE, lambda policy: rated(policy=policy)),
    StageName.APPEAL: (TaskKind.DECIDE_APPEAL, lambda policy: appealed(policy=policy)),
    StageName.FINAL_APPROVAL: (TaskKind.APPROVE, lambda policy: at_approval(policy=policy)),
}
EACH: Final = [(stage, act) for stage, acts in LATE_ACTS.items() for act in sorted(acts)]


def _policy(stage: StageName, act: Late) -> Policy:
    changes: dict[str, Any] = {stage.value: {"late": {"act": act.value}}}
    if stage is StageName.SELF_EVALUATION:
        # Else the rating takes over at the same instant.
        changes[stage.value]["due"] = {"on": "12-18"}
    if stage is StageName.PERIODS:
        changes[stage.value]["per_year"] = 4
    return make_policy(**changes)


@pytest.mark.parametrize(("stage", "act"), EACH)
def test_each_act_that_a_policy_may_name_is_what_happens(stage: StageName, act: Late) -> None:
    kind, arrives = WAITS[stage]
    told = arrives(_policy(stage, act))
    waiting = next(task for task in told.state.tasks if task.kind is kind)
    assert waiting.due is not None
    number = waiting.number
    told.now = told.received = waiting.due.expires_at + timedelta(hours=2)
    told.record(tick(told.state, told.now))

    late = told.state.task(kind, number)
    raised = late is not None and (bool(late.escalated_to) or late.flagged)
    assert raised == (act in {Late.ESCALATE, Late.TEAM_ACTS})
    if late is not None and act is Late.ESCALATE and kind not in OWN_TASKS:
        assert late.escalated_to or late.flagged
    if late is not None and act is Late.TEAM_ACTS:
        assert (late.flagged, late.escalated_to) == (True, ())


@pytest.mark.parametrize(("stage", "act"), EACH)
def test_however_late_no_clock_rates_decides_or_approves(stage: StageName, act: Late) -> None:
    told = WAITS[stage][1](_policy(stage, act))
    given, approved, appeal = told.state.ratings, told.state.approved_at, told.state.appeal
    plan = told.state.plan.approved_at

    told.at(LONG_AFTER)

    assert told.state.ratings == given
    assert told.state.approved_at == approved
    assert told.state.plan.approved_at == plan
    if appeal is not None and told.state.appeal is not None:
        assert told.state.appeal.outcome is None
    assert not told.state.ended


@pytest.mark.parametrize("act", [Late.REMIND, Late.GO_ON])
def test_the_year_goes_on_without_what_is_not_waited_for(act: Late) -> None:
    policy = make_policy(
        midyear={"late": {"act": act.value}},
        self_evaluation={"late": {"act": act.value}},
        periods={"per_year": 4, "late": {"act": act.value}},
    )
    told = planned(policy=policy)

    told.at(LONG_AFTER)

    assert told.state.stage is Stage.RATING
    assert {"midyear_missed", "self_evaluation_missed"} <= set(told.kinds)
    assert told.state.ratings == ()


def test_what_falls_on_one_second_is_done_over_the_window_and_counts_from_that_second() -> None:
    """Many windows lapse at one midnight: the timers part, the legal instant does not."""
    policy = make_policy(spread_minutes=60)
    done_at, legal = [], set()
    for segment in range(1, AT_ONE_SECOND + 1):
        told = rated(policy=policy, segment=segment).employee.opens_result()
        spread = spread_of(told.state)
        act = next_act(told.state, spread=spread)
        assert act is not None
        assert tick(told.state, act.run_at - timedelta(seconds=1), spread=spread) == ()
        told.now = act.run_at
        told.record(tick(told.state, act.run_at, spread=spread))
        lapsed = told.entry("appeal_window_lapsed")
        done_at.append(lapsed.recorded_at)
        legal.add(lapsed.occurred_at)

    assert len(legal) == 1
    (legal_at,) = legal
    assert min(done_at) >= legal_at
    assert max(done_at) - min(done_at) > timedelta(minutes=50)
    for quarter in range(4):
        begins = min(done_at) + quarter * timedelta(minutes=15)
        within = [at for at in done_at if begins <= at < begins + timedelta(minutes=15)]
        assert len(within) >= AT_ONE_SECOND // 10
