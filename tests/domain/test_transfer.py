"""Employees who move within the year: segments close, are rated, and combine."""

from datetime import date

from siklus.workflows.domain.commands import RecordSegmentResult, Seat
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level, Predicate
from tests.domain.story import (
    BUDI,
    RINA,
    WAYAN,
    Story,
    at_approval,
    at_rating,
    make_policy,
    planned,
    rated,
    refused,
)

LONGEST = {"segments": {"combine": "longest"}}


def moved(closing_on: str = "2026-05-31") -> Story:
    """Return a story in which Siti moved, told to the team on the next day."""
    return planned().at("2026-06-01 09:00").team.transfers(closing_on)


def second(days: int, results: Level | None, **policy: object) -> Story:
    """Return Siti's second segment at its rating, the first one known."""
    told = at_rating(
        segment=2,
        supervisor=WAYAN,
        served_from_on=date(2026, 6, 1),
        policy=make_policy(**policy),
    )
    record = RecordSegmentResult(segment=1, days=days, results=results, behaviour=results)
    return told.system.gives(record)


def test_the_leaving_supervisor_is_asked_for_an_interim_rating() -> None:
    told = moved()

    assert told.stage is Stage.INTERIM_RATING
    assert told.waiting == ["INTERIM_RATE"]
    assert told.due_on(TaskKind.INTERIM_RATE) == "2026-06-15"
    assert told.supervisor.rates("AT", "ABOVE").stage is Stage.SEGMENT_CLOSED
    assert told.state.interim is not None
    assert (told.state.interim.days, told.state.interim.predicate) == (151, Predicate.BAIK)
    assert told.waiting == []


def test_a_segment_has_no_delivery_no_appeal_and_no_reopening() -> None:
    told = moved().supervisor.rates()

    for act in (told.employee.opens_result, told.employee.appeals, told.team.reopens):
        with refused(Reason.EVALUATION_CLOSED):
            act()


def test_too_few_days_ask_for_no_rating() -> None:
    told = planned().at("2026-06-01 09:00")

    assert told.again().team.transfers("2026-03-30").stage is Stage.SEGMENT_CLOSED
    assert told.team.transfers("2026-03-31").stage is Stage.INTERIM_RATING


def test_a_late_interim_rating_climbs_and_the_superior_gives_it() -> None:
    told = moved().at("2026-06-16 00:00")

    assert told.task(TaskKind.INTERIM_RATE).escalated_to == (RINA,)
    assert told.superior.rates().stage is Stage.SEGMENT_CLOSED
    assert told.entry("interim_rated").actor == RINA


def test_an_interim_rating_that_never_comes_leaves_the_segment_unrated() -> None:
    told = moved().at("2026-08-01 00:09:59")
    assert told.waiting == ["INTERIM_RATE"]

    told.at("2026-08-01 00:10")

    assert told.stage is Stage.SEGMENT_CLOSED
    assert told.last.kind == "segment_unrated"
    assert told.waiting == []
    with refused(Reason.EVALUATION_CLOSED):
        told.supervisor.rates()


def test_the_successor_of_the_old_rater_gives_the_interim_rating() -> None:
    told = moved().team.reassigns(Seat.SUPERVISOR, WAYAN)

    with refused(Reason.NOT_YOUR_TASK):
        told.person(BUDI).rates()
    assert told.person(WAYAN).rates().stage is Stage.SEGMENT_CLOSED


def test_a_segment_closes_within_its_year_and_not_in_the_future() -> None:
    told = planned().at("2026-06-01 09:00")
    for closing_on in ("2025-12-31", "2026-06-02"):
        with refused(Reason.FIELD_INVALID) as caught:
            told.team.transfers(closing_on)
        assert list(caught.value.fields) == ["closing_on"]

    with refused(Reason.FIELD_INVALID):
        at_rating().team.transfers("2027-01-03")
    assert at_rating().team.transfers("2026-12-31").stage is Stage.INTERIM_RATING


def test_once_a_result_was_delivered_a_move_changes_nothing() -> None:
    with refused(Reason.WRONG_STAGE):
        rated().team.transfers("2026-12-31")
    with refused(Reason.WRONG_STAGE):
        at_approval().approver.returns_rating().team.transfers("2026-12-31")


def test_the_last_segment_is_the_year_unless_the_longest_counts() -> None:
    last = second(151, Level.ABOVE).supervisor.rates("AT", "AT")
    assert last.state.ratings[0].combined is Predicate.BAIK

    shorter = second(151, Level.ABOVE, **LONGEST).supervisor.rates("AT", "AT")
    assert shorter.state.ratings[0].combined is Predicate.BAIK

    longer = second(300, Level.ABOVE, **LONGEST).supervisor.rates("AT", "AT")
    assert longer.state.ratings[0].predicate is Predicate.BAIK
    assert longer.state.ratings[0].combined is Predicate.SANGAT_BAIK


def test_an_unrated_segment_does_not_count_and_of_equal_ones_the_later_wins() -> None:
    unrated = second(300, None, **LONGEST).supervisor.rates("AT", "AT")
    assert unrated.state.ratings[0].combined is Predicate.BAIK

    equal = second(214, Level.ABOVE, **LONGEST).supervisor.rates("AT", "AT")
    assert equal.state.ratings[0].combined is Predicate.BAIK


def test_an_appeal_decides_the_combined_result_anew() -> None:
    told = second(151, Level.BELOW, **LONGEST).supervisor.rates("AT", "BELOW")
    told.employee.appeals().person(WAYAN).responds()

    told.person("tim", roles=told.team.actor.roles).reassigns(Seat.DECIDER, BUDI, RINA)
    told.person(BUDI).changes_rating()

    assert told.state.ratings[-1].combined is Predicate.BAIK


def test_the_longest_segment_is_not_chosen_before_all_are_known() -> None:
    told = at_rating(segment=2, served_from_on=date(2026, 11, 1), policy=make_policy(**LONGEST))
    with refused(Reason.NOT_YET_OPEN, segment="1", rule="segments.combine"):
        told.supervisor.rates()

    told.system.gives(RecordSegmentResult(segment=1, days=304))

    assert told.supervisor.rates().stage is Stage.DELIVERY


def test_only_the_system_brings_an_earlier_segment_s_result() -> None:
    told = at_rating(segment=2)
    known = RecordSegmentResult(segment=1, days=100)

    with refused(Reason.NOT_YOUR_TASK):
        told.team.gives(known)
    for wrong in (
        RecordSegmentResult(segment=2, days=100),
        RecordSegmentResult(segment=1, days=100, results=Level.AT),
        RecordSegmentResult(segment=1, days=100, behaviour=Level.AT),
    ):
        with refused(Reason.FIELD_INVALID):
            told.system.gives(wrong)
    assert told.system.gives(known).state.segments[0].predicate is None
