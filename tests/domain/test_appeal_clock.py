"""The appeal's clocks: filed at the last second and one second late, over holidays, in an outage;
while it waits the rating is frozen, and silence never rejects."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.events import Receipt
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level
from tests.domain.story import (
    AGUS,
    BUDI,
    INSTANT,
    RINA,
    SECOND,
    ZONES,
    Story,
    appealed,
    make_policy,
    rated,
    refused,
)

WORKING = {"days": 14, "count": "working"}


class Window(NamedTuple):
    """A receipt, what the policy says of the window, and its last local day."""

    received: str
    rule: dict[str, Any]
    roll: str
    closes_on: str


WINDOWS = {
    "fourteen calendar days": Window("2027-01-15 09:00", {}, "keep", "2027-01-29"),
    "received in the last minute of a day": Window("2027-01-15 23:59", {}, "keep", "2027-01-29"),
    "received in the first minute of a day": Window("2027-01-16 00:00", {}, "keep", "2027-01-30"),
    "ends on a holiday and stays": Window("2027-02-24 09:00", {}, "keep", "2027-03-10"),
    "ends on a holiday and rolls on": Window("2027-02-24 09:00", {}, "next", "2027-03-16"),
    "ends on a holiday and rolls back": Window("2027-02-24 09:00", {}, "previous", "2027-03-05"),
    "ends on a Saturday and rolls on": Window("2027-01-16 09:00", {}, "next", "2027-02-01"),
    "working days": Window("2027-01-15 09:00", WORKING, "keep", "2027-02-04"),
    "working days over holidays": Window("2027-03-01 09:00", WORKING, "keep", "2027-03-31"),
    "a short window": Window("2027-01-15 09:00", {"days": 3}, "keep", "2027-01-18"),
}


def received(window: Window, zone: str) -> Story:
    rules = {"roll": window.roll, "appeal": {"window": window.rule}}
    policy = make_policy(**rules, delivery={"deemed_after_days": 90})
    return rated(zone=zone, policy=policy).at(window.received).employee.opens_result()


def files_at_the_end(told: Story, closes_on: str) -> None:
    """The last second, and its last instant, are in time; the next second is not."""
    last = told.local(f"{closes_on} 23:59:59")
    assert told.due(TaskKind.APPEAL) == last
    for instant in (last, last + SECOND - INSTANT):
        filed = told.again().at(instant).employee.appeals()
        assert filed.stage is Stage.APPEAL_DECISION
        assert filed.entry("appeal_filed").occurred_at == instant
    for instant in (last + SECOND, last + timedelta(days=1)):
        with refused(Reason.WINDOW_CLOSED):
            told.again().at(instant).employee.appeals()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_the_last_second_counts_and_the_next_does_not(window: Window, zone: str) -> None:
    files_at_the_end(received(window, zone), window.closes_on)


@pytest.mark.parametrize("zone", ZONES)
def test_in_an_outage_s_extension_the_new_last_second_counts(zone: str) -> None:
    told = received(WINDOWS["fourteen calendar days"], zone).at("2027-01-29 08:00")

    told.team.gives(
        c.ExtendForOutage(
            outage="padam",
            began_at=told.local("2027-01-28 08:00"),
            ended_at=told.local("2027-01-29 07:00"),
            prose={"reason": "Listrik padam"},
        )
    )

    files_at_the_end(told, "2027-01-30")


@pytest.mark.parametrize("zone", ZONES)
def test_an_appeal_proves_receipt_up_to_the_last_second_of_the_deemed_one(zone: str) -> None:
    told = rated(zone=zone)
    deemed = told.due(TaskKind.RECEIVE_RESULT)

    in_time = told.again().at(deemed).employee.appeals()
    late = told.again().at(deemed + SECOND).employee.appeals()

    assert in_time.state.received_how is Receipt.APPEALED
    assert late.state.received_how is Receipt.DEEMED
    assert late.stage is Stage.APPEAL_DECISION


FROZEN: dict[str, tuple[str, c.Command]] = {
    "rate": ("supervisor", c.Rate(results=Level.ABOVE, behaviour=Level.ABOVE)),
    "return the rating": ("approver", c.ReturnRating(prose={"reason": "Bukti"})),
    "approve": ("approver", c.ApproveEvaluation()),
    "return to the rating": ("team", c.ReturnToStage(stage=Stage.RATING, prose={"reason": "x"})),
    "acknowledge": ("employee", c.AcknowledgeResult(accepted=True)),
    "appeal again": ("employee", c.FileAppeal(prose={"reasons": "Lagi"})),
}


@pytest.mark.parametrize(("who", "command"), FROZEN.values(), ids=FROZEN)
def test_while_an_appeal_waits_the_rating_is_frozen(who: str, command: c.Command) -> None:
    told = appealed()
    standing = told.state.ratings

    with refused(Reason.WRONG_STAGE):
        getattr(told, who).gives(command)
    assert told.at("2028-01-06 09:00").state.ratings == standing


def test_the_decision_is_never_due_before_the_rater_was_heard() -> None:
    policy = make_policy(appeal={"decide_within": {"days": 5}})
    told = appealed(policy=policy)

    due = told.task(TaskKind.DECIDE_APPEAL).due
    assert told.due_on(TaskKind.RESPOND_TO_APPEAL) == "2027-01-13"
    assert due is not None
    assert (due.on.isoformat(), due.rule) == ("2027-01-14", "appeal.decide_within")
    assert told.state.appeal is not None
    assert told.state.appeal.decision_due_at == due.due_at


def test_the_usual_decision_is_due_by_the_policy_s_days() -> None:
    assert appealed().due_on(TaskKind.DECIDE_APPEAL) == "2027-01-20"


def test_the_next_superior_decides_where_the_nearest_has_left() -> None:
    told = rated()
    gone = c.ReplacePerson(leaving=RINA, prose={"reason": "Pensiun"})
    told.team.gives(gone, roster=c.InRoster(active=True, line=(AGUS,)))

    told.employee.appeals()

    assert told.task(TaskKind.DECIDE_APPEAL).holder == AGUS
    assert told.task(TaskKind.RESPOND_TO_APPEAL).holder == BUDI


def test_who_decides_is_settled_at_filing() -> None:
    told = appealed()
    told.team.reassigns(c.Seat.SUPERVISOR, AGUS, None)

    assert told.task(TaskKind.DECIDE_APPEAL).holder == RINA


def test_evidence_and_every_clock_stand_in_the_record() -> None:
    proof = "ab" * 32
    told = rated().at("2027-01-06 09:00").employee.opens_result()
    told.employee.gives(c.FileAppeal(evidence=(proof,), prose={"reasons": "Dihitung dua kali"}))

    assert told.entry("appeal_filed").event.model_dump()["evidence"] == (proof,)
    appeal = told.state.appeal
    assert appeal is not None
    assert appeal.response_due_at == told.due(TaskKind.RESPOND_TO_APPEAL)
    assert appeal.decision_due_at == told.due(TaskKind.DECIDE_APPEAL)
    told.at("2027-01-14 00:10")
    assert told.state.appeal is not None
    assert told.state.appeal.response_missed
