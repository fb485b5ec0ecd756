"""Leave: with the policy's word the employee's own clocks stand still on its days, and never run
the faster for it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.calendar import Calendar, DayOff
from siklus.workflows.domain.deadlines import Stretch, after, paused
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.policy import Count, Roll, Span
from siklus.workflows.domain.stages import Stage, TaskKind
from tests.domain.story import (
    Story,
    at_rating,
    make_calendar,
    make_policy,
    planned,
    rated,
    refused,
    story,
)

WHY = {"reason": "Surat cuti 850/12"}
PAUSING = make_policy(leave_pauses_clocks=True)
RECEIVED = datetime.fromisoformat("2026-01-30 09:00+07:00")


def stretch(written: str) -> Stretch:
    first, last = (date.fromisoformat(f"2026-{day}") for day in written.split(".."))
    return Stretch(from_on=first, to_on=last)


# Received on Friday 30 January: a fortnight later is Friday 13 February, 14 working days end on
# Monday 23 February, because the 16th and the 17th are days off.
TABLE: Sequence[tuple[Count, Roll, str, str, int]] = [
    (Count.CALENDAR, Roll.KEEP, "02-02..02-06", "02-18", 5),
    (Count.CALENDAR, Roll.KEEP, "02-07..02-08", "02-15", 2),
    (Count.CALENDAR, Roll.NEXT, "02-07..02-08", "02-18", 2),
    (Count.CALENDAR, Roll.KEEP, "02-13..02-20", "02-21", 8),
    (Count.CALENDAR, Roll.KEEP, "02-13..02-13", "02-14", 1),
    (Count.CALENDAR, Roll.KEEP, "02-14..02-20", "02-13", 0),
    (Count.CALENDAR, Roll.KEEP, "01-19..01-30", "02-13", 0),
    (Count.CALENDAR, Roll.KEEP, "01-19..02-01", "02-15", 2),
    (Count.WORKING, Roll.KEEP, "02-02..02-06", "03-02", 5),
    (Count.WORKING, Roll.KEEP, "02-07..02-08", "02-23", 0),
    (Count.WORKING, Roll.KEEP, "02-14..02-17", "02-23", 0),
    (Count.WORKING, Roll.KEEP, "02-13..02-18", "02-25", 2),
    (Count.WORKING, Roll.KEEP, "02-23..03-01", "03-02", 5),
    (Count.WORKING, Roll.KEEP, "02-24..03-01", "02-23", 0),
]


@pytest.mark.parametrize(("count", "roll", "away", "ends", "days"), TABLE)
def test_days_of_leave_are_not_counted(
    count: Count, roll: Roll, away: str, ends: str, days: int
) -> None:
    calendar, span = make_calendar(), Span(days=14, count=count)
    due = after(calendar, RECEIVED, span, rule="appeal.window", default_roll=roll)

    longer = paused(calendar, due, date(2026, 1, 30), [stretch(away)], roll=roll)

    assert longer.on.isoformat() == f"2026-{ends}"
    assert [each.days for each in longer.pauses] == ([days] if days else [])
    if days:
        # Where the clock came from stands beside what moved it on.
        assert (longer.rule, longer.basis_on, longer.days) == ("appeal.window", due.basis_on, 14)


def test_what_is_given_back_falls_on_no_other_leave() -> None:
    calendar = make_calendar()
    due = after(calendar, RECEIVED, Span(days=14), rule="r", default_roll=Roll.KEEP)
    fresh, known = stretch("02-02..02-03"), stretch("02-14..02-16")

    longer = paused(calendar, due, date(2026, 1, 30), [fresh], [known], roll=Roll.KEEP)

    assert longer.on == date(2026, 2, 18)
    assert [each.days for each in longer.pauses] == [2, 3]


@given(
    days=st.integers(0, 60),
    count=st.sampled_from(Count),
    roll=st.sampled_from([Roll.KEEP, Roll.NEXT]),
    begins=st.integers(-90, 90),
    length=st.integers(0, 120),
)
def test_leave_takes_nothing_and_leaves_as_many_days_as_there_were(
    days: int, count: Count, roll: Roll, begins: int, length: int
) -> None:
    calendar, since = make_calendar(), RECEIVED.date()
    due = after(calendar, RECEIVED, Span(days=days, count=count), rule="r", default_roll=roll)
    first = since + timedelta(days=begins)
    away = Stretch(from_on=first, to_on=first + timedelta(days=length))

    longer = paused(calendar, due, since, [away], roll=roll)

    def counted(until: date, leaves: Sequence[Stretch]) -> int:
        every = (since + timedelta(days=n) for n in range(1, (until - since).days + 1))
        return sum(
            (count is Count.CALENDAR or calendar.is_working_day(on))
            and not any(leave.holds(on) for leave in leaves)
            for on in every
        )

    assert longer.due_at >= due.due_at
    assert counted(longer.on, [away]) >= counted(due.on, [])
    if roll is Roll.KEEP:
        assert counted(longer.on, [away]) == counted(due.on, [])


def leave(told: Story, begins: str, ends: str) -> Story:
    command = c.RecordLeave(
        leave=c.LeaveKind.SICK,
        from_on=date.fromisoformat(begins),
        to_on=date.fromisoformat(ends),
        prose=WHY,
    )
    return told.team.gives(command)


def test_leave_pauses_own_clocks_only_where_the_policy_says_so() -> None:
    with refused(Reason.NOT_ALLOWED_BY_POLICY):
        leave(story(), "2026-01-10", "2026-01-20")

    told = story(policy=make_policy(leave_pauses_clocks=True)).at("2026-01-05 09:00")
    leave(told, "2026-01-10", "2026-01-20")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-25"


def test_a_longer_leave_adds_its_new_days_and_a_return_takes_nothing_back() -> None:
    told = story(policy=make_policy(leave_pauses_clocks=True)).at("2026-01-05 09:00")
    leave(told, "2026-01-10", "2026-01-20")

    leave(told, "2026-01-10", "2026-01-22")
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-27"
    leave(told, "2026-01-10", "2026-01-12")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-27"
    with refused(Reason.FIELD_INVALID):
        leave(told, "2026-01-11", "2026-01-30")


def test_leave_that_is_known_pauses_what_opens_in_it() -> None:
    told = planned(policy=make_policy(leave_pauses_clocks=True)).at("2026-11-20 09:00")
    leave(told, "2026-12-10", "2026-12-19")

    due = told.at("2026-12-01 09:00").task(TaskKind.SELF_EVALUATION).due
    assert due is not None
    assert due.on - date(2026, 12, 31) == timedelta(days=10)
    assert told.task(TaskKind.SELF_EVALUATION).holder == told.state.participants.employee


def on_leave(told_at: str = "2026-01-05 09:00") -> Story:
    """Return a story with leave in January that pauses the plan's clock."""
    told = story(policy=make_policy(leave_pauses_clocks=True)).at(told_at)
    return leave(told, "2026-01-10", "2026-01-20")


def test_leave_counts_once_however_often_a_plan_is_withdrawn_or_returned() -> None:
    told = on_leave()
    for _ in range(2):
        told.employee.submits_plan().employee.withdraws_plan()
        assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-25"

    told.employee.submits_plan().supervisor.returns_plan()
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-25"


def test_leave_that_became_known_in_the_review_counts_when_the_plan_comes_back() -> None:
    told = story(policy=make_policy(leave_pauses_clocks=True)).at("2026-01-05 09:00")
    leave(told.employee.submits_plan(), "2026-01-10", "2026-01-20")

    assert told.employee.withdraws_plan().due_on(TaskKind.SUBMIT_PLAN) == "2026-01-25"


def test_a_late_plan_stays_late_when_it_is_withdrawn_by_somebody_who_was_on_leave() -> None:
    told = on_leave().at("2026-02-02 09:00").employee.submits_plan().employee.withdraws_plan()

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-25"


def test_days_of_leave_are_given_once_when_a_return_was_recorded_by_mistake() -> None:
    told = on_leave()
    leave(told, "2026-01-10", "2026-01-12")
    leave(told, "2026-01-10", "2026-01-21")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-26"


def test_leave_never_rolls_a_day_back() -> None:
    policy = make_policy(leave_pauses_clocks=True, roll="previous")
    told = leave(story(policy=policy).at("2026-01-05 09:00"), "2026-01-08", "2026-01-11")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-18"


def test_leave_far_off_is_refused() -> None:
    told = story(policy=make_policy(leave_pauses_clocks=True))

    with refused(Reason.FIELD_INVALID):
        leave(told, "9999-12-30", "9999-12-31")


def test_the_window_of_an_appeal_pauses_from_its_last_day_and_never_after_it() -> None:
    told = rated(policy=PAUSING).at("2027-01-06 09:00").employee.opens_result()
    assert told.due_on(TaskKind.APPEAL) == "2027-01-20"

    away = leave(told.again().at("2027-01-20 23:59:59"), "2027-01-20", "2027-01-29")
    assert away.due_on(TaskKind.APPEAL) == "2027-01-30"
    assert away.at("2027-01-30 23:59:59").employee.appeals().stage is Stage.APPEAL_DECISION

    gone = told.at("2027-01-21 00:10:00")
    assert gone.stage is Stage.FINAL_APPROVAL
    assert leave(gone, "2027-01-20", "2027-01-29").stage is Stage.FINAL_APPROVAL


def test_a_result_counts_as_received_later_by_the_days_of_leave() -> None:
    told = leave(rated(policy=PAUSING), "2027-01-10", "2027-01-14")

    assert told.due_on(TaskKind.RECEIVE_RESULT) == "2027-01-24"
    assert told.at("2027-01-24 23:59:59").state.received_at is None
    assert told.at("2027-01-25 00:10:00").state.received_at is not None


def test_others_tasks_go_on_while_the_employee_is_away() -> None:
    told = at_rating(policy=PAUSING)
    before = told.task(TaskKind.RATE)

    assert leave(told, "2027-01-05", "2027-01-15").task(TaskKind.RATE) == before


def test_a_deadline_that_passed_stays_passed_whatever_is_recorded_later() -> None:
    told = story(policy=PAUSING).at("2026-01-15 00:00:00")

    leave(told, "2026-01-10", "2026-01-20")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-14"


def test_a_leave_called_off_pauses_nothing_that_opens_afterwards() -> None:
    told = leave(planned(policy=PAUSING).at("2026-11-20 09:00"), "2026-12-10", "2026-12-19")

    leave(told, "2026-12-10", "2026-12-09")

    assert told.at("2026-12-01 09:00").due_on(TaskKind.SELF_EVALUATION) == "2026-12-31"
    with refused(Reason.FIELD_INVALID):
        leave(told, "2026-12-10", "2026-12-08")
    with refused(Reason.FIELD_INVALID):
        leave(story(policy=PAUSING), "2026-02-10", "2026-02-09")


def test_a_leave_cut_short_pauses_what_opens_afterwards_by_the_days_that_are_left() -> None:
    told = leave(planned(policy=PAUSING).at("2026-11-20 09:00"), "2026-12-10", "2026-12-19")

    leave(told, "2026-12-10", "2026-12-12")

    assert told.at("2026-12-01 09:00").due_on(TaskKind.SELF_EVALUATION) == "2027-01-03"


def test_a_leave_whose_first_day_was_wrong_is_called_off_and_recorded_anew() -> None:
    told = on_leave()
    leave(told, "2026-01-10", "2026-01-09")
    leave(told, "2026-01-08", "2026-01-21")

    # Eleven days were given already; three are new: the 8th, the 9th and the 21st.
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-28"


def test_days_that_were_given_are_not_given_to_another_leave_once_more() -> None:
    told = on_leave()
    leave(told, "2026-01-10", "2026-01-12")
    leave(told, "2026-01-15", "2026-01-20")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-25"


def test_leave_from_the_first_instant_of_a_task_with_a_fixed_day_gives_back_that_day_too() -> None:
    told = leave(planned(policy=PAUSING).at("2026-11-20 09:00"), "2026-11-25", "2026-12-31")

    assert told.at("2026-12-01 09:00").due_on(TaskKind.SELF_EVALUATION) == "2027-01-31"


def outage(told: Story, begins: str, ends: str) -> Story:
    began, ended = (datetime.fromisoformat(f"{each}+07:00") for each in (begins, ends))
    again = c.ExtendForOutage(outage="g-1", began_at=began, ended_at=ended, prose=WHY)
    return told.team.gives(again)


def test_days_given_for_an_outage_fall_on_no_leave() -> None:
    told = leave(story(policy=PAUSING).at("2026-01-05 09:00"), "2026-01-15", "2026-01-20")
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-14"

    outage(told.at("2026-01-08 09:00"), "2026-01-06 09:00", "2026-01-08 08:00")

    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-22"


def test_an_outage_in_a_leave_adds_its_days_and_keeps_what_the_leave_gave() -> None:
    told = outage(on_leave().at("2026-01-13 09:00"), "2026-01-12 09:00", "2026-01-13 08:00")

    due = told.task(TaskKind.SUBMIT_PLAN).due
    assert due is not None
    assert (due.on, [each.days for each in due.pauses]) == (date(2026, 1, 26), [11])
    leave(told, "2026-01-10", "2026-01-22")
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-28"


def test_a_day_off_does_not_move_a_deadline_into_leave() -> None:
    policy = make_policy(
        leave_pauses_clocks=True, appeal={"window": {"days": 7, "count": "working"}}
    )
    told = rated(policy=policy).at("2027-01-06 09:00").employee.opens_result()
    leave(told, "2027-01-18", "2027-01-22")
    assert told.due_on(TaskKind.APPEAL) == "2027-01-15"
    was = told.state.calendar
    holidays = (*was.days_off, DayOff(on=date(2027, 1, 12), name="Libur daerah"))

    told.system.gives(
        c.ReplaceCalendar(calendar=Calendar(zone=was.zone, days_off=holidays, version="baru"))
    )

    assert told.due_on(TaskKind.APPEAL) == "2027-01-25"


def test_a_second_leave_right_after_the_first_finds_no_day_of_it_counted() -> None:
    told = story(policy=PAUSING).at("2026-01-05 09:00")
    leave(told, "2026-01-22", "2026-01-24")
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-14"

    leave(told, "2026-01-10", "2026-01-20")

    # Five days are left: the 21st, and from the 25th on.
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-01-28"


def test_a_day_off_that_became_known_counts_beside_the_leave() -> None:
    policy = make_policy(
        leave_pauses_clocks=True, appeal={"window": {"days": 7, "count": "working"}}
    )
    told = rated(policy=policy).at("2027-01-06 09:00").employee.opens_result()
    leave(told, "2027-01-08", "2027-01-11")
    assert told.due_on(TaskKind.APPEAL) == "2027-01-19"
    was = told.state.calendar
    holidays = (*was.days_off, DayOff(on=date(2027, 1, 12), name="Libur daerah"))
    calendar = Calendar(zone=was.zone, days_off=holidays, version="baru")

    told.system.gives(c.ReplaceCalendar(calendar=calendar))

    due = told.task(TaskKind.APPEAL).due
    assert due is not None
    assert due.on == date(2027, 1, 20)
    assert [(each.from_on, each.days) for each in due.pauses] == [(date(2027, 1, 8), 2)]
