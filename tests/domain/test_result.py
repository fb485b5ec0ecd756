"""The rating, its delivery and receipt, the final approval."""

import pytest

from siklus.workflows.domain.commands import IndicatorLevel, Rate, Seat
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.events import Receipt
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level, PersonId, Predicate
from tests.domain.story import (
    AGUS,
    BUDI,
    RINA,
    WAYAN,
    appealed,
    at_approval,
    at_rating,
    make_policy,
    rated,
    refused,
    story,
)


def test_results_choose_the_row_and_behaviour_the_column() -> None:
    assert rated("AT", "BELOW").predicates == [Predicate.KURANG]
    assert rated("BELOW", "AT").predicates == [Predicate.BUTUH_PERBAIKAN]


def test_no_clock_ever_rates() -> None:
    told = at_rating().at("2030-01-01 09:00")

    assert told.stage is Stage.RATING
    assert told.state.ratings == ()
    assert told.task(TaskKind.RATE).flagged


def test_a_level_for_each_indicator_where_the_policy_asks_for_it() -> None:
    told = at_rating(policy=make_policy(rating={"per_indicator": True}))
    given = IndicatorLevel(id="antrean", level=Level.AT)
    stranger = IndicatorLevel(id="lain", level=Level.AT)

    for indicators in ((), (given, given), (given, stranger)):
        with refused(Reason.FIELD_INVALID) as caught:
            told.supervisor.gives(Rate(results=Level.AT, behaviour=Level.AT, indicators=indicators))
        assert list(caught.value.fields) == ["indicators"]
    told.supervisor.gives(Rate(results=Level.AT, behaviour=Level.AT, indicators=(given,)))
    assert told.state.ratings[0].indicators == (given,)


def test_a_result_is_received_when_it_is_opened() -> None:
    told = rated().at("2027-01-08 09:00").employee.opens_result()

    assert told.state.received_how is Receipt.OPENED
    assert told.due_on(TaskKind.APPEAL) == "2027-01-22"
    with refused(Reason.WRONG_STAGE):
        told.employee.opens_result()


def test_an_acknowledgement_alone_starts_the_clock() -> None:
    told = rated().at("2027-01-08 09:00").employee.acknowledges()

    assert told.state.received_how is Receipt.ACKNOWLEDGED
    assert told.stage is Stage.APPEAL_WINDOW
    with refused(Reason.ALREADY_DONE):
        told.employee.acknowledges()


def test_acceptance_waives_the_appeal() -> None:
    told = rated().at("2027-01-08 09:00").employee.opens_result()

    told.employee.acknowledges(accepted=True)

    assert told.stage is Stage.FINAL_APPROVAL
    assert told.waiting == ["APPROVE"]
    with refused(Reason.WINDOW_CLOSED):
        told.employee.appeals()


def test_a_deemed_receipt_cannot_be_undone() -> None:
    told = rated().at("2027-01-20 00:10")
    assert told.state.received_how is Receipt.DEEMED

    with refused(Reason.WRONG_STAGE):
        told.employee.opens_result()
    assert told.due_on(TaskKind.APPEAL) == "2027-02-02"


def test_opening_just_after_the_deemed_receipt_wins_no_day() -> None:
    told = rated().at("2027-01-20 00:05").employee.opens_result()

    assert told.state.received_how is Receipt.DEEMED
    assert told.due_on(TaskKind.APPEAL) == "2027-02-02"


def test_a_window_nobody_used_lapses_and_the_result_stands() -> None:
    told = rated().at("2027-01-08 09:00").employee.opens_result().at("2027-01-23 00:10")

    assert told.stage is Stage.FINAL_APPROVAL
    assert told.entry("appeal_window_lapsed").occurred_at == told.local("2027-01-23 00:00")
    assert told.due_on(TaskKind.APPROVE) == "2027-02-28"


def test_without_an_appeal_the_result_goes_straight_to_the_approver() -> None:
    told = rated(policy=make_policy(appeal={"enabled": False}))

    assert told.stage is Stage.FINAL_APPROVAL
    with refused(Reason.APPEAL_DISABLED):
        told.employee.appeals()


def test_the_approval_locks_the_evaluation() -> None:
    told = at_approval().approver.approves()

    assert told.stage is Stage.COMPLETED
    assert told.state.approved_by == AGUS
    assert told.waiting == []
    with refused(Reason.EVALUATION_CLOSED, last_event="evaluation_approved", last_actor=AGUS):
        told.approver.approves()
    with refused(Reason.EVALUATION_CLOSED):
        told.employee.appeals()


def test_a_returned_rating_is_rated_delivered_and_appealed_anew() -> None:
    told = at_approval().at("2027-02-01 09:00").approver.returns_rating()
    assert told.stage is Stage.RATING
    assert told.due_on(TaskKind.RATE) == "2027-02-09"

    told.supervisor.rates("BELOW", "AT").employee.opens_result()
    assert told.due_on(TaskKind.APPEAL) == "2027-02-15"
    told.employee.appeals().supervisor.responds().superior.changes_rating()

    assert told.predicates == [Predicate.BAIK, Predicate.BUTUH_PERBAIKAN, Predicate.BAIK]


def test_a_rating_is_returned_with_a_reason_as_often_as_the_policy_says() -> None:
    told = at_approval(policy=make_policy(rating={"max_returns": 1}))
    told.approver.returns_rating().supervisor.rates().employee.acknowledges(accepted=True)

    with refused(Reason.RETURNS_EXHAUSTED):
        told.approver.returns_rating()
    assert told.approver.approves().stage is Stage.COMPLETED


def test_after_an_appeal_decision_the_approver_approves_or_refers() -> None:
    told = appealed().supervisor.responds().superior.upholds()
    with refused(Reason.APPEAL_FINAL):
        told.approver.returns_rating()

    told.approver.refers()

    assert told.waiting == ["RESOLVE_REFERRAL"]
    with refused(Reason.WRONG_STAGE):
        told.approver.approves()
    with refused(Reason.ALREADY_DONE):
        told.approver.refers()


def test_without_an_appeal_decision_there_is_nothing_to_refer() -> None:
    with refused(Reason.WRONG_STAGE):
        at_approval().approver.refers()


@pytest.mark.parametrize("successor", [WAYAN, AGUS])
def test_a_referral_ends_with_an_approver_other_seats_do_not_matter(successor: PersonId) -> None:
    told = appealed().supervisor.responds().superior.upholds().approver.refers()
    told.team.reassigns(Seat.SUPERVISOR, RINA, AGUS)
    assert told.state.referred

    told.team.reassigns(Seat.APPROVER, successor, None)

    assert told.waiting == ["APPROVE"]
    assert told.again().person(successor).refers().waiting == ["RESOLVE_REFERRAL"]
    assert told.person(successor).approves().stage is Stage.COMPLETED


def test_where_the_employee_would_be_the_approver_the_team_approves() -> None:
    told = at_approval(approver="siti")

    assert told.task(TaskKind.APPROVE).holder is None
    with refused(Reason.SELF_DECISION):
        told.employee.approves()
    assert told.team.approves().stage is Stage.COMPLETED


def test_where_the_employee_would_be_the_supervisor_the_team_reviews_and_rates() -> None:
    told = story(supervisor="siti").employee.submits_plan()
    assert told.task(TaskKind.REVIEW_PLAN).holder is None
    with refused(Reason.SELF_DECISION):
        told.employee.approves_plan()

    told.team.approves_plan().at("2027-01-04 09:00").team.rates()

    assert told.stage is Stage.DELIVERY


def test_the_rater_is_whoever_rated() -> None:
    told = at_rating().at("2027-02-01 09:00").superior.rates()

    assert told.state.rater == RINA
    with refused(Reason.WRONG_STAGE, decided_by=RINA, decided_as="rated"):
        told.person(BUDI).rates()
