"""What an agency may rely on, whatever happens: one test for each behaviour."""

from datetime import date, timedelta

import pytest

from siklus.workflows.domain.commands import ExclusionGround, Mandate, Seat
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.events import EvaluationExcluded, Receipt
from siklus.workflows.domain.instant import TRANSIT
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Predicate
from tests.domain.story import (
    ADMIN,
    BUDI,
    INSTANT,
    MINUTE,
    RINA,
    SECOND,
    WAYAN,
    ZONES,
    appealed,
    at_rating,
    make_policy,
    planned,
    rated,
    refused,
    story,
)


def test_only_the_employee_submits_the_plan() -> None:
    told = story()

    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.submits_plan()
    with refused(Reason.NOT_A_PARTICIPANT):
        told.person("orang-lain").submits_plan()
    assert told.employee.submits_plan().stage is Stage.PLAN_REVIEW


def test_a_superior_who_is_not_the_rater_cannot_approve_the_plan() -> None:
    told = story().at("2026-01-06 09:00").employee.submits_plan()

    with refused(Reason.NOT_YOUR_TASK):
        told.superior.approves_plan()
    with refused(Reason.NOT_YOUR_TASK):
        told.approver.approves_plan()


def test_a_second_approval_learns_who_decided() -> None:
    told = planned()

    with refused(
        Reason.WRONG_STAGE,
        revision="3",
        stage="EXECUTION",
        last_event="plan_approved",
        last_actor=BUDI,
    ):
        told.supervisor.approves_plan()


def test_after_a_transfer_the_old_rater_rates_the_old_segment() -> None:
    told = planned().at("2026-06-01 09:00").team.transfers("2026-05-31")
    new = at_rating(segment=2, supervisor=WAYAN, served_from_on=date(2026, 6, 1))

    with refused(Reason.NOT_A_PARTICIPANT):
        told.person(WAYAN).rates()
    with refused(Reason.NOT_A_PARTICIPANT):
        new.person(BUDI).rates()
    assert told.supervisor.rates().stage is Stage.SEGMENT_CLOSED
    assert new.supervisor.rates().state.rater == WAYAN


def test_after_a_transfer_the_old_rater_s_successor_rates_the_old_segment() -> None:
    told = planned().at("2026-06-01 09:00").team.transfers("2026-05-31")
    told.team.reassigns(Seat.SUPERVISOR, WAYAN)

    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.rates()
    assert told.person(WAYAN).rates().entry("interim_rated").actor == WAYAN


def test_when_the_rater_leaves_the_superior_gets_the_task() -> None:
    told = at_rating().team.reassigns(Seat.SUPERVISOR, RINA)

    assert told.task(TaskKind.RATE).holder == RINA
    assert told.superior.rates().state.rater == RINA


@pytest.mark.parametrize("zone", ZONES)
def test_an_appeal_counts_on_the_last_second_and_not_one_second_later(zone: str) -> None:
    told = rated(zone=zone).at("2027-01-15 09:00").employee.opens_result()
    closes = told.due(TaskKind.APPEAL)
    assert closes == told.local("2027-01-29 23:59:59")

    assert told.again().at(closes).employee.appeals().stage is Stage.APPEAL_DECISION
    last = closes + SECOND - INSTANT
    assert told.again().at(last).employee.appeals().stage is Stage.APPEAL_DECISION
    with refused(Reason.WINDOW_CLOSED, closed_at=closes.isoformat(), rule="appeal.window"):
        told.again().at(closes + SECOND).employee.appeals()
    with refused(Reason.WINDOW_CLOSED):
        told.again().at(closes + timedelta(days=1)).employee.appeals()


@pytest.mark.parametrize("zone", ZONES)
def test_an_appeal_received_in_time_counts_though_it_is_recorded_late(zone: str) -> None:
    told = rated(zone=zone).at("2027-01-15 09:00").employee.opens_result()
    closes = told.due(TaskKind.APPEAL)

    late = told.again().at(closes, recorded=TRANSIT).employee.appeals()
    assert late.entry("appeal_filed").occurred_at == closes
    assert late.entry("appeal_filed").recorded_at == closes + TRANSIT
    assert "appeal_window_lapsed" not in late.kinds
    # Another second, and its receipt is in doubt: it counts when it is recorded.
    with refused(Reason.WINDOW_CLOSED):
        told.again().at(closes, recorded=TRANSIT + 2 * SECOND).employee.appeals()


def test_nobody_can_overtake_an_appeal_that_is_under_way() -> None:
    told = rated().at("2027-01-15 09:00").employee.opens_result()
    closes = told.due(TaskKind.APPEAL)

    with refused(Reason.WRONG_STAGE):
        told.at(closes + 5 * MINUTE).approver.approves()
    told.at(closes, recorded=9 * MINUTE).employee.appeals()

    assert told.stage is Stage.APPEAL_DECISION


def test_a_result_is_appealed_once() -> None:
    told = appealed().supervisor.responds().superior.upholds()

    with refused(Reason.APPEAL_SPENT):
        told.employee.appeals()


def test_an_appeal_turns_kurang_into_baik_and_the_history_keeps_both() -> None:
    told = appealed().at("2027-01-08 09:00").supervisor.responds().superior.changes_rating()

    assert told.predicates == [Predicate.KURANG, Predicate.BAIK]
    assert [rating.by_appeal for rating in told.state.ratings] == [False, True]
    assert told.approver.approves().stage is Stage.COMPLETED


def test_the_decider_is_never_the_rater() -> None:
    alone = {"superior": None, "approver": BUDI, "superiors": {BUDI: None}}
    told = appealed(**alone).supervisor.responds()

    assert told.task(TaskKind.DECIDE_APPEAL).holder is None
    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.upholds()
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.team.reassigns(Seat.DECIDER, BUDI)
    assert told.team.upholds().stage is Stage.FINAL_APPROVAL


def test_whoever_rated_does_not_choose_who_decides_the_appeal() -> None:
    told = appealed()
    rater_in_the_team = told.person(BUDI, roles=ADMIN)

    with refused(Reason.SEPARATION_OF_DUTIES):
        rater_in_the_team.reassigns(Seat.DECIDER, WAYAN)
    assert told.team.reassigns(Seat.DECIDER, WAYAN).task(TaskKind.DECIDE_APPEAL).holder == WAYAN


def test_at_the_top_the_law_makes_rater_and_decider_one_and_it_shows() -> None:
    policy = make_policy(appeal={"top_of_hierarchy": True})
    told = appealed(policy=policy, superior=None, superiors={BUDI: None})

    assert told.state.appeal is not None
    assert told.state.appeal.top_of_hierarchy
    assert told.waiting == ["DECIDE_APPEAL"]
    assert told.supervisor.upholds().entry("appeal_decided").actor == BUDI


def test_a_silent_decider_is_escalated_and_the_appeal_never_rejected() -> None:
    told = appealed().at("2028-01-06 09:00")

    assert told.stage is Stage.APPEAL_DECISION
    assert told.task(TaskKind.DECIDE_APPEAL).escalated_to == ("agus",)
    assert told.task(TaskKind.DECIDE_APPEAL).flagged
    assert told.approver.changes_rating().predicates[-1] is Predicate.BAIK


def test_a_policy_edited_during_the_cycle_leaves_the_cycle_as_it_is() -> None:
    told = planned(policy=make_policy())
    edited = make_policy(version=2, appeal={"enabled": False})

    other = planned(policy=edited)

    assert told.state.policy.version == 1
    assert told.state.policy.appeal.enabled
    assert not other.state.policy.appeal.enabled


def test_an_acting_official_cannot_act_after_the_mandate_s_end() -> None:
    plt = Mandate(
        id="m1",
        principal=BUDI,
        delegate=WAYAN,
        letter="800/12",
        from_on=date(2026, 1, 1),
        to_on=date(2026, 1, 31),
    )
    told = story().at("2026-01-06 09:00").employee.submits_plan()

    last = told.again().at("2026-01-31 23:59")
    assert last.person(WAYAN, mandates=(plt,)).approves_plan().stage is Stage.EXECUTION
    told.at("2026-02-01 00:00")
    with refused(Reason.MANDATE_NOT_VALID):
        told.person(WAYAN, mandates=(plt,)).approves_plan()


def test_unpaid_leave_is_excluded_with_its_reason() -> None:
    told = planned().team.excludes(ExclusionGround.UNPAID_LEAVE)

    assert told.stage is Stage.EXCLUDED
    assert told.state.ground is ExclusionGround.UNPAID_LEAVE
    assert isinstance(told.last, EvaluationExcluded)
    assert told.last.prose is not None
    assert told.waiting == []


def test_progress_sent_before_the_stage_turned_is_not_lost() -> None:
    told = planned().at("2026-07-06 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear()

    told.at("2026-11-30 23:59:59", recorded=9 * MINUTE).employee.reports_progress()

    assert told.last.kind == "progress_reported"
    assert told.at("2026-12-01 00:10").stage is Stage.SELF_EVALUATION


def test_what_is_sent_after_the_stage_turned_finds_it_turned() -> None:
    told = planned().at("2026-07-06 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear()

    told.at("2026-12-01 00:00").employee.evaluates_self()

    assert told.state.self_evaluation.submitted_at == told.local("2026-12-01 00:00")


def test_an_unopened_result_is_deemed_received_and_the_window_follows() -> None:
    told = rated().at("2027-01-19 23:59:59")
    assert told.stage is Stage.DELIVERY

    told.at("2027-01-20 00:10")

    assert told.state.received_how is Receipt.DEEMED
    assert told.due_on(TaskKind.APPEAL) == "2027-02-02"
