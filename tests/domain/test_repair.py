"""Repairs: the way back to an earlier stage, and entries that are put right."""

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level, Predicate
from tests.domain.story import (
    Story,
    appealed,
    at_approval,
    at_rating,
    make_policy,
    planned,
    rated,
    refused,
    story,
)

WHY = {"reason": "Salah unggah"}


def returns(told: Story, stage: Stage) -> Story:
    return told.team.gives(c.ReturnToStage(stage=stage, prose=WHY))


def test_a_plan_approved_by_mistake_goes_back_to_its_employee_and_comes_again() -> None:
    told = planned().at("2026-01-12 09:00")

    returns(told, Stage.PLAN)

    assert told.waiting == ["SUBMIT_PLAN"]
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-20"
    told.employee.submits_plan("antrean", "arsip").supervisor.approves_plan()
    assert (told.stage, told.state.plan.version) == (Stage.EXECUTION, 2)


def test_a_review_can_be_held_again() -> None:
    told = returns(planned().at("2026-01-12 09:00"), Stage.PLAN_REVIEW)

    assert told.supervisor.returns_plan().stage is Stage.PLAN


def test_a_self_evaluation_can_be_written_again_after_the_rating_opened() -> None:
    told = planned().at("2026-12-10 09:00").employee.evaluates_self("BELOW", "AT")
    told.at("2027-01-04 09:00")

    returns(told, Stage.SELF_EVALUATION)

    assert told.due_on(TaskKind.SELF_EVALUATION) == "2027-01-12"
    told.employee.evaluates_self("AT", "AT").at("2027-01-13 09:00")
    assert (told.stage, told.state.self_evaluation.results) == (Stage.RATING, Level.AT)


def test_a_result_can_go_back_to_its_rater_and_is_delivered_anew() -> None:
    told = rated().at("2027-01-06 09:00").employee.opens_result()

    returns(told, Stage.RATING)
    told.supervisor.rates("AT", "AT")

    assert (told.stage, told.state.received_at) == (Stage.DELIVERY, None)
    assert told.predicates == [Predicate.KURANG, Predicate.BAIK]


def test_a_lapsed_appeal_window_opens_again_by_an_explicit_act_alone() -> None:
    told = rated().at("2027-01-06 09:00").employee.opens_result().at("2027-01-22 09:00")
    assert told.stage is Stage.FINAL_APPROVAL
    with refused(Reason.WINDOW_CLOSED):
        told.employee.appeals()

    returns(told, Stage.APPEAL_WINDOW)

    assert told.due_on(TaskKind.APPEAL) == "2027-02-05"
    assert told.employee.appeals().stage is Stage.APPEAL_DECISION


def test_a_decided_appeal_is_final_and_a_pending_one_is_decided_first() -> None:
    told = appealed()
    with refused(Reason.WRONG_STAGE):
        returns(told, Stage.RATING)

    told.supervisor.responds().superior.upholds()

    for stage in (Stage.RATING, Stage.APPEAL_WINDOW, Stage.PLAN):
        with refused(Reason.APPEAL_FINAL):
            returns(told, stage)


@pytest.mark.parametrize("stage", [Stage.RATING, Stage.COMPLETED, Stage.EXECUTION])
def test_there_is_no_way_forward_and_none_to_a_stage_that_asks_for_nothing(stage: Stage) -> None:
    with refused(Reason.FIELD_INVALID) as caught:
        returns(planned(), stage)

    assert "PLAN, PLAN_REVIEW" in caught.value.message


def test_a_stage_without_time_or_without_a_place_in_the_policy_is_no_way_back() -> None:
    with refused(Reason.WRONG_STAGE):
        returns(at_rating(), Stage.MIDYEAR)
    with refused(Reason.NOT_ALLOWED_BY_POLICY):
        off = make_policy(self_evaluation={"enabled": False})
        returns(at_rating(policy=off), Stage.SELF_EVALUATION)


def corrects(told: Story, entry: c.Correctable, number: int, results: str) -> Story:
    command = c.CorrectEntry(
        entry=entry, number=number, results=Level(results), behaviour=Level.AT, prose=WHY
    )
    return told.team.gives(command)


def test_a_period_s_levels_are_put_right_and_the_first_ones_stay_in_the_history() -> None:
    told = planned(policy=make_policy(periods={"per_year": 4})).at("2026-04-02 09:00")
    told.supervisor.evaluates_period(1, "BELOW")

    corrects(told, c.Correctable.PERIODIC_EVALUATION, 1, "ABOVE")

    period = told.state.periods[0]
    assert (period.results, period.predicate) == (Level.ABOVE, Predicate.BAIK)
    assert told.kinds[-2:] == ["periodic_evaluation_recorded", "entry_corrected"]
    with refused(Reason.FIELD_INVALID):
        corrects(told, c.Correctable.PERIODIC_EVALUATION, 1, "ABOVE")
    with refused(Reason.WRONG_STAGE):
        corrects(told, c.Correctable.PERIODIC_EVALUATION, 2, "ABOVE")


def test_a_self_evaluation_is_put_right_only_once_it_is_there() -> None:
    told = planned().at("2026-12-10 09:00")
    with refused(Reason.WRONG_STAGE):
        corrects(told, c.Correctable.SELF_EVALUATION, 0, "AT")

    told.employee.evaluates_self("BELOW", "AT")
    corrects(told, c.Correctable.SELF_EVALUATION, 0, "AT")

    assert told.state.self_evaluation.results is Level.AT


def test_a_request_for_a_second_person_lapses_when_somebody_acts_in_between() -> None:
    policy = make_policy(second_person=["cancel"])
    told = story(policy=policy).team.cancels()
    assert told.kinds[-1] == "repair_requested"
    second = told.person("tim-2", roles=told.team.actor.roles)

    told.employee.submits_plan()
    assert told.state.repair is None
    second.cancels()

    assert told.stage is Stage.PLAN_REVIEW
    assert told.team.cancels().stage is Stage.CANCELLED


def test_an_appeal_under_way_is_decided_or_withdrawn_before_anything_goes_back() -> None:
    told = appealed()
    with refused(Reason.WRONG_STAGE) as wait:
        returns(told, Stage.RATING)
    assert "decided, or withdrawn, first" in wait.value.message

    assert returns(told.employee.withdraws_appeal(), Stage.RATING).waiting == ["RATE"]


def test_the_final_approval_can_still_go_back() -> None:
    assert returns(at_approval(), Stage.RATING).waiting == ["RATE"]


def test_a_midyear_review_can_be_held_again_until_the_next_stage_opens() -> None:
    told = planned().at("2026-07-02 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear().at("2026-08-03 09:00")

    returns(told, Stage.MIDYEAR)

    assert told.waiting == ["MIDYEAR_REVIEW"]
    assert told.supervisor.reviews_midyear().stage is Stage.EXECUTION


def test_a_midyear_still_to_come_is_no_way_back() -> None:
    with refused(Reason.FIELD_INVALID):
        returns(planned(), Stage.MIDYEAR)


@pytest.mark.parametrize("stage", [Stage.PLAN, Stage.SELF_EVALUATION])
def test_whoever_joined_at_the_rating_is_asked_for_nothing_before_it(stage: Stage) -> None:
    told = story(from_rating=True).at("2027-01-04 09:00")
    assert told.stage is Stage.RATING

    with refused(Reason.FIELD_INVALID):
        returns(told, stage)


def test_a_plan_that_the_employee_writes_anew_is_no_longer_the_team_s() -> None:
    told = story().at("2026-01-20 09:00").team.sets_plan()
    assert told.state.plan.set_by_team

    returns(told, Stage.PLAN).employee.submits_plan()

    assert not told.state.plan.set_by_team


def test_an_open_period_is_evaluated_while_the_plan_is_done_again() -> None:
    told = planned(policy=make_policy(periods={"per_year": 4})).at("2026-04-02 09:00")
    returns(told, Stage.PLAN)
    assert "PERIODIC_EVALUATION.1" in told.waiting

    told.supervisor.evaluates_period(1)

    assert (told.stage, told.waiting) == (Stage.PLAN, ["SUBMIT_PLAN"])


def test_a_self_evaluation_has_no_number() -> None:
    told = planned().at("2026-12-10 09:00").employee.evaluates_self("BELOW", "AT")

    with refused(Reason.FIELD_INVALID):
        corrects(told, c.Correctable.SELF_EVALUATION, 3, "AT")
