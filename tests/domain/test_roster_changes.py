"""Changes of the roster: what fits into it, and what each means for a running evaluation."""

from datetime import date, timedelta
from typing import Any

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.roster_changes import (
    AHEAD_DAYS,
    BACK_DAYS,
    Change,
    Deactivation,
    Facts,
    Known,
    LeaveDays,
    NewSupervisor,
    NewUnit,
    OnLeave,
    Outcome,
    ReturnToWork,
    as_recorded,
    by_the_system,
    changed,
    command_for,
    in_place_of,
    is_none_of_its,
    moves_on,
    must_be_dated,
    must_fit,
    outcome_of,
)
from siklus.workflows.domain.roster_people import Person
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import PersonId
from tests.domain.story import make_policy

DAY = date(2026, 6, 1)
LEAVE = c.LeaveKind.ANNUAL


def person(who: str, above: str | None, **more: Any) -> Person:
    given = {
        "person": who, "nip": who, "name": who, "email": "", "unit": "dinas", "position": "",
        "supervisor": above, "top": above is None, "language": "id", "joined_on": None, "ref": None,
    }  # fmt: skip
    return Person.model_validate({**given, **more})


AGUS, RINA, BUDI, SITI = (
    person("agus", None),
    person("rina", "agus"),
    person("budi", "rina"),
    person("siti", "budi"),
)
LINE = (AGUS, RINA, BUDI, SITI)


def of(who: Person, facts: Facts) -> Change:
    return Change(person=who.person, effective_on=DAY, facts=facts)


def known(who: Person | None, **more: Any) -> Known:
    units = frozenset({"dinas", "makassar"})
    return Known.model_validate({"person": who, "others": LINE, "units": units, **more})


def refused(change: Change, roster: Known) -> Refusal:
    with pytest.raises(Refusal) as raised:
        must_fit(change, roster)
    return raised.value


def under(who: str) -> NewSupervisor:
    return NewSupervisor(supervisor=PersonId(who))


def gone(successor: str | None = None) -> Deactivation:
    follows = PersonId(successor) if successor else None
    return Deactivation(departure=c.Departure.RETIRED, successor=follows)


def test_nobody_stands_under_themselves_or_under_whom_they_lead() -> None:
    for wrong in ("rina", "siti", "budi"):
        told = refused(of(RINA, under(wrong)), known(RINA))
        assert list(told.fields) == ["new_supervisor.supervisor"]

    assert must_fit(of(SITI, under("rina")), known(SITI)) is SITI


def test_nobody_is_led_by_who_is_not_there_or_is_led_already() -> None:
    left = person("dewi", "rina", active=False)

    assert refused(of(SITI, under("dewi")), known(SITI, others=(*LINE, left))).fields
    assert refused(of(SITI, under("nobody")), known(SITI)).fields
    assert refused(of(SITI, under("budi")), known(SITI)).reason is Reason.ALREADY_DONE


def test_a_transfer_needs_another_unit_that_is_there() -> None:
    for unit in ("dinas", "nowhere"):
        assert "new_unit.unit" in refused(of(SITI, NewUnit(unit=unit)), known(SITI)).fields

    moved = changed(of(SITI, NewUnit(unit="makassar", supervisor=PersonId("rina"))), SITI)
    assert (moved.unit, moved.supervisor) == ("makassar", "rina")


@pytest.mark.parametrize(
    "facts", [under("rina"), NewUnit(unit="makassar"), OnLeave(leave=LEAVE, to_on=DAY), gone()]
)
def test_whoever_left_changes_no_more_but_may_come_back(facts: Facts) -> None:
    left = SITI.model_copy(update={"active": False})

    assert "person" in refused(of(left, facts), known(left)).fields
    assert changed(of(left, ReturnToWork()), left).active
    assert must_fit(of(left, ReturnToWork()), known(left)) is left


def on_leave(first: int, last: int) -> LeaveDays:
    begins, ends = (DAY + timedelta(days=days) for days in (first, last))
    return LeaveDays(from_on=begins, to_on=ends, leave=LEAVE)


def test_leave_does_not_overlap_but_its_last_day_may_change() -> None:
    before = on_leave(-5, 0)
    same = on_leave(0, 3)
    asked = of(SITI, OnLeave(leave=LEAVE, to_on=DAY + timedelta(days=9)))

    assert "leave" in refused(asked, known(SITI, leaves=(before,))).fields
    assert must_fit(asked, known(SITI, leaves=(same,))) is SITI
    ends_before = of(SITI, OnLeave(leave=LEAVE, to_on=DAY - timedelta(days=1)))
    assert "leave.to_on" in refused(ends_before, known(SITI)).fields


def test_only_who_is_away_comes_back() -> None:
    away = on_leave(-5, 5)

    assert refused(of(SITI, ReturnToWork()), known(SITI)).reason is Reason.ALREADY_DONE
    assert must_fit(of(SITI, ReturnToWork()), known(SITI, leaves=(away,))) is SITI


@pytest.mark.parametrize(("begun", "ends"), [(-5, -1), (0, -1)])
def test_a_return_ends_the_leave_the_day_before_or_calls_it_off(begun: int, ends: int) -> None:
    asked = of(SITI, ReturnToWork())

    recorded = as_recorded(asked, known(SITI, leaves=(on_leave(begun, 9),)))

    told = command_for(recorded, own=True, reason="SK")
    assert isinstance(told, c.RecordLeave)
    assert told.from_on == DAY + timedelta(days=begun)
    assert told.to_on == DAY + timedelta(days=ends)
    assert as_recorded(asked, known(SITI, leaves=(on_leave(2, 9),))) == asked


def test_a_successor_from_below_takes_the_place_and_makes_no_loop() -> None:
    assert in_place_of(RINA, SITI, known(RINA)).supervisor == "agus"
    top = in_place_of(AGUS, RINA, known(AGUS))
    assert (top.supervisor, top.top) == (None, True)
    assert in_place_of(SITI, RINA, known(SITI)) is RINA
    assert "deactivation.successor" in refused(of(RINA, gone("rina")), known(RINA)).fields


def test_dates_lie_within_a_year_of_today() -> None:
    must_be_dated(DAY, DAY)
    must_be_dated(DAY - timedelta(days=BACK_DAYS), DAY)
    for far in (-BACK_DAYS - 1, AHEAD_DAYS + 1):
        with pytest.raises(Refusal):
            must_be_dated(DAY + timedelta(days=far), DAY)


def test_each_change_says_one_command_to_the_own_evaluation_and_one_to_others() -> None:
    def kinds(facts: Facts) -> tuple[str | None, str | None]:
        own, other = (command_for(of(BUDI, facts), own=own, reason="SK") for own in (True, False))
        return own.kind if own else None, other.kind if other else None

    assert kinds(under("rina")) == ("reassign", None)
    assert kinds(NewUnit(unit="makassar")) == ("transfer", None)
    assert kinds(OnLeave(leave=LEAVE, to_on=DAY)) == ("record_leave", None)
    assert kinds(gone()) == ("record_departure", "replace_person")
    assert kinds(ReturnToWork()) == (None, None)
    assert kinds(ReturnToWork(leave=LEAVE, from_on=DAY)) == ("record_leave", None)
    closing = command_for(of(BUDI, NewUnit(unit="makassar")), own=True, reason="SK")
    assert isinstance(closing, c.Transfer)
    assert closing.closing_on == DAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("stage", "rated", "on", "moves"),
    [
        (Stage.EXECUTION, False, DAY, True),
        (Stage.RATING, False, DAY, True),
        (Stage.RATING, True, DAY, False),
        (Stage.APPEAL_WINDOW, True, DAY, False),
        (Stage.RATING, False, date(2027, 1, 1), False),
    ],
)
def test_a_segment_closes_only_before_its_result_and_within_the_year(
    stage: Stage, rated: bool, on: date, moves: bool
) -> None:
    assert moves_on(on, ends_on=date(2026, 12, 31), stage=stage, rated=rated) is moves


def test_a_segment_that_waits_for_its_interim_rating_keeps_who_led_the_employee_there() -> None:
    reassign = command_for(of(SITI, under("rina")), own=True, reason="SK")
    replace = command_for(of(BUDI, gone()), own=False, reason="SK")
    assert reassign is not None
    assert replace is not None

    assert is_none_of_its(reassign, Stage.INTERIM_RATING)
    assert not is_none_of_its(reassign, Stage.RATING)
    assert not is_none_of_its(replace, Stage.INTERIM_RATING)


@pytest.mark.parametrize(
    ("asks", "facts", "own", "system"),
    [
        ("replace_person", gone(), False, True),
        ("reassign", gone(), False, True),
        ("exclude", gone(), True, True),
        ("cancel", gone(), True, False),
        ("reassign", under("rina"), True, False),
    ],
)
def test_facts_for_which_two_would_be_asked_are_the_systems(
    asks: str, facts: Facts, own: bool, system: bool
) -> None:
    command = command_for(of(BUDI, facts), own=own, reason="SK")
    assert command is not None
    assert by_the_system(command, make_policy(second_person=[asks])) is system


def test_a_refusal_tells_whether_the_team_has_to_look() -> None:
    assert outcome_of(None) is Outcome.DONE
    assert outcome_of(Reason.WRONG_STAGE) is Outcome.UNTOUCHED
    assert outcome_of(Reason.FIELD_INVALID) is Outcome.REFUSED
