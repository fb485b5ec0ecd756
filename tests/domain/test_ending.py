"""Endings out of turn, and the way back."""

from datetime import timedelta

import pytest

from siklus.workflows.domain.commands import Cancel, Exclude, ExclusionGround, Reopen
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from tests.domain.story import (
    ADMIN,
    RINA,
    Story,
    appealed,
    at_approval,
    make_policy,
    planned,
    rated,
    refused,
    story,
)


def ended(told: Story) -> Story:
    """Return the story after its exclusion and reopening."""
    told.team.excludes()
    assert told.waiting == []
    return told.team.reopens()


@pytest.mark.parametrize("ground", ExclusionGround)
def test_an_exclusion_keeps_its_ground_and_a_reopening_lifts_it(ground: ExclusionGround) -> None:
    told = planned().team.excludes(ground)

    assert told.state.ground is ground
    assert told.at("2027-06-01 09:00").stage is Stage.EXCLUDED
    assert told.team.reopens().state.ground is None


def test_a_cancelled_evaluation_is_over() -> None:
    told = planned().team.cancels()

    assert told.stage is Stage.CANCELLED
    with refused(Reason.EVALUATION_CLOSED, stage="CANCELLED"):
        told.employee.reports_progress()
    with refused(Reason.EVALUATION_CLOSED):
        told.team.cancels()


def test_endings_and_reopenings_are_the_team_s_and_have_reasons() -> None:
    told = planned()
    for act in (told.supervisor.excludes, told.superior.cancels):
        with refused(Reason.NOT_YOUR_TASK):
            act()
    for command in (Exclude(ground=ExclusionGround.OTHER), Cancel()):
        with refused(Reason.FIELD_INVALID):
            told.team.gives(command)

    told.team.cancels()
    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.reopens()
    with refused(Reason.FIELD_INVALID):
        told.team.gives(Reopen())


def test_only_what_ended_is_reopened() -> None:
    with refused(Reason.WRONG_STAGE):
        planned().team.reopens()


def test_a_reopening_takes_up_the_numbers_and_the_chain() -> None:
    told = at_approval().approver.approves()
    before = told.state

    told.at("2027-03-15 09:00").team.reopens()

    assert told.state.revision == before.revision + 1
    assert told.state.approved_at is None
    assert told.folded() == told.state


def test_a_completed_evaluation_goes_back_to_its_rating() -> None:
    told = at_approval().approver.approves().at("2027-03-15 09:00").team.reopens()
    assert told.waiting == ["RATE"]

    told.supervisor.rates("BELOW", "BELOW").employee.appeals()

    assert told.stage is Stage.APPEAL_DECISION


def test_after_an_appeal_decision_only_the_approval_is_taken_up() -> None:
    told = appealed().supervisor.responds().superior.upholds().approver.approves()

    told.team.reopens()

    assert told.waiting == ["APPROVE"]
    with refused(Reason.APPEAL_FINAL):
        told.approver.returns_rating()


def test_after_an_appeal_decision_without_an_approval_nothing_is_taken_up() -> None:
    told = appealed(policy=make_policy(final_approval={"enabled": False})).supervisor.responds()
    told.superior.upholds()
    assert told.stage is Stage.COMPLETED

    with refused(Reason.APPEAL_FINAL):
        told.team.reopens()


def test_an_appeal_that_waited_is_still_decided() -> None:
    unheard = ended(appealed())
    assert unheard.waiting == ["DECIDE_APPEAL", "RESPOND_TO_APPEAL"]
    assert unheard.task(TaskKind.DECIDE_APPEAL).holder == RINA

    heard = ended(appealed().supervisor.responds())
    assert heard.stage is Stage.APPEAL_DECISION
    assert heard.superior.upholds().stage is Stage.FINAL_APPROVAL


def test_a_reopened_plan_is_asked_for_again() -> None:
    told = ended(story().employee.submits_plan())

    assert told.waiting == ["SUBMIT_PLAN"]


def test_a_reopened_year_takes_up_what_was_open() -> None:
    policy = make_policy(periods={"per_year": 4})
    told = planned(policy=policy).employee.asks_for_a_change("inovasi").at("2026-04-01 09:00")

    ended(told)

    assert told.waiting == ["PERIODIC_EVALUATION.1"]
    assert told.supervisor.evaluates_period(1).waiting == []
    assert told.employee.asks_for_a_change("lain").state.plan.proposed is not None


def test_a_reopened_midyear_keeps_the_account() -> None:
    told = ended(planned().at("2026-07-06 09:00").employee.accounts_for_midyear())

    told.at("2026-07-06 09:01")

    assert told.waiting == ["MIDYEAR_REVIEW"]
    assert told.supervisor.reviews_midyear().stage is Stage.EXECUTION


def test_a_midyear_without_an_account_asks_for_it_again() -> None:
    told = ended(planned().at("2026-09-01 09:00")).at("2026-09-01 09:01")
    assert told.waiting == ["MIDYEAR_ACCOUNT"]

    told.at(told.due(TaskKind.MIDYEAR_ACCOUNT) + timedelta(minutes=11))

    assert told.waiting == ["MIDYEAR_ACCOUNT", "MIDYEAR_REVIEW"]


def test_a_midyear_whose_time_passed_while_ended_is_missed() -> None:
    told = planned().team.excludes().at("2026-12-10 09:00").team.reopens()

    told.at("2026-12-10 09:11")

    assert told.state.midyear.missed
    assert "midyear_opened" not in told.kinds
    assert told.stage is Stage.SELF_EVALUATION


def test_a_reopened_self_evaluation_can_still_be_given() -> None:
    told = ended(planned().at("2026-12-10 09:00")).at("2026-12-11 09:00")

    assert told.employee.evaluates_self().state.self_evaluation.submitted_at is not None


def test_a_reopened_segment_asks_for_its_interim_rating_again() -> None:
    told = planned().at("2026-06-01 09:00").team.transfers("2026-05-31")

    assert ended(told).waiting == ["INTERIM_RATE"]


def test_an_employee_who_joined_at_the_rating_is_asked_for_no_plan() -> None:
    told = ended(story(from_rating=True))

    assert told.stage is Stage.EXECUTION
    assert told.waiting == []


def test_two_people_reopen_where_the_policy_says_so() -> None:
    told = rated(policy=make_policy(reopen_needs_second_person=True)).team.cancels()

    told.team.reopens()
    assert told.stage is Stage.CANCELLED
    assert told.last.kind == "reopening_requested"
    with refused(Reason.SECOND_PERSON_REQUIRED):
        told.team.reopens()
    assert told.person("tim-2", roles=ADMIN).reopens().stage is Stage.RATING
    assert told.state.reopening_by is None
