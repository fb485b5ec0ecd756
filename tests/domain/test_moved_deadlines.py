"""Deadlines that move while a cycle runs: set by the team, given back after an outage, or later
because a day off became known."""

from datetime import date
from typing import Any

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.calendar import Calendar, DayOff
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from tests.domain.story import (
    BUDI,
    RINA,
    SECOND,
    Story,
    appealed,
    at_rating,
    make_policy,
    planned,
    rated,
    refused,
    story,
)

WHY = {"reason": "Banjir di kota"}


def moves(told: Story, task: TaskKind, on: str, **more: Any) -> Story:
    command = c.MoveDeadline(task=task, due_on=date.fromisoformat(on), prose=WHY, **more)
    return told.team.gives(command)


def test_a_later_day_moves_the_timer_the_reminders_and_the_lateness_with_it() -> None:
    told = story().at("2026-01-05 09:00")

    moves(told, TaskKind.SUBMIT_PLAN, "2026-01-21")

    task = told.task(TaskKind.SUBMIT_PLAN)
    assert task.due is not None
    assert (task.due.rule, task.due.on.isoformat()) == ("plan.moved", "2026-01-21")
    assert task.escalates_at == task.due.expires_at
    assert task.remind_on == ((-3, "2026-01-15"), (0, "2026-01-21"), (3, "2026-01-26"))
    assert told.at("2026-01-21 23:59").employee.submits_plan().stage is Stage.PLAN_REVIEW


def test_a_day_brought_forward_leaves_the_notice_that_the_policy_sets() -> None:
    told = planned().at("2027-01-04 09:00")

    with refused(Reason.NOTICE_TOO_SHORT, earliest_on="2027-01-12", rule="deadlines.notice"):
        moves(told.again(), TaskKind.RATE, "2027-01-11")

    assert moves(told, TaskKind.RATE, "2027-01-12").due_on(TaskKind.RATE) == "2027-01-12"


def test_a_passed_deadline_runs_again_only_on_purpose() -> None:
    told = at_rating().at("2027-02-09 09:00")
    assert told.task(TaskKind.RATE).escalated_to == (RINA,)

    with refused(Reason.DEADLINE_PASSED, rule="rating.due.on"):
        moves(told.again(), TaskKind.RATE, "2027-02-20")
    moves(told, TaskKind.RATE, "2027-02-20", reopen_passed=True)

    task = told.task(TaskKind.RATE)
    assert (task.holder, task.escalated_to, task.flagged) == (BUDI, (), False)
    assert told.at(told.due(TaskKind.RATE)).state.tasks == (task,)
    assert told.at(told.due(TaskKind.RATE) + SECOND).task(TaskKind.RATE).escalated_to == (RINA,)


def test_a_day_set_for_a_task_to_come_holds_when_it_opens() -> None:
    told = story().at("2026-01-05 09:00")
    moves(told, TaskKind.RATE, "2027-02-05")
    moves(told, TaskKind.SELF_EVALUATION, "2026-12-20")
    told.employee.submits_plan().at("2026-01-07 09:00").supervisor.approves_plan()

    assert told.at("2026-12-01 09:00").due_on(TaskKind.SELF_EVALUATION) == "2026-12-20"
    assert told.at("2027-01-04 09:00").due_on(TaskKind.RATE) == "2027-02-05"


def test_a_late_starter_keeps_the_days_that_everybody_has_at_least() -> None:
    told = story(opened="2026-01-02 09:00")
    moves(told, TaskKind.RATE, "2027-01-20")

    late = story(opened="2027-02-10 09:00")
    with refused(Reason.FIELD_INVALID):
        moves(late, TaskKind.RATE, "2027-01-20")


def test_what_was_done_or_has_no_day_of_its_own_cannot_be_moved() -> None:
    told = planned()

    for kind in (TaskKind.SUBMIT_PLAN, TaskKind.REVIEW_PLAN, TaskKind.APPEAL):
        with refused(Reason.WRONG_STAGE):
            moves(told, kind, "2026-03-01")


def test_a_moved_self_evaluation_keeps_the_rating_waiting() -> None:
    told = planned().at("2026-12-14 09:00")
    moves(told, TaskKind.SELF_EVALUATION, "2027-01-08")

    assert told.at("2027-01-08 12:00").employee.evaluates_self().stage is Stage.SELF_EVALUATION
    assert told.at("2027-01-09 00:30").stage is Stage.RATING


def test_a_moved_appeal_window_is_the_window() -> None:
    told = rated().at("2027-01-06 09:00").employee.opens_result()
    assert told.due_on(TaskKind.APPEAL) == "2027-01-20"

    moves(told, TaskKind.APPEAL, "2027-01-27")

    assert told.state.window_due_at == told.due(TaskKind.APPEAL)
    assert told.at("2027-01-27 23:59").employee.appeals().stage is Stage.APPEAL_DECISION


def test_two_of_the_team_move_a_deadline_where_the_policy_asks_for_them() -> None:
    policy = make_policy(second_person=["move_deadline"])
    told = story(policy=policy).at("2026-01-05 09:00")
    before = told.due(TaskKind.SUBMIT_PLAN)

    moves(told, TaskKind.SUBMIT_PLAN, "2026-01-21")
    assert told.due(TaskKind.SUBMIT_PLAN) == before
    with refused(Reason.SECOND_PERSON_REQUIRED):
        moves(told, TaskKind.SUBMIT_PLAN, "2026-01-21")
    second = told.person("tim-2", roles=told.team.actor.roles)
    day = date(2026, 1, 21)
    second.gives(c.MoveDeadline(task=TaskKind.SUBMIT_PLAN, due_on=day, prose={"reason": "Ya"}))

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-21"
    assert told.state.repair is None


def outage(told: Story, began: str, ended: str, name: str = "padam-1") -> Story:
    command = c.ExtendForOutage(
        outage=name, began_at=told.local(began), ended_at=told.local(ended), prose=WHY
    )
    return told.team.gives(command)


def test_an_outage_gives_back_every_day_begun_once() -> None:
    told = rated().at("2027-01-06 09:00").employee.opens_result().at("2027-01-20 14:00")

    outage(told, "2027-01-19 08:00", "2027-01-20 13:00")

    assert told.due_on(TaskKind.APPEAL) == "2027-01-22"
    with refused(Reason.ALREADY_DONE):
        outage(told, "2027-01-19 08:00", "2027-01-20 13:00")
    assert outage(told, "2027-01-20 13:30", "2027-01-20 13:40", "padam-2")
    assert told.due_on(TaskKind.APPEAL) == "2027-01-23"


def test_an_outage_on_the_last_evening_saves_who_was_late_because_of_it() -> None:
    told = story().at("2026-01-15 09:00")
    assert told.task(TaskKind.SUBMIT_PLAN).flagged

    outage(told, "2026-01-14 20:00", "2026-01-15 08:00")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-15"
    assert not told.task(TaskKind.SUBMIT_PLAN).flagged


def test_what_was_late_before_the_outage_stays_late() -> None:
    told = story().at("2026-01-20 09:00")

    with refused(Reason.WRONG_STAGE):
        outage(told, "2026-01-15 08:00", "2026-01-16 08:00")
    with refused(Reason.FIELD_INVALID):
        outage(told, "2026-01-19 08:00", "2026-01-21 08:00")


def off(told: Story, *days: str) -> Story:
    """Bring the calendar with some more days off."""
    new = tuple(DayOff(on=date.fromisoformat(day), name="Libur daerah") for day in days)
    kept = tuple(day for day in told.state.calendar.days_off if day.on.isoformat() not in days)
    was = told.state.calendar
    calendar = Calendar(
        zone=was.zone, weekdays=was.weekdays, days_off=(*kept, *new), version="baru"
    )
    return told.system.gives(c.ReplaceCalendar(calendar=calendar))


def test_a_new_day_off_moves_a_running_deadline_later_and_never_earlier() -> None:
    told = story().at("2026-01-12 09:00").employee.submits_plan().at("2026-01-27 09:00")
    told.supervisor.returns_plan()
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-02-03"

    off(told, "2026-01-29", "2026-01-30")
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-02-05"
    fewer = Calendar(zone=told.state.calendar.zone, version="tanpa")
    told.system.gives(c.ReplaceCalendar(calendar=fewer))

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-02-05"
    assert told.state.calendar == fewer
    assert told.folded() == told.state


def test_a_passed_deadline_is_not_reopened_by_a_day_off() -> None:
    told = at_rating(policy=make_policy(roll="next")).at("2027-02-02 09:00")
    before = told.task(TaskKind.RATE)

    off(told, "2027-02-01", "2027-02-02")

    assert told.task(TaskKind.RATE) == before


def test_a_calendar_is_the_system_s_to_bring_and_keeps_the_zone() -> None:
    told = story()
    other = told.state.calendar.model_copy(update={"zone": "Asia/Jayapura"})

    with refused(Reason.NOT_YOUR_TASK):
        told.team.gives(c.ReplaceCalendar(calendar=other))
    with refused(Reason.FIELD_INVALID):
        told.system.gives(c.ReplaceCalendar(calendar=other))
    with refused(Reason.ALREADY_DONE):
        told.system.gives(c.ReplaceCalendar(calendar=told.state.calendar))


def test_a_day_set_early_is_never_later_than_the_policy_s_own() -> None:
    policy = make_policy(deadlines={"notice": {"days": 60}})
    told = moves(planned(policy=policy), TaskKind.RATE, "2027-01-20")

    assert told.at("2027-01-04 09:00").due_on(TaskKind.RATE) == "2027-01-31"


def test_a_day_belongs_to_the_window_it_was_set_for_and_not_to_the_next_one() -> None:
    told = rated().at("2027-01-06 09:00").employee.opens_result()
    moves(told, TaskKind.APPEAL, "2027-03-01").at("2027-01-07 09:00")
    told.employee.acknowledges(accepted=True).approver.returns_rating()
    told.supervisor.rates("AT", "AT").employee.opens_result()

    assert told.due_on(TaskKind.APPEAL) == "2027-01-21"


def test_the_time_that_a_right_has_is_never_brought_forward() -> None:
    told = rated()
    with refused(Reason.NOTICE_TOO_SHORT, earliest_on="2027-01-19"):
        moves(told, TaskKind.RECEIVE_RESULT, "2027-01-14")
    told.employee.opens_result()
    with refused(Reason.NOTICE_TOO_SHORT, earliest_on="2027-01-19"):
        moves(told, TaskKind.APPEAL, "2027-01-14")


def test_an_appeal_is_never_due_before_the_rater_was_heard() -> None:
    told = appealed()
    assert told.due_on(TaskKind.RESPOND_TO_APPEAL) == "2027-01-13"
    with refused(Reason.FIELD_INVALID):
        moves(told, TaskKind.RESPOND_TO_APPEAL, "2027-01-20")
    with refused(Reason.FIELD_INVALID):
        moves(told, TaskKind.DECIDE_APPEAL, "2027-01-13")

    moves(told, TaskKind.DECIDE_APPEAL, "2027-01-27")
    assert moves(told, TaskKind.RESPOND_TO_APPEAL, "2027-01-20")


def test_a_day_far_off_or_of_no_such_task_is_refused_with_its_field() -> None:
    told = planned()
    for field, more in (
        ("due_on", {"on": "9999-12-31"}),
        ("number", {"on": "2027-02-05", "number": 3}),
    ):
        with refused(Reason.FIELD_INVALID) as caught:
            moves(told, TaskKind.RATE, **more)
        assert set(caught.value.fields) == {field}


def test_the_midyear_cannot_be_due_after_what_ends_it() -> None:
    told = planned()
    with refused(Reason.FIELD_INVALID):
        moves(told, TaskKind.MIDYEAR_ACCOUNT, "2026-12-01")
    with refused(Reason.FIELD_INVALID):
        moves(told.at("2026-07-02 09:00"), TaskKind.MIDYEAR_ACCOUNT, "2026-12-01")

    moves(told, TaskKind.MIDYEAR_ACCOUNT, "2026-11-30")
    assert told.at("2026-11-30 12:00").employee.accounts_for_midyear()


def test_a_moved_interim_rating_may_be_given_until_its_day() -> None:
    told = planned().at("2026-06-01 09:00").team.transfers("2026-05-31")
    moves(told, TaskKind.INTERIM_RATE, "2026-09-01")

    assert told.at("2026-09-01 12:00").supervisor.rates().stage is Stage.SEGMENT_CLOSED
    assert told.kinds[-1] == "interim_rated"


def test_days_given_back_to_what_stays_late_do_not_make_it_climb_again() -> None:
    told = at_rating().at("2027-02-02 09:00")
    before = told.task(TaskKind.RATE)

    outage(told, "2027-01-31 08:00", "2027-01-31 20:00").at("2027-02-02 09:01")

    after = told.task(TaskKind.RATE)
    assert told.due_on(TaskKind.RATE) == "2027-02-01"
    assert (after.escalated_to, after.escalates_at) == ((RINA,), before.escalates_at)
