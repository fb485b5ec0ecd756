"""What happens when somebody is late or leaves: escalations, flags, seats that change hands."""

from datetime import timedelta
from typing import Any

from siklus.workflows.domain.commands import InRoster, Reassign, ResolveSuperior, Seat
from siklus.workflows.domain.decide import command_digest, tick
from siklus.workflows.domain.decide.clock import next_wake, spread_of, unknown_superior
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


def submitted(**start: Any) -> Story:
    return story(**start).at("2026-01-06 09:00").employee.submits_plan()


def test_a_late_review_climbs_level_by_level_and_stays_at_the_top() -> None:
    told = submitted()

    told.at("2026-02-01 00:00")
    assert told.task(TaskKind.REVIEW_PLAN).escalated_to == (RINA,)
    told.at("2026-02-06 23:59:59")
    assert told.task(TaskKind.REVIEW_PLAN).escalated_to == (RINA,)
    told.at("2026-02-07 00:00")
    assert told.task(TaskKind.REVIEW_PLAN).escalated_to == (RINA, AGUS)

    top = told.at("2027-02-01 09:00").task(TaskKind.REVIEW_PLAN)
    assert top.escalated_to == (RINA, AGUS)
    assert top.flagged
    assert top.escalates_at is None
    assert top.holder == BUDI


def test_holder_and_escalated_to_may_both_act_and_the_first_wins() -> None:
    told = submitted().at("2026-02-02 09:00")

    by_superior = told.again().superior.approves_plan()
    assert by_superior.stage is Stage.EXECUTION
    with refused(Reason.WRONG_STAGE, last_actor=RINA, revision=str(by_superior.state.revision)):
        by_superior.supervisor.approves_plan()

    by_holder = told.supervisor.approves_plan()
    with refused(Reason.WRONG_STAGE, last_actor=BUDI):
        by_holder.superior.approves_plan()


def test_who_comes_second_in_the_same_stage_learns_it_too() -> None:
    told = planned(policy=make_policy(periods={"per_year": 4})).at("2026-04-20 09:00")
    told.supervisor.evaluates_period(1)

    with refused(Reason.ALREADY_DONE, last_actor=BUDI):
        told.superior.evaluates_period(1)


def test_an_unknown_superior_is_looked_up_and_nobody_is_passed_over() -> None:
    told = submitted(superiors={BUDI: RINA})
    told.at("2026-02-09 09:00")
    assert told.task(TaskKind.REVIEW_PLAN).escalated_to == (RINA,)
    assert unknown_superior(told.state, told.now) == RINA

    told.system.gives(ResolveSuperior(person=RINA, superior=AGUS)).at("2026-02-09 09:01")

    assert told.task(TaskKind.REVIEW_PLAN).escalated_to == (RINA, AGUS)
    with refused(Reason.ALREADY_DONE):
        told.system.gives(ResolveSuperior(person=RINA, superior=AGUS))
    with refused(Reason.NOT_YOUR_TASK):
        told.team.gives(ResolveSuperior(person=AGUS, superior=None))


def test_an_escalation_never_reaches_the_employee_nor_runs_in_a_circle() -> None:
    line: dict[PersonId, PersonId | None] = {BUDI: RINA, RINA: SITI}
    assert submitted(superiors=line).at("2026-06-01 09:00").task(
        TaskKind.REVIEW_PLAN
    ).escalated_to == (RINA,)

    circle: dict[PersonId, PersonId | None] = {BUDI: RINA, RINA: BUDI}
    told = submitted(superiors=circle).at("2026-06-01 09:00")
    assert told.task(TaskKind.REVIEW_PLAN).escalated_to == (RINA,)
    assert told.task(TaskKind.REVIEW_PLAN).flagged


def test_a_policy_may_only_remind() -> None:
    told = submitted(policy=make_policy(plan_review={"late": {"act": "remind"}}))

    told.at("2026-06-01 09:00").team.reassigns(Seat.SUPERVISOR, WAYAN).at("2026-07-01 00:00")

    assert told.task(TaskKind.REVIEW_PLAN).escalated_to == ()
    assert not told.task(TaskKind.REVIEW_PLAN).flagged


def test_what_only_the_employee_can_do_is_flagged_and_never_climbs() -> None:
    told = story(policy=make_policy(plan={"late": {"act": "escalate"}})).at("2026-06-01 09:00")

    assert told.task(TaskKind.SUBMIT_PLAN).flagged
    assert told.task(TaskKind.SUBMIT_PLAN).escalated_to == ()
    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.submits_plan()


def test_a_late_approval_climbs() -> None:
    told = at_approval(superiors={BUDI: RINA, RINA: AGUS, AGUS: WAYAN}).at("2027-03-01 00:00")

    assert told.task(TaskKind.APPROVE).escalated_to == (WAYAN,)
    assert told.person(WAYAN).approves().stage is Stage.COMPLETED


def test_reassigning_moves_the_holder_and_the_escalation_starts_again() -> None:
    told = submitted().at("2026-02-09 09:00").team.reassigns(Seat.SUPERVISOR, WAYAN, RINA)

    task = told.task(TaskKind.REVIEW_PLAN)
    assert (task.holder, task.escalated_to, task.flagged) == (WAYAN, (), False)
    assert told.due_on(TaskKind.REVIEW_PLAN) == "2026-01-31"
    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.approves_plan()
    assert told.at("2026-02-18 23:59:59").task(TaskKind.REVIEW_PLAN).escalated_to == ()
    assert told.at("2026-02-19 00:00").task(TaskKind.REVIEW_PLAN).escalated_to == (RINA,)


def test_reassigning_in_time_leaves_the_clock_as_it_was() -> None:
    told = submitted().team.reassigns(Seat.SUPERVISOR, WAYAN, RINA)

    assert told.at("2026-02-01 00:00").task(TaskKind.REVIEW_PLAN).escalated_to == (RINA,)


def test_a_seat_is_not_given_to_the_employee_or_to_who_has_it() -> None:
    told = planned()

    with refused(Reason.SELF_DECISION):
        told.team.reassigns(Seat.SUPERVISOR, SITI)
    with refused(Reason.FIELD_INVALID):
        told.team.reassigns(Seat.SUPERVISOR, BUDI)
    with refused(Reason.FIELD_INVALID):
        told.team.gives(Reassign(seat=Seat.SUPERVISOR, person=WAYAN), roster=InRoster(active=True))
    with refused(Reason.NOT_YOUR_TASK):
        told.superior.reassigns(Seat.SUPERVISOR, WAYAN)


def test_a_seat_is_given_to_nobody_who_does_not_work_in_the_agency() -> None:
    told = planned()
    command = Reassign(seat=Seat.SUPERVISOR, person=WAYAN, prose={"reason": "x"})

    for roster in (None, InRoster(active=False, superior=RINA)):
        with refused(Reason.FIELD_INVALID):
            told.team.gives(command, roster=roster)


def test_whom_the_roster_knows_is_told_last_and_to_nobody_else() -> None:
    told = planned()
    somebody, nobody = (
        Reassign(seat=Seat.DECIDER, person=PersonId(who), prose={"reason": "x"})
        for who in (WAYAN, "nobody")
    )

    for command, roster in ((somebody, InRoster(active=True)), (nobody, None)):
        with refused(Reason.NOT_A_PARTICIPANT):
            told.person(WAYAN).gives(command, roster=roster)
        with refused(Reason.REVISION_CHANGED):
            told.team.gives(command, expected_revision=1, roster=roster)
        with refused(Reason.WRONG_STAGE):
            told.team.gives(command, roster=roster)


def test_what_the_roster_says_is_no_part_of_what_was_asked() -> None:
    told = planned().team.reassigns(Seat.SUPERVISOR, WAYAN, RINA)

    asked = Reassign(seat=Seat.SUPERVISOR, person=WAYAN, prose={"reason": "Pindah tugas"})
    assert told.entries[-1].command_digest == command_digest(asked, "garam")
    assert told.state.participants.superior == RINA


def test_who_left_a_seat_may_go_on_looking() -> None:
    told = planned().team.reassigns(Seat.SUPERVISOR, WAYAN).team.reassigns(Seat.SUPERVISOR, RINA)

    assert {BUDI, WAYAN} <= set(told.state.involved)


def test_the_response_to_an_appeal_stays_with_whoever_rated() -> None:
    told = at_rating().at("2027-02-01 09:00").superior.rates().employee.appeals()

    told.team.reassigns(Seat.SUPERVISOR, WAYAN, AGUS)

    assert told.task(TaskKind.RESPOND_TO_APPEAL).holder == RINA


def test_a_rater_s_successor_responds_to_the_appeal() -> None:
    told = appealed().team.reassigns(Seat.SUPERVISOR, WAYAN, RINA)

    assert told.person(WAYAN).responds().waiting == ["DECIDE_APPEAL"]


def test_the_timer_spreads_a_midnight_and_the_legal_instant_stays() -> None:
    told = rated().employee.opens_result()
    spread = timedelta(minutes=40)
    lapses_at = told.local("2027-01-20 00:00")

    assert next_wake(told.state, spread=spread) == lapses_at + timedelta(minutes=50)
    assert tick(told.state, lapses_at + timedelta(minutes=49), spread=spread) == ()
    told.record(tick(told.state, lapses_at + timedelta(minutes=50), spread=spread))
    assert told.entry("appeal_window_lapsed").occurred_at == lapses_at


def test_whoever_acts_within_the_spread_finds_the_clock_s_work_done() -> None:
    told = rated().employee.opens_result()
    told.now = told.received = told.local("2027-01-20 00:10")

    told.approver.approves()

    assert told.kinds[-3:] == [
        "appeal_window_lapsed",
        "final_approval_opened",
        "evaluation_approved",
    ]


def test_each_evaluation_has_its_own_place_within_the_spread() -> None:
    told, other = story(), story(segment=2)

    assert spread_of(told.state) == spread_of(story().state) != spread_of(other.state)
    assert timedelta(0) <= spread_of(told.state) <= timedelta(minutes=60)
    assert spread_of(story(policy=make_policy(spread_minutes=0)).state) == timedelta(0)


def test_reminders_stand_on_working_days_around_the_due_date() -> None:
    assert submitted().task(TaskKind.REVIEW_PLAN).remind_on == (
        (-3, "2026-01-28"),
        (0, "2026-01-30"),
        (3, "2026-02-04"),
    )
