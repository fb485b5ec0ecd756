"""A calibration session by its rules alone: what is settled, who may speak, when it may end."""

import pytest

from siklus.workflows.domain.calibration import (
    Proposal,
    ProposalState,
    Vote,
    electorate,
    must_be_kept,
    must_be_new,
    must_be_settled,
    must_not_be_own,
    must_vote,
    must_wait,
    outcome,
)
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.scheme.standing import Bound, Breach
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import PersonId, Predicate
from tests.domain.story import refused

SITI, WAYAN, RINA, BUDI, AGUS = map(PersonId, ("siti", "wayan", "rina", "budi", "agus"))
WAITS = Proposal(
    number=1,
    person=SITI,
    segment=1,
    before="BAIK",
    proposed="SANGAT_BAIK",
    decided=ProposalState.PROPOSED,
    decided_by=None,
    stage=Stage.DELIVERY,
    now="BAIK",
    rated_again=False,
)
AGREED = WAITS.model_copy(update={"decided": ProposalState.AGREED, "decided_by": RINA})
SENT_BACK = AGREED.model_copy(update={"stage": Stage.RATING})
RERATED = AGREED.model_copy(update={"now": "SANGAT_BAIK", "rated_again": True})
DECLINED = WAITS.model_copy(update={"decided": ProposalState.DECLINED, "decided_by": RINA})


@pytest.mark.parametrize(
    ("proposal", "state", "settled"),
    [
        (WAITS, ProposalState.PROPOSED, False),
        (AGREED, ProposalState.AGREED, True),
        (SENT_BACK, ProposalState.SENT_BACK, False),
        (RERATED, ProposalState.RERATED, True),
        (DECLINED, ProposalState.DECLINED, True),
    ],
)
def test_what_was_agreed_to_goes_on_in_the_evaluation(
    proposal: Proposal, state: ProposalState, settled: bool
) -> None:
    assert (proposal.state, proposal.settled) == (state, settled)


def test_one_proposal_for_somebody_at_a_time() -> None:
    for waiting in (WAITS, SENT_BACK):
        with refused(Reason.ALREADY_DONE):
            must_be_new([DECLINED, waiting], SITI, 1)
        must_be_new([waiting], SITI, 2)
        must_be_new([waiting], WAYAN, 1)
    must_be_new([DECLINED, RERATED], SITI, 1)


def test_a_proposal_is_decided_once_and_by_somebody_else() -> None:
    must_wait(WAITS)
    must_not_be_own(SITI, RINA)
    with refused(Reason.ALREADY_DONE):
        must_wait(DECLINED)
    with refused(Reason.SELF_DECISION):
        must_not_be_own(SITI, SITI)


def test_a_session_ends_when_nothing_waits() -> None:
    must_be_settled([AGREED, RERATED, DECLINED])
    for waiting in (WAITS, SENT_BACK):
        with refused(Reason.WRONG_STAGE):
            must_be_settled([RERATED, waiting])


def test_no_session_releases_a_rating_for_which_another_was_agreed_to() -> None:
    held = AGREED.model_copy(update={"stage": Stage.CALIBRATION})

    with refused(Reason.WRONG_STAGE):
        must_be_settled([held])
    must_be_settled([held.model_copy(update={"proposed": "BAIK"})])
    must_be_settled([held.model_copy(update={"now": "KURANG", "rated_again": True})])
    must_be_settled([held.model_copy(update={"stage": Stage.DELIVERY})])


def test_what_lies_above_a_guide_is_agreed_to_person_by_person() -> None:
    breach = Breach(
        predicates=(Predicate.SANGAT_BAIK,),
        bound=Bound.AT_MOST_PERCENT,
        limit=70,
        count=9,
        size=10,
        allowed=7,
        by=2,
    )
    again = RERATED.model_copy(update={"number": 2})
    another = RERATED.model_copy(update={"number": 3, "person": WAYAN})
    otherwise = another.model_copy(update={"now": "BAIK"})

    must_be_kept([breach], [RERATED, another])
    # Said twice of one person, or rated otherwise after all: one too few.
    for agreed in ([RERATED, again], [RERATED, otherwise], [RERATED]):
        with refused(Reason.DISTRIBUTION_EXCEEDED):
            must_be_kept([breach], agreed)
    must_be_kept([breach.model_copy(update={"bound": Bound.AT_LEAST})], [])


def test_a_kept_rating_beyond_the_guide_counts_as_agreed_to() -> None:
    breach = Breach(
        predicates=(Predicate.BAIK,),
        bound=Bound.AT_MOST_PERCENT,
        limit=70,
        count=8,
        size=10,
        allowed=7,
        by=1,
    )
    kept = AGREED.model_copy(update={"proposed": "BAIK"})

    assert kept.settled
    must_be_kept([breach], [kept])


PANEL = (RINA, WAYAN, BUDI)


@pytest.mark.parametrize(
    ("cast", "decided"),
    [
        ({}, None),
        ({RINA: True}, None),
        ({RINA: True, WAYAN: False}, None),
        ({RINA: True, WAYAN: False, BUDI: True}, True),
        ({RINA: False, WAYAN: False}, False),
        ({RINA: True, AGUS: True}, None),
    ],
)
def test_so_many_equal_votes_of_the_panel_decide(
    cast: dict[PersonId, bool], decided: bool | None
) -> None:
    votes = [Vote(member=who, agreed=agreed) for who, agreed in cast.items()]

    assert outcome(votes, frozenset(PANEL), 2) is decided


def test_nobody_votes_on_the_own_rating_and_those_who_are_left_agree() -> None:
    voters = electorate(PANEL, WAYAN, {BUDI})

    assert voters == {RINA}
    assert outcome([Vote(member=RINA, agreed=True)], voters, 2) is True
    stale = [Vote(member=BUDI, agreed=False), Vote(member=WAYAN, agreed=True)]
    assert outcome(stale, voters, 2) is None
    assert outcome([], frozenset(), 2) is None
    must_vote(RINA, PANEL, WAYAN, {BUDI})
    for who, reason in (
        (WAYAN, Reason.SELF_DECISION),
        (BUDI, Reason.SEPARATION_OF_DUTIES),
        (AGUS, Reason.NOT_YOUR_TASK),
    ):
        with refused(reason):
            must_vote(who, PANEL, WAYAN, {BUDI})
