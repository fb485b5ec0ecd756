"""People who leave: what they hold goes on, and nothing stays with somebody who is gone."""

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import PersonId
from tests.domain.story import (
    AGUS,
    BUDI,
    RINA,
    SITI,
    WAYAN,
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

WHY = {"reason": "Pensiun"}


def replaces(
    told: Story,
    leaving: PersonId,
    successor: PersonId | None = None,
    line: tuple[PersonId, ...] = (),
    superior: PersonId | None = RINA,
) -> Story:
    command = c.ReplacePerson(leaving=leaving, successor=successor, prose=WHY)
    return told.team.gives(command, roster=c.InRoster(active=True, superior=superior, line=line))


def test_the_line_takes_over_with_due_times_as_they_are() -> None:
    told = at_rating()
    due = told.due(TaskKind.RATE)

    replaces(told, BUDI, line=(RINA, AGUS))

    task = told.task(TaskKind.RATE)
    assert (task.holder, told.due(TaskKind.RATE)) == (RINA, due)
    seats = told.state.participants
    assert (seats.supervisor, seats.superior) == (RINA, AGUS)
    assert told.state.superiors[SITI] == RINA
    with refused(Reason.NOT_YOUR_TASK):
        told.person(BUDI).rates()
    assert told.person(RINA).rates().state.rater == RINA


def test_a_named_successor_takes_every_seat_that_the_law_allows() -> None:
    told = appealed(approver=RINA)
    assert told.task(TaskKind.DECIDE_APPEAL).holder == RINA

    replaces(told, RINA, successor=WAYAN, line=(AGUS,), superior=AGUS)

    assert told.task(TaskKind.DECIDE_APPEAL).holder == WAYAN
    assert told.state.participants.approver == WAYAN
    assert told.state.participants.superior == WAYAN


def test_whoever_rated_never_gets_to_decide_the_appeal_by_replacing_somebody() -> None:
    told = appealed()

    replaces(told, RINA, successor=BUDI, line=(AGUS,), superior=AGUS)

    assert told.task(TaskKind.DECIDE_APPEAL).holder == AGUS
    assert told.state.appeal is not None
    assert told.state.appeal.decider == AGUS


def test_the_team_holds_what_the_line_has_nobody_for() -> None:
    told = at_approval()

    replaces(told, AGUS, line=())

    assert told.task(TaskKind.APPROVE).holder is None
    assert told.team.approves().stage is Stage.COMPLETED


def test_what_opens_later_does_not_go_back_to_who_left() -> None:
    told = story().at("2026-01-05 09:00")
    replaces(told, BUDI, line=())

    told.employee.submits_plan()

    assert told.task(TaskKind.REVIEW_PLAN).holder is None
    told.team.reassigns(c.Seat.SUPERVISOR, WAYAN)
    assert told.task(TaskKind.REVIEW_PLAN).holder == WAYAN


def test_an_escalation_that_had_reached_somebody_gone_climbs_once_more() -> None:
    told = at_rating().at("2027-02-02 09:00")
    assert told.task(TaskKind.RATE).escalated_to == (RINA,)

    replaces(told, RINA, line=(AGUS,)).at("2027-02-02 10:00")

    assert told.task(TaskKind.RATE).escalated_to == (AGUS,)


def test_nobody_is_replaced_by_the_employee_by_themselves_or_twice() -> None:
    told = at_rating()

    with refused(Reason.SELF_DECISION):
        replaces(told, BUDI, successor=SITI)
    with refused(Reason.FIELD_INVALID):
        replaces(told, BUDI, successor=BUDI)
    with refused(Reason.FIELD_INVALID):
        replaces(told, SITI, successor=WAYAN)
    replaces(told, BUDI, line=(RINA, AGUS))
    with refused(Reason.ALREADY_DONE):
        replaces(told, BUDI, line=(RINA, AGUS))


def departs(told: Story, departure: c.Departure = c.Departure.RETIRED) -> Story:
    return told.team.gives(c.RecordDeparture(departure=departure, prose=WHY))


def test_whoever_leaves_before_a_rating_is_excluded_with_the_reason() -> None:
    told = departs(planned())
    assert (told.stage, told.state.ground) == (
        Stage.EXCLUDED,
        c.ExclusionGround.LEFT_SERVICE,
    )

    dismissed = departs(planned(), c.Departure.DISMISSED_FOR_A_TIME)
    assert dismissed.state.ground is c.ExclusionGround.DISMISSED_FOR_A_TIME


def test_whoever_leaves_after_the_rating_keeps_the_right_to_appeal() -> None:
    told = departs(rated())

    assert told.task(TaskKind.RECEIVE_RESULT).holder is None
    with refused(Reason.NOT_YOUR_TASK):
        told.team.opens_result()
    assert told.employee.opens_result().task(TaskKind.APPEAL).holder is None
    assert told.employee.appeals().stage is Stage.APPEAL_DECISION
    with refused(Reason.ALREADY_DONE):
        departs(told)


def test_a_departed_employee_s_result_becomes_final_by_the_clock() -> None:
    told = departs(rated("AT", "AT")).at("2027-03-01 09:00")

    assert told.stage is Stage.FINAL_APPROVAL


def test_a_successor_does_not_answer_to_whom_they_follow() -> None:
    told = at_rating()

    replaces(told, BUDI, successor=WAYAN, superior=BUDI, line=(RINA, AGUS))

    seats = told.state.participants
    assert (seats.supervisor, seats.superior) == (WAYAN, RINA)
    assert told.at("2027-02-02 09:00").task(TaskKind.RATE).escalated_to == (RINA,)


def test_nothing_climbs_to_somebody_who_is_gone() -> None:
    told = at_rating()
    replaces(told, RINA, successor=AGUS, superior=None)
    told.team.reassigns(c.Seat.SUPERVISOR, WAYAN, superior=RINA)

    task = told.at("2027-02-02 09:00").task(TaskKind.RATE)

    assert (task.escalated_to, task.flagged) == ((), True)


def test_an_appeal_is_decided_by_nobody_who_is_gone() -> None:
    told = replaces(rated(), RINA, successor=WAYAN, superior=AGUS)
    told.system.gives(c.ResolveSuperior(person=BUDI, superior=RINA))

    told.employee.appeals()

    assert told.task(TaskKind.DECIDE_APPEAL).holder == AGUS
    assert told.state.appeal is not None
    assert told.state.appeal.decider == AGUS


def test_whoever_decides_does_not_answer_for_the_rater_as_well() -> None:
    told = appealed()

    replaces(told, BUDI, line=(RINA, AGUS), superior=AGUS)

    assert told.task(TaskKind.DECIDE_APPEAL).holder == RINA
    assert told.task(TaskKind.RESPOND_TO_APPEAL).holder == AGUS


def test_whoever_answers_for_the_rater_does_not_follow_who_decides() -> None:
    told = appealed().team.reassigns(c.Seat.SUPERVISOR, WAYAN)
    assert told.task(TaskKind.RESPOND_TO_APPEAL).holder == WAYAN

    replaces(told, RINA, successor=WAYAN, line=(AGUS,), superior=AGUS)

    assert told.task(TaskKind.DECIDE_APPEAL).holder == AGUS


def test_one_of_several_who_were_reached_leaves_the_others_their_time() -> None:
    told = at_rating().at("2027-02-10 09:00")
    before = told.task(TaskKind.RATE)
    assert before.escalated_to == (RINA, AGUS)

    replaces(told, RINA, line=(AGUS,))

    after = told.task(TaskKind.RATE)
    assert (after.escalated_to, after.escalates_at) == ((AGUS,), before.escalates_at)


def test_replacing_somebody_by_nobody_is_done_once() -> None:
    told = replaces(story(), BUDI)

    with refused(Reason.ALREADY_DONE):
        replaces(told, BUDI)


def test_a_supervisor_who_left_has_no_say_until_they_are_back() -> None:
    told = replaces(planned(), BUDI)
    with refused(Reason.NOT_YOUR_TASK):
        told.person(BUDI).adds_expectation()

    told.team.reassigns(c.Seat.SUPERVISOR, BUDI)

    assert told.person(BUDI).adds_expectation()
    assert told.state.gone == ()


def test_a_seat_is_no_easier_given_to_another_by_a_replacement_than_by_a_reassignment() -> None:
    told = planned(policy=make_policy(second_person=["reassign"]))
    replace = c.ReplacePerson(leaving=BUDI, successor=WAYAN, prose=WHY)
    roster = c.InRoster(active=True, superior=RINA, line=(RINA, AGUS))

    told.give(told.team.actor, replace, roster=roster)
    assert (told.kinds[-1], told.state.participants.supervisor) == ("repair_requested", BUDI)
    told.give(told.person("tim-2", roles=told.team.actor.roles).actor, replace, roster=roster)
    assert told.state.participants.supervisor == WAYAN

    # Whoever left is replaced by the system, whatever the policy asks of people.
    leaves = c.ReplacePerson(leaving=WAYAN, successor=RINA)
    assert told.system.gives(leaves, roster=roster).state.participants.supervisor == RINA


def test_a_panel_is_seated_by_two_where_seats_are_reassigned_by_two() -> None:
    panel = {"decided_by": "panel", "panel": {"members": 3, "quorum": 2}}
    told = rated(policy=make_policy(appeal=panel, second_person=["reassign"]))
    told.at("2027-01-06 09:00").employee.appeals()
    command = c.SeatPanel(members=(RINA, WAYAN), prose=WHY)
    vouched = c.InPanel(members=command.members)

    told.team.gives(command, panel=vouched)
    assert told.kinds[-1] == "repair_requested"
    with refused(Reason.SECOND_PERSON_REQUIRED):
        told.team.gives(command, panel=vouched)
    told.person("lain", roles=told.team.actor.roles).gives(command, panel=vouched)
    assert told.kinds[-1] == "panel_seated"


def test_two_of_the_team_record_a_departure_where_two_exclude() -> None:
    told = departs(planned(policy=make_policy(second_person=["exclude"])))
    assert told.kinds[-1] == "repair_requested"

    second = told.person("tim-2", roles=told.team.actor.roles)
    second.gives(c.RecordDeparture(departure=c.Departure.RETIRED, prose=WHY))

    assert told.stage is Stage.EXCLUDED
