"""The year under a plan: progress, periods, midyear, self-evaluation, and what opens when."""

from typing import Any

import pytest

from siklus.workflows.domain.commands import SubmitSelfEvaluation
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level, Predicate
from tests.domain.story import at_rating, make_policy, planned, refused, story

QUARTERS = {"per_year": 4}


def test_progress_is_reported_until_self_evaluation_opens() -> None:
    told = planned().at("2026-07-02 09:00").employee.reports_progress("antrean")
    assert told.stage is Stage.MIDYEAR

    with refused(Reason.WRONG_STAGE):
        told.at("2026-12-01 09:00").employee.reports_progress()


def test_progress_names_an_indicator_of_the_plan() -> None:
    with refused(Reason.FIELD_INVALID) as caught:
        planned().employee.reports_progress("tak-ada")
    assert list(caught.value.fields) == ["indicator"]


def test_a_period_is_evaluated_after_it_ended() -> None:
    told = planned(policy=make_policy(periods=QUARTERS))
    with refused(Reason.NOT_YET_OPEN, ends_on="2026-03-31"):
        told.at("2026-03-31 23:59").supervisor.evaluates_period(1)

    told.at("2026-04-01 00:00")
    assert told.due_on(TaskKind.PERIODIC_EVALUATION, 1) == "2026-04-15"
    told.supervisor.evaluates_period(1, "ABOVE", "BELOW")

    assert told.state.periods[0].predicate is Predicate.KURANG
    with refused(Reason.ALREADY_DONE):
        told.supervisor.evaluates_period(1)
    with refused(Reason.FIELD_INVALID):
        told.supervisor.evaluates_period(5)


def test_a_late_period_is_still_evaluated_until_the_rating() -> None:
    told = at_rating(policy=make_policy(periods=QUARTERS))
    assert [task for task in told.waiting if task.startswith("PERIODIC")] == [
        f"PERIODIC_EVALUATION.{n}" for n in (1, 2, 3, 4)
    ]

    told.supervisor.evaluates_period(2).supervisor.rates()

    assert told.waiting == ["RECEIVE_RESULT"]
    with refused(Reason.WRONG_STAGE):
        told.supervisor.evaluates_period(3)


def test_a_period_that_ended_before_the_plan_was_approved_is_skipped() -> None:
    told = story(policy=make_policy(periods=QUARTERS)).at("2026-04-01 08:00")
    told.employee.submits_plan().supervisor.approves_plan().at("2026-07-01 09:00")

    assert told.state.periods[0].skipped
    assert TaskKind.PERIODIC_EVALUATION + ".2" in told.waiting
    with refused(Reason.ALREADY_DONE):
        told.supervisor.evaluates_period(1)


@pytest.mark.parametrize("approved", ["2026-08-01 00:00", "2026-12-15 09:00"])
def test_a_midyear_that_ended_before_the_plan_was_approved_is_skipped(approved: str) -> None:
    told = story().at(approved).employee.submits_plan().supervisor.approves_plan()

    told.at("2027-01-02 09:00")

    assert told.state.midyear.skipped
    assert "midyear_opened" not in told.kinds


def test_a_midyear_due_by_days_ends_where_self_evaluation_opens() -> None:
    due = {"on": None, "after": {"days": 20}}
    told = story(policy=make_policy(midyear={"due": due})).at("2026-12-15 09:00")

    told.employee.submits_plan().supervisor.approves_plan().at("2026-12-15 10:00")

    assert told.state.midyear.skipped
    assert told.stage is Stage.SELF_EVALUATION


def test_the_midyear_is_an_account_and_then_a_dialogue() -> None:
    told = planned().at("2026-07-06 09:00")
    with refused(Reason.NOT_YET_OPEN):
        told.supervisor.reviews_midyear()
    told.employee.accounts_for_midyear()
    with refused(Reason.ALREADY_DONE):
        told.employee.accounts_for_midyear()

    told.supervisor.reviews_midyear("antrean", "inovasi")

    assert told.stage is Stage.EXECUTION
    assert told.state.plan.version == 2


def test_a_late_account_does_not_stop_the_review_and_is_still_taken() -> None:
    told = planned().at("2026-08-01 00:10")
    assert told.waiting == ["MIDYEAR_ACCOUNT", "MIDYEAR_REVIEW"]
    assert told.due_on(TaskKind.MIDYEAR_REVIEW) == "2026-08-07"

    late = told.again().employee.accounts_for_midyear()
    assert late.waiting == ["MIDYEAR_REVIEW"]
    assert told.supervisor.reviews_midyear().stage is Stage.EXECUTION


def test_nobody_accounts_in_the_employee_s_name() -> None:
    told = planned().at("2026-09-01 09:00")

    account = told.task(TaskKind.MIDYEAR_ACCOUNT)
    assert (account.escalated_to, account.flagged) == ((), False)
    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.accounts_for_midyear()


def test_a_midyear_left_undone_is_missed_when_self_evaluation_opens() -> None:
    told = planned().at("2026-12-01 00:09:59")
    assert not told.state.midyear.settled

    told.at("2026-12-01 00:10")

    assert told.state.midyear.missed
    assert told.entry("midyear_missed").occurred_at == told.local("2026-12-01 00:00")
    assert told.stage is Stage.SELF_EVALUATION


def test_self_evaluation_is_done_late_but_not_after_the_rating_opened() -> None:
    policy = make_policy(self_evaluation={"due": {"on": "12-15"}})
    told = planned(policy=policy).at("2026-12-31 23:59:59")
    assert told.again().employee.evaluates_self().state.self_evaluation.results is Level.AT

    in_time = told.again().at(
        "2026-12-31 23:59:59", recorded=told.local("2027-01-01 00:09") - told.now
    )
    assert in_time.employee.evaluates_self().stage is Stage.SELF_EVALUATION
    with refused(Reason.WINDOW_CLOSED, rule="rating.opens"):
        told.at("2027-01-01 00:00").employee.evaluates_self()


def test_the_year_goes_on_without_a_self_evaluation() -> None:
    told = planned().at("2027-01-01 00:10")

    assert told.state.self_evaluation.missed
    assert told.stage is Stage.RATING
    assert told.entry("rating_opened").occurred_at == told.local("2027-01-01 00:00")


def test_a_submitted_self_evaluation_waits_for_the_rating_to_open() -> None:
    told = planned().at("2026-12-07 09:00").employee.evaluates_self()
    assert told.stage is Stage.SELF_EVALUATION
    with refused(Reason.ALREADY_DONE):
        told.employee.evaluates_self()
    with refused(Reason.WRONG_STAGE):
        told.supervisor.rates()

    assert told.at("2027-01-01 00:00").stage is Stage.RATING


def test_self_evaluation_speaks_of_the_plan_s_indicators() -> None:
    told = planned().at("2026-12-07 09:00")
    prose = {"account": "Tercapai", "indicators.lain.realisation": "100"}

    with refused(Reason.FIELD_INVALID) as caught:
        told.employee.gives(SubmitSelfEvaluation(results=Level.AT, behaviour=Level.AT, prose=prose))
    assert list(caught.value.fields) == ["indicators.lain.realisation"]


def test_a_plan_approved_after_the_rating_opened_still_gets_its_self_evaluation() -> None:
    told = story().at("2027-01-15 09:00").employee.submits_plan()
    told.at("2027-01-18 09:00").supervisor.approves_plan().at("2027-01-18 10:00")
    assert told.due_on(TaskKind.SELF_EVALUATION) == "2027-01-25"

    told.at("2027-01-26 00:10")

    assert told.stage is Stage.RATING
    assert told.due_on(TaskKind.RATE) == "2027-02-02"


def test_whoever_joins_at_the_rating_waits_for_it_without_a_plan() -> None:
    told = story(from_rating=True, opened="2026-10-01 09:00")
    assert told.stage is Stage.EXECUTION
    with refused(Reason.WRONG_STAGE):
        told.employee.asks_for_a_change("inovasi")

    assert told.at("2027-01-01 00:10").stage is Stage.RATING
    assert told.supervisor.rates().predicates == [Predicate.BAIK]
    assert {"midyear_opened", "self_evaluation_opened"}.isdisjoint(told.kinds)


def test_the_rating_waits_for_the_least_days_under_a_plan() -> None:
    told = story(policy=make_policy(min_days_under_plan=90)).at("2026-12-01 09:00")
    told.employee.submits_plan().supervisor.approves_plan()
    told.at("2026-12-07 09:00").employee.evaluates_self()

    assert told.at("2027-03-01 23:59").stage is Stage.SELF_EVALUATION
    assert told.at("2027-03-02 00:10").stage is Stage.RATING


AMERICAN: dict[str, Any] = {
    "year": {"starts": "previous 10-01", "ends": "09-30"},
    "plan": {"due": {"on": None, "after": {"days": 30}}},
    "periods": {"per_year": 4},
    "midyear": {"opens": "04-01", "due": {"on": "04-30"}},
    "self_evaluation": {"opens": "09-01", "due": {"on": "09-30"}},
    "rating": {"opens": "10-01", "due": {"on": "10-31"}},
    "final_approval": {"due": {"on": "11-30"}},
    "appeal": {"enabled": False},
}


def test_a_year_may_run_from_october_to_september() -> None:
    told = story(policy=make_policy(**AMERICAN), opened="2025-10-01 09:00")
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2025-10-31"
    told.employee.submits_plan().supervisor.approves_plan()

    assert told.at("2026-01-01 09:00").waiting == ["PERIODIC_EVALUATION.1"]
    assert told.at("2026-04-01 09:00").stage is Stage.MIDYEAR
    assert told.at("2026-09-01 09:00").stage is Stage.SELF_EVALUATION
    assert told.at("2026-10-01 09:00").stage is Stage.RATING
    assert told.due_on(TaskKind.RATE) == "2026-10-31"
    assert told.supervisor.rates().stage is Stage.FINAL_APPROVAL
    assert told.approver.approves().stage is Stage.COMPLETED


def test_switched_off_stages_are_passed_by() -> None:
    off = {"enabled": False}
    told = planned(policy=make_policy(midyear=off, self_evaluation=off, final_approval=off))

    told.at("2027-01-01 00:10")

    assert told.kinds[3:] == ["rating_opened"]
    told.supervisor.rates().employee.acknowledges(accepted=True)
    assert told.stage is Stage.COMPLETED
    assert told.waiting == []
