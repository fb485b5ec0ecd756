"""Calibration: ratings held against the group's guide, and sent back to their rater."""

from typing import Any

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.events import DistributionWarned, Receipt
from siklus.workflows.domain.scheme.distribution import Guide, Mode, Organisation
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level, Predicate
from siklus.workflows.record import warnings_of
from tests.domain.story import (
    ADMIN,
    RINA,
    SITI,
    Story,
    appealed,
    at_approval,
    at_rating,
    make_policy,
    rated,
    refused,
)

MOSTLY_BAIK = (
    Guide(predicates=(Predicate.BAIK,), at_most_percent=70),
    Guide(predicates=(Predicate.BUTUH_PERBAIKAN, Predicate.KURANG), at_least=1),
)
OPEN = c.InCalibration(open=True, covers=True)
WHY = {"reason": "Lebih tinggi daripada unit lain"}


def group(mode: Mode = Mode.WARN, *, baik: int = 7, unrated: int = 2, **more: Any) -> c.InGroup:
    """Return a unit of ten: seven are rated Baik, two wait, and one is Siti."""
    fields = {"min_group_size": 10, "organisation": Organisation.BAIK, "guides": MOSTLY_BAIK}
    others = {Predicate.BAIK: baik}
    return c.InGroup.model_validate(
        {**fields, "mode": mode, "others": others, "unrated": unrated, **more}
    )


def rates(told: Story, held: c.InGroup | None, results: str = "AT", behaviour: str = "AT") -> Story:
    command = c.Rate(results=Level(results), behaviour=Level(behaviour))
    return told.supervisor.gives(command, group=held)


def sends_back(told: Story, session: c.InCalibration | None = OPEN, who: str = "team") -> Story:
    person: Any = getattr(told, who)
    given: Story = person.gives(c.SendBackRating(calibration="k-1", prose=WHY), calibration=session)
    return given


def test_the_eighth_of_ten_is_warned_of_and_stands() -> None:
    told = rates(at_rating(), group())

    assert told.predicates == [Predicate.BAIK]
    entry = told.entry("distribution_warned")
    assert isinstance(entry.event, DistributionWarned)
    (breach,) = entry.event.breaches
    assert (breach.count, breach.size, breach.allowed, breach.by) == (8, 10, 7, 1)
    assert entry.actor == "system:clock"
    assert warnings_of(told.entries) == (breach,)
    assert told.stage is Stage.DELIVERY
    assert told.state == told.folded()


@pytest.mark.parametrize(
    "held",
    [
        group(Mode.OFF),
        group(baik=6, unrated=3),
        group(baik=7, unrated=1),
        group(min_group_size=11),
        group(guides=()),
    ],
    ids=["off", "the seventh", "a small group", "a smaller group", "no guide"],
)
def test_what_no_guide_speaks_against_is_byte_for_byte_the_same(held: c.InGroup) -> None:
    alone, with_group = rates(at_rating(), None), rates(at_rating(), held)

    assert [e.model_dump_json() for e in with_group.entries] == [
        e.model_dump_json() for e in alone.entries
    ]
    assert with_group.state.model_dump_json() == alone.state.model_dump_json()


def test_a_block_refuses_with_its_numbers_and_a_way_to_go_on() -> None:
    told = at_rating()

    with refused(
        Reason.DISTRIBUTION_EXCEEDED,
        organisation="BAIK",
        predicate="BAIK",
        count="8",
        size="10",
        allowed="7",
        rule="distribution.guides.BAIK",
    ) as caught:
        rates(told, group(Mode.BLOCK))
    assert "calibration" in caught.value.message

    assert rates(told.again(), group(Mode.BLOCK), "BELOW", "AT").stage is Stage.DELIVERY
    agreed = group(Mode.BLOCK, agreed=Predicate.BAIK)
    assert rates(told.again(), agreed).kinds[-2:] == ["distribution_warned", "result_delivered"]
    other = group(Mode.BLOCK, agreed=Predicate.SANGAT_BAIK)
    with refused(Reason.DISTRIBUTION_EXCEEDED):
        rates(told.again(), other)
    assert rates(told, None).stage is Stage.DELIVERY


def test_the_last_of_a_unit_is_warned_when_nobody_fills_a_share() -> None:
    told = rates(at_rating(), group(baik=6, unrated=0, others={"BAIK": 6, "SANGAT_BAIK": 3}))

    assert isinstance(told.entry("distribution_warned").event, DistributionWarned)
    filled = rates(at_rating(), group(unrated=0, others={"BAIK": 6, "SANGAT_BAIK": 3}), "BELOW")
    assert "distribution_warned" not in filled.kinds


def test_an_appeal_s_decision_is_held_against_no_guide() -> None:
    told = appealed().supervisor.responds()

    told.superior.gives(
        c.DecideAppeal(
            outcome=c.AppealOutcome.CHANGED,
            results=Level.AT,
            behaviour=Level.AT,
            prose={"reason": "Bukti baru"},
        ),
        group=group(Mode.BLOCK),
    )

    assert told.predicates[-1] is Predicate.BAIK


def test_a_rating_that_is_sent_back_is_given_delivered_and_received_anew() -> None:
    told = rated("ABOVE", "ABOVE").at("2027-01-06 09:00").employee.acknowledges()
    assert told.state.received_how is Receipt.ACKNOWLEDGED

    sends_back(told.at("2027-01-11 09:00"))

    assert (told.stage, told.waiting) == (Stage.RATING, ["RATE"])
    assert told.due_on(TaskKind.RATE) == "2027-01-31"
    told.at("2027-01-12 09:00").supervisor.rates("AT", "AT")
    assert told.predicates == [Predicate.SANGAT_BAIK, Predicate.BAIK]
    assert told.state.received_how is None
    assert told.waiting == ["RECEIVE_RESULT"]
    assert told.employee.acknowledges().due_on(TaskKind.APPEAL) == "2027-01-26"
    assert told.state == told.folded()


@pytest.mark.parametrize(
    ("sent_on", "due_on"),
    [("2027-01-11", "2027-01-31"), ("2027-01-29", "2027-02-08"), ("2027-02-10", "2027-02-17")],
)
def test_whoever_rates_again_has_some_days_for_it(sent_on: str, due_on: str) -> None:
    told = sends_back(at_approval().at(f"{sent_on} 09:00"))

    assert told.due_on(TaskKind.RATE) == due_on


def test_who_may_send_back_and_what_for() -> None:
    told = rated()

    for who in ("supervisor", "superior", "approver"):
        with refused(Reason.NOT_YOUR_TASK):
            sends_back(told.again(), who=who)
    for session in (None, c.InCalibration(open=True, covers=False)):
        with refused(Reason.FIELD_INVALID) as caught:
            sends_back(told.again(), session)
        assert list(caught.value.fields) == ["calibration"]
    with refused(Reason.CALIBRATION_CLOSED):
        sends_back(told.again(), c.InCalibration(open=False, covers=True))
    with refused(Reason.FIELD_INVALID):
        told.team.gives(c.SendBackRating(calibration="k-1"), calibration=OPEN)
    assert sends_back(told).stage is Stage.RATING


def test_a_member_of_the_team_sends_back_nothing_of_the_own_case() -> None:
    own = rated().person(SITI, roles=ADMIN)

    with refused(Reason.SELF_DECISION):
        own.gives(c.SendBackRating(calibration="k-1", prose=WHY), calibration=OPEN)


def test_an_appeal_freezes_and_its_decision_is_final() -> None:
    told = appealed()
    with refused(Reason.WRONG_STAGE):
        sends_back(told)

    told.supervisor.responds().superior.upholds()
    with refused(Reason.APPEAL_FINAL):
        sends_back(told)


def test_sent_back_counts_as_a_return() -> None:
    told = rated(policy=make_policy(rating={"max_returns": 1}))
    sends_back(told).supervisor.rates("AT", "AT")

    with refused(Reason.RETURNS_EXHAUSTED, max_returns="1"):
        sends_back(told)


def test_the_one_appeal_is_unspent_by_what_was_sent_back() -> None:
    told = sends_back(rated()).supervisor.rates("BELOW", "BELOW").employee.appeals()

    assert told.task(TaskKind.DECIDE_APPEAL).holder == RINA
