"""An appeal in a policy such as Malaysia's: three people decide, once two of them say the same."""

from datetime import date
from typing import Any

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain import events as e
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.notices import notices_of
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import PersonId, Predicate
from tests.domain.story import (
    AGUS,
    BUDI,
    RINA,
    SITI,
    WAYAN,
    Story,
    appealed,
    make_policy,
    rated,
    refused,
)

DEWI, EKO, FITRI = map(PersonId, ("dewi", "eko", "fitri"))
PANEL = (DEWI, EKO, FITRI)
WHY = {"reason": "Berhalangan"}
VOTES = ["VOTE_ON_APPEAL.1", "VOTE_ON_APPEAL.2", "VOTE_ON_APPEAL.3"]


def policy(**appeal: Any) -> Any:
    panel = {"decided_by": "panel", "panel": {"members": 3, "quorum": 2}}
    return make_policy(appeal={**panel, **appeal})


def before_the_panel(*members: PersonId, **appeal: Any) -> Story:
    """Return a story whose appeal waits for these, or for nobody where none is appointed."""
    told = rated(policy=policy(**appeal)).at("2027-01-06 09:00")
    vouched = c.InPanel(members=members) if members else None
    return told.employee.appeals(panel=vouched)


def heard(*members: PersonId, **appeal: Any) -> Story:
    told = before_the_panel(*(members or PANEL), **appeal)
    return told.at("2027-01-07 09:00").supervisor.responds()


def seats(told: Story, *members: PersonId, active: bool = True, who: str = "tim") -> Story:
    command = c.SeatPanel(members=members, prose=WHY)
    vouched = c.InPanel(members=members) if active else None
    return told.person(who, roles=told.team.actor.roles).gives(command, panel=vouched)


def leaves(told: Story, who: PersonId, *line: PersonId) -> Story:
    command = c.ReplacePerson(leaving=who, successor=None, prose=WHY)
    return told.team.gives(command, roster=c.InRoster(active=True, line=line))


def members(told: Story) -> list[PersonId]:
    assert told.state.appeal is not None
    return [seat.member for seat in told.state.appeal.seats]


def test_two_of_three_change_a_rating() -> None:
    told = before_the_panel(*PANEL)
    assert told.waiting == ["RESPOND_TO_APPEAL", *VOTES]
    assert [told.task(TaskKind.VOTE_ON_APPEAL, n).holder for n in (1, 2, 3)] == [*PANEL]
    with refused(Reason.RESPONSE_PENDING):
        told.person(DEWI).changes_rating("AT", "AT")

    told.at("2027-01-07 09:00").supervisor.responds()
    told.person(DEWI).changes_rating("AT", "AT")
    assert told.stage is Stage.APPEAL_DECISION
    assert told.predicates == [Predicate.KURANG]
    assert told.waiting == VOTES

    decided = told.person(FITRI).changes_rating("AT", "AT")
    assert decided.stage is Stage.FINAL_APPROVAL
    assert told.predicates == [Predicate.KURANG, Predicate.BAIK]
    assert told.kinds[-3:] == ["appeal_vote_cast", "appeal_decided", "final_approval_opened"]
    assert told.waiting == ["APPROVE"]
    with refused(Reason.WRONG_STAGE, decided_as="appeal_decided", decided_by=FITRI):
        told.person(EKO).upholds()
    assert told.approver.approves().stage is Stage.COMPLETED
    assert told.folded() == told.state


def test_votes_that_differ_in_anything_decide_nothing() -> None:
    told = heard()
    told.person(DEWI).upholds()
    told.person(EKO).changes_rating("AT", "AT")
    told.person(FITRI).changes_rating("ABOVE", "AT")

    # The same predicate by other levels is another decision.
    assert told.stage is Stage.APPEAL_DECISION
    assert told.waiting == VOTES
    assert told.person(EKO).changes_rating("ABOVE", "AT").stage is Stage.FINAL_APPROVAL


def test_a_member_may_think_again_and_says_nothing_twice() -> None:
    told = heard().person(DEWI).upholds()

    with refused(Reason.ALREADY_DONE):
        told.person(DEWI).upholds()
    told.person(DEWI).changes_rating("AT", "AT")
    assert told.person(EKO).upholds().stage is Stage.APPEAL_DECISION
    assert told.person(EKO).changes_rating("AT", "AT").stage is Stage.FINAL_APPROVAL


def test_who_has_spoken_is_reminded_no_more_until_all_have_in_vain() -> None:
    told = heard()
    told.person(DEWI).upholds()
    assert told.task(TaskKind.VOTE_ON_APPEAL, 1).remind_on == ()
    assert told.task(TaskKind.VOTE_ON_APPEAL, 2).remind_on

    told.person(EKO).changes_rating("AT", "AT").person(FITRI).changes_rating("ABOVE", "AT")
    assert all(told.task(TaskKind.VOTE_ON_APPEAL, n).remind_on for n in (1, 2, 3))


def test_each_vote_is_held_against_the_same_rules_as_a_decision() -> None:
    told = rated("AT", "AT", policy=policy()).at("2027-01-06 09:00")
    told.employee.appeals(panel=c.InPanel(members=PANEL)).supervisor.responds()

    with refused(Reason.RATING_LOWERED):
        told.person(DEWI).changes_rating("AT", "BELOW")
    with refused(Reason.FIELD_INVALID):
        told.person(DEWI).gives(c.DecideAppeal(outcome=c.AppealOutcome.UPHELD))
    with refused(Reason.FIELD_INVALID):
        told.person(DEWI).changes_rating("AT", "AT")


def test_the_employee_the_rater_and_who_is_gone_do_not_sit_on_it() -> None:
    assert members(before_the_panel(DEWI, BUDI, EKO)) == [DEWI, EKO]
    short = before_the_panel(SITI, BUDI, EKO)
    assert members(short) == [EKO]
    assert "SEAT_PANEL" in short.waiting
    assert short.task(TaskKind.SEAT_PANEL).holder is None


def test_without_an_appointed_panel_the_team_seats_one() -> None:
    told = before_the_panel()
    assert told.waiting == ["RESPOND_TO_APPEAL", "SEAT_PANEL"]
    told.supervisor.responds()
    for who in (told.team, told.superior, told.approver):
        with refused(Reason.NOT_YOUR_TASK):
            who.upholds()
    due = told.due(TaskKind.SEAT_PANEL)

    seats(told, DEWI, EKO)

    assert told.waiting == VOTES[:2]
    assert told.due(TaskKind.VOTE_ON_APPEAL, 1) == due
    assert told.person(DEWI).upholds().person(EKO).upholds().stage is Stage.FINAL_APPROVAL


def test_whoever_is_replaced_loses_seat_and_vote_and_who_stays_keeps_both() -> None:
    told = heard().person(DEWI).upholds().person(EKO).changes_rating("AT", "AT")

    seats(told, WAYAN, EKO, FITRI)

    assert members(told) == [WAYAN, EKO, FITRI]
    with refused(Reason.NOT_YOUR_TASK):
        told.person(DEWI).upholds()
    told.person(FITRI).upholds()
    assert told.stage is Stage.APPEAL_DECISION
    assert told.person(WAYAN).changes_rating("AT", "AT").stage is Stage.FINAL_APPROVAL


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ((DEWI,), Reason.FIELD_INVALID),
        ((DEWI, EKO, FITRI, WAYAN), Reason.FIELD_INVALID),
        ((DEWI, DEWI), Reason.FIELD_INVALID),
        ((DEWI, SITI), Reason.SELF_DECISION),
        ((DEWI, BUDI), Reason.SEPARATION_OF_DUTIES),
        (PANEL, Reason.ALREADY_DONE),
    ],
)
def test_what_is_no_panel_is_not_seated(named: tuple[PersonId, ...], reason: Reason) -> None:
    with refused(reason):
        seats(heard(), *named)


def test_a_panel_is_seated_by_the_team_alone_of_people_who_work_there() -> None:
    told = heard()
    with refused(Reason.FIELD_INVALID) as caught:
        seats(told, DEWI, WAYAN, active=False)
    assert list(caught.value.fields) == ["members[0]"]
    with refused(Reason.NOT_YOUR_TASK):
        told.person(DEWI).gives(c.SeatPanel(members=(DEWI, WAYAN), prose=WHY))
    with refused(Reason.SEPARATION_OF_DUTIES):
        seats(told, DEWI, WAYAN, who=BUDI)
    with refused(Reason.NOT_ALLOWED_BY_POLICY):
        told.team.reassigns(c.Seat.DECIDER, WAYAN)
    with refused(Reason.NOT_ALLOWED_BY_POLICY):
        seats(appealed(), DEWI, WAYAN)


def test_a_seat_is_neither_lent_nor_inherited() -> None:
    told = heard()
    mandate = c.Mandate(
        id="m1",
        principal=DEWI,
        delegate=EKO,
        letter="800/1",
        from_on=date(2027, 1, 1),
        to_on=date(2027, 1, 31),
    )
    with refused(Reason.MANDATE_NOT_VALID):
        told.person(WAYAN, mandates=(mandate.model_copy(update={"delegate": WAYAN}),)).upholds()
    told.person(EKO, mandates=(mandate,)).upholds()

    leaves(told, EKO, WAYAN, AGUS)

    assert members(told) == [DEWI, FITRI]
    assert told.waiting == [VOTES[0], VOTES[2]]
    assert told.person(DEWI).upholds().stage is Stage.APPEAL_DECISION
    leaves(told, FITRI, WAYAN, AGUS)
    assert told.waiting == ["SEAT_PANEL", VOTES[0]]
    assert seats(told, DEWI, WAYAN).waiting == VOTES[:2]
    assert told.person(WAYAN).upholds().stage is Stage.FINAL_APPROVAL


def test_who_leaves_after_the_decision_stays_in_the_record_of_it() -> None:
    told = heard(DEWI, AGUS, EKO).person(DEWI).upholds().person(AGUS).upholds()

    leaves(told, AGUS, WAYAN)

    assert told.task(TaskKind.APPROVE).holder == WAYAN
    assert members(told) == [DEWI, AGUS, EKO]


def test_who_answers_for_a_rater_who_left_is_nobody_of_the_panel() -> None:
    told = before_the_panel(DEWI, RINA, EKO)

    leaves(told, BUDI, RINA, AGUS)

    assert told.task(TaskKind.RESPOND_TO_APPEAL).holder == AGUS
    with refused(Reason.SEPARATION_OF_DUTIES):
        seats(told, DEWI, AGUS)


def test_silence_is_shown_to_the_team_and_never_decides() -> None:
    told = heard().person(DEWI).upholds().at("2027-03-30 09:00")

    assert told.stage is Stage.APPEAL_DECISION
    assert all(told.task(TaskKind.VOTE_ON_APPEAL, n).flagged for n in (1, 2, 3))
    assert all(told.task(TaskKind.VOTE_ON_APPEAL, n).escalated_to == () for n in (1, 2, 3))
    assert "superior_resolved" not in told.kinds
    assert told.person(EKO).upholds().stage is Stage.FINAL_APPROVAL


def test_one_day_holds_for_all_seats() -> None:
    told = heard()
    for day, kind in (("2027-02-10", TaskKind.DECIDE_APPEAL), ("2027-02-12", "VOTE_ON_APPEAL")):
        command = c.MoveDeadline(
            task=TaskKind(kind), due_on=date.fromisoformat(day), prose={"reason": "Banjir"}
        )
        told.team.gives(command)
        assert {told.due_on(TaskKind.VOTE_ON_APPEAL, n) for n in (1, 2, 3)} == {day}
        assert told.state.appeal
        assert told.state.appeal.decision_due_at == told.due(TaskKind.VOTE_ON_APPEAL, 1)


def test_a_withdrawn_appeal_asks_nobody_any_more() -> None:
    told = heard().person(DEWI).upholds().employee.withdraws_appeal()

    assert told.waiting == ["APPROVE"]
    with refused(Reason.WRONG_STAGE, decided_as="appeal_withdrawn"):
        told.person(EKO).upholds()


def test_an_appeal_that_is_taken_up_again_has_its_panel_and_votes() -> None:
    told = heard().person(DEWI).upholds().team.cancels()
    assert told.waiting == []

    told.team.reopens()

    assert told.waiting == VOTES
    assert told.person(EKO).upholds().stage is Stage.FINAL_APPROVAL


def test_every_member_is_told_and_whoever_is_seated_later_too() -> None:
    told = before_the_panel(*PANEL)
    filed = notices_of(told.state, told.entry("appeal_filed"))
    assert {notice.recipient for notice in filed} == {*PANEL, BUDI}

    seats(told, DEWI, EKO, WAYAN)
    seated = notices_of(told.state, told.entry("panel_seated"))
    assert [notice.recipient for notice in seated] == [WAYAN]


def test_a_policy_without_a_panel_records_what_it_always_did() -> None:
    told = appealed()
    given = c.Order(
        actor=told.superior.actor,
        command=c.DecideAppeal(outcome=c.AppealOutcome.UPHELD, prose=WHY),
        request_key="k",
        salt="garam",
        received_at=told.received,
        panel=c.InPanel(members=PANEL),
    )
    told.supervisor.responds()
    decided = decide(told.state, given, told.now)[0].event

    assert isinstance(decided, e.AppealDecided)
    assert decided.closes == ("DECIDE_APPEAL", "RESPOND_TO_APPEAL")
    assert told.state.appeal is not None
    assert "seats" not in told.state.appeal.model_dump()
    assert "panel" not in told.entry("appeal_filed").event.model_dump()


def test_nobody_answers_for_the_rating_and_sits_on_the_panel() -> None:
    told = before_the_panel(*PANEL)
    mandate = c.Mandate(
        id="m1",
        principal=BUDI,
        delegate=DEWI,
        letter="800/1",
        from_on=date(2027, 1, 1),
        to_on=date(2027, 1, 31),
    )
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(DEWI, mandates=(mandate,)).responds()
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.team.reassigns(c.Seat.SUPERVISOR, DEWI)

    leaves(told, BUDI, WAYAN)
    lent = mandate.model_copy(update={"principal": WAYAN, "delegate": RINA})
    told.person(RINA, mandates=(lent,)).responds()

    for who in (WAYAN, RINA):
        with refused(Reason.SEPARATION_OF_DUTIES):
            seats(told, DEWI, who)
        with refused(Reason.SEPARATION_OF_DUTIES):
            seats(told, DEWI, AGUS, who=who)


def test_whoever_rated_neither_seats_the_panel_nor_empties_a_seat() -> None:
    told = heard().person(DEWI).changes_rating("AT", "AT")
    command = c.ReplacePerson(leaving=DEWI, successor=None, prose=WHY)

    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(BUDI, roles=told.team.actor.roles).gives(
            command, roster=c.InRoster(active=True, line=())
        )
    assert members(told) == [*PANEL]
    told.system.gives(command, roster=c.InRoster(active=True, line=()))
    assert members(told) == [EKO, FITRI]


def reminded(told: Story) -> list[int]:
    votes = (each for each in told.state.tasks if each.kind is TaskKind.VOTE_ON_APPEAL)
    return [each.number for each in votes if each.remind_on]


def test_a_later_day_reminds_only_those_who_are_silent() -> None:
    told = heard().person(DEWI).upholds()
    command = c.MoveDeadline(
        task=TaskKind.VOTE_ON_APPEAL, due_on=date(2027, 2, 12), prose={"reason": "Banjir"}
    )

    told.team.gives(command)
    assert reminded(told) == [2, 3]

    told.team.cancels().team.reopens()
    assert reminded(told) == [2, 3]


def test_all_are_reminded_when_the_last_who_was_silent_leaves() -> None:
    told = heard().person(DEWI).upholds().person(EKO).changes_rating("AT", "AT")
    assert reminded(told) == [3]

    leaves(told, FITRI, WAYAN)
    assert reminded(told) == [1, 2]

    # Whoever takes the free place is waited for alone.
    seats(told, DEWI, EKO, WAYAN)
    assert reminded(told) == [3]
    seated = notices_of(told.state, told.entry("panel_seated"))
    assert [notice.recipient for notice in seated] == [WAYAN]


def test_who_has_spoken_on_a_panel_that_is_too_small_waits_for_the_team() -> None:
    told = heard().person(DEWI).upholds()
    leaves(told, EKO, WAYAN)
    leaves(told, FITRI, WAYAN)

    assert told.waiting == ["SEAT_PANEL", VOTES[0]]
    assert reminded(told) == []
