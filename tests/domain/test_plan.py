"""The plan, its review, and its changes."""

import pytest

from siklus.workflows.domain.commands import RequestPlanChange, SubmitPlan
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from tests.domain.story import INSTANT, SECOND, make_plan, make_policy, planned, refused, story


def test_the_plan_is_due_on_its_date() -> None:
    assert story().due_on(TaskKind.SUBMIT_PLAN) == "2026-01-14"


def test_whoever_starts_late_gets_five_working_days() -> None:
    told = story(opened="2026-03-02 09:00")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-03-09"
    assert told.at("2026-03-09 23:59").employee.submits_plan().due_on(TaskKind.REVIEW_PLAN) == (
        "2026-03-16"
    )


def test_a_late_plan_is_still_accepted() -> None:
    told = story().at("2026-05-04 09:00")

    assert told.employee.submits_plan().stage is Stage.PLAN_REVIEW


def test_the_review_is_due_on_its_date_or_five_working_days_after_submission() -> None:
    told = story().at("2026-01-06 09:00").employee.submits_plan()
    assert told.due_on(TaskKind.REVIEW_PLAN) == "2026-01-31"

    late = story().at("2026-01-28 09:00").employee.submits_plan()
    assert late.due_on(TaskKind.REVIEW_PLAN) == "2026-02-04"


def test_a_returned_plan_is_due_at_its_date_or_five_working_days_after_the_return() -> None:
    told = story().at("2026-01-06 09:00").employee.submits_plan()

    early = told.again().supervisor.returns_plan()
    assert early.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-14"

    late = told.at("2026-01-12 09:00").supervisor.returns_plan()
    assert late.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-20"
    assert late.stage is Stage.PLAN


def test_a_plan_is_returned_as_often_as_the_policy_says() -> None:
    told = story(policy=make_policy(plan={"max_returns": 2}))
    for _ in range(2):
        told.employee.submits_plan().supervisor.returns_plan()
    told.employee.submits_plan()

    with refused(Reason.RETURNS_EXHAUSTED, max_returns="2"):
        told.supervisor.returns_plan(reason="")
    assert told.supervisor.approves_plan().state.plan.returns == 2


def test_a_return_needs_a_reason() -> None:
    told = story().employee.submits_plan()

    with refused(Reason.FIELD_INVALID) as caught:
        told.supervisor.returns_plan(reason="  ")
    assert caught.value.fields == {"reason": "is required"}


def test_a_plan_is_withdrawn_until_it_was_reviewed_and_its_old_due_time_stays() -> None:
    told = story().at("2026-01-13 09:00").employee.submits_plan()
    told.at("2026-01-20 09:00").employee.withdraws_plan()

    assert told.stage is Stage.PLAN
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-14"
    assert told.state.plan.returns == 0
    told.employee.submits_plan().supervisor.approves_plan()
    with refused(Reason.WRONG_STAGE):
        told.employee.withdraws_plan()


def test_a_plan_withdrawn_after_its_due_time_is_flagged_then_and_not_before() -> None:
    told = story().at("2026-01-13 09:00").employee.submits_plan()

    told.at("2026-01-20 09:00").employee.withdraws_plan().at("2026-01-20 09:01")

    assert told.entry("task_flagged").occurred_at == told.local("2026-01-20 09:00")


def test_the_team_sets_a_plan_that_is_late_and_it_is_marked() -> None:
    told = story().at(story().due(TaskKind.SUBMIT_PLAN) + SECOND - INSTANT)

    with refused(Reason.NOT_YET_OPEN, rule="plan.due.on"):
        told.team.sets_plan()
    told.at("2026-01-15 00:00").team.sets_plan()
    assert told.stage is Stage.EXECUTION
    assert told.state.plan.set_by_team
    assert told.state.plan.version == 1


def test_only_the_team_sets_a_plan_and_only_where_the_policy_lets_it() -> None:
    told = story().at("2026-02-02 09:00")
    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.sets_plan()

    other = story(policy=make_policy(plan={"team_may_set": False, "late": {"act": "remind"}}))
    with refused(Reason.NOT_ALLOWED_BY_POLICY):
        other.at("2026-02-02 09:00").team.sets_plan()


def test_an_expectation_is_added_without_moving_anything() -> None:
    told = story().employee.submits_plan().supervisor.adds_expectation()

    assert told.stage is Stage.PLAN_REVIEW
    assert planned().supervisor.adds_expectation().stage is Stage.EXECUTION
    with refused(Reason.NOT_YOUR_TASK):
        told.approver.adds_expectation()


def test_a_plan_change_takes_effect_when_the_supervisor_approves_it() -> None:
    told = planned().at("2026-03-02 09:00").employee.asks_for_a_change("antrean", "inovasi")
    assert [i.id for i in told.state.plan.indicators] == ["antrean"]
    with refused(Reason.ALREADY_DONE):
        told.employee.asks_for_a_change("lain")

    told.supervisor.decides_the_change()

    assert told.state.plan.version == 2
    assert [i.id for i in told.state.plan.indicators] == ["antrean", "inovasi"]
    with refused(Reason.ALREADY_DONE, last_event="plan_change_decided", revision="5"):
        told.supervisor.decides_the_change()


def test_a_refused_plan_change_leaves_the_plan() -> None:
    told = planned().employee.asks_for_a_change("inovasi")

    told.supervisor.decides_the_change(approved=False)

    assert told.state.plan.version == 1
    assert told.employee.asks_for_a_change("inovasi").state.plan.proposed is not None


def test_a_plan_change_that_waits_when_self_evaluation_opens_is_closed() -> None:
    told = planned().at("2026-11-27 09:00").employee.asks_for_a_change("inovasi")

    told.at("2026-12-01 09:00")

    assert told.waiting == ["SELF_EVALUATION"]
    assert told.state.plan.proposed is None


def test_a_plan_change_that_waits_when_the_rating_opens_is_closed() -> None:
    told = planned(policy=make_policy(self_evaluation={"enabled": False}))
    told.at("2026-11-27 09:00").employee.asks_for_a_change("inovasi").at("2027-01-01 00:10")

    assert told.waiting == ["RATE"]
    assert told.state.plan.proposed is None


def test_a_policy_may_know_no_plan_change() -> None:
    told = planned(policy=make_policy(plan_change={"enabled": False}))

    with refused(Reason.NOT_ALLOWED_BY_POLICY):
        told.employee.asks_for_a_change("inovasi")


def test_without_a_review_the_plan_is_in_force_when_it_is_submitted() -> None:
    told = story(policy=make_policy(plan_review={"enabled": False})).employee.submits_plan()

    assert told.stage is Stage.EXECUTION
    assert told.state.plan.version == 1
    assert told.waiting == []


def test_without_a_plan_the_year_begins_at_work() -> None:
    told = story(policy=make_policy(plan={"enabled": False}))
    assert told.stage is Stage.EXECUTION

    assert told.at("2026-07-01 09:00").stage is Stage.MIDYEAR
    assert told.at("2026-12-01 09:00").stage is Stage.SELF_EVALUATION


@pytest.mark.parametrize("command", [SubmitPlan, RequestPlanChange])
def test_a_plan_names_each_indicator_once_and_describes_it(
    command: type[SubmitPlan] | type[RequestPlanChange],
) -> None:
    told = story() if command is SubmitPlan else planned()
    twice = make_plan("antrean", "antrean")
    many = make_plan(*(f"i{n}" for n in range(51)))
    silent = {**make_plan(), "prose": {"indicators.antrean.description": " "}}

    for fields, field in (
        ({"indicators": (), "prose": {}}, "indicators"),
        (twice, "indicators"),
        (many, "indicators"),
        (silent, "indicators.antrean.description"),
    ):
        with refused(Reason.FIELD_INVALID) as caught:
            told.employee.gives(command(**fields))
        assert list(caught.value.fields) == [field]


def test_a_plan_has_the_kinds_of_indicators_that_the_policy_asks_for() -> None:
    both = story(policy=make_policy(plan={"indicators": {"each_kind_required": True}}))
    judged = story(policy=make_policy(plan={"indicators": {"kinds": ["qualitative"]}}))

    for told in (both, judged):
        with refused(Reason.FIELD_INVALID) as caught:
            told.at("2026-01-06 09:00").employee.submits_plan()
        assert set(caught.value.fields) == {"indicators"}
