"""Which mandates a roster may hold, and how one ends: no loop on any day, no chain too long."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siklus.workflows.domain.commands import Mandate
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.mandates import (
    LENDABLE,
    LONGEST,
    MOST_LINKS,
    last_day,
    must_fit_the_others,
    must_hold_by_itself,
    must_name_people,
)
from siklus.workflows.domain.values import PersonId
from tests.domain.story import AGUS, BUDI, RINA, WAYAN, refused
from tests.domain.test_mandates import make_mandate

TODAY = date(2026, 1, 10)
DAY = timedelta(days=1)
PEOPLE = [PersonId(f"p{number}") for number in range(9)]


def on_days(first: int, last: int) -> dict[str, date]:
    """Return days of the mandate, counted from the first of January."""
    return {"from_on": date(2026, 1, 1) + first * DAY, "to_on": date(2026, 1, 1) + last * DAY}


@st.composite
def rosters(draw: st.DrawFn) -> list[Mandate]:
    """Return mandates as a team enters them: few people, days that overlap and days that do not."""
    made = []
    for number in range(draw(st.integers(1, 24))):
        principal, delegate = draw(st.permutations(PEOPLE))[:2]
        first = draw(st.integers(0, 8))
        days = on_days(first, first + draw(st.integers(0, 6)))
        made.append(make_mandate(principal, delegate, id=f"m{number}", **days))
    return made


def fits(new: Mandate, others: Sequence[Mandate]) -> bool:
    try:
        must_fit_the_others(new, others)
    except Refusal:
        return False
    return True


def longest(mandates: Iterable[Mandate], day: date) -> int:
    """Count the links of the longest walk on a day, the plain way; a loop walks for ever."""
    valid = [each for each in mandates if each.from_on <= day <= each.to_on]
    ends, links = {each.principal for each in valid}, int(bool(valid))
    while ends and links <= len(PEOPLE):
        ends = {each.principal for each in valid if each.delegate in ends}
        links += bool(ends)
    return links


@settings(max_examples=150, deadline=None)
@given(rosters())
def test_whatever_is_entered_no_day_has_a_loop_or_a_chain_too_long(wanted: list[Mandate]) -> None:
    entered: list[Mandate] = []
    for new in wanted:
        days = [new.from_on + n * DAY for n in range((new.to_on - new.from_on).days + 1)]
        holds = all(longest([*entered, new], day) <= MOST_LINKS for day in days)
        # Refused exactly where the plain count over every single day would refuse it.
        assert fits(new, entered) == holds
        if holds:
            entered.append(new)


def test_a_loop_is_refused_on_the_days_that_overlap_and_on_no_others() -> None:
    there = make_mandate(BUDI, WAYAN, **on_days(0, 9))

    with refused(Reason.FIELD_INVALID) as caught:
        must_fit_the_others(make_mandate(WAYAN, BUDI, **on_days(9, 20)), [there])
    assert set(caught.value.fields) == {"principal"}
    assert "loop" in caught.value.message
    assert "2026-01-10" in caught.value.message

    must_fit_the_others(make_mandate(WAYAN, BUDI, **on_days(10, 20)), [there])


def test_a_long_loop_is_a_loop_too() -> None:
    line = [make_mandate(RINA, BUDI), make_mandate(AGUS, RINA)]

    with refused(Reason.FIELD_INVALID) as caught:
        must_fit_the_others(make_mandate(BUDI, AGUS), line)

    assert "loop" in caught.value.message


def test_a_chain_is_bounded_wherever_the_new_link_goes() -> None:
    line = [make_mandate(PEOPLE[n], PEOPLE[n + 1]) for n in range(MOST_LINKS)]

    for missing in line:
        must_fit_the_others(missing, [each for each in line if each is not missing])
    for further in (make_mandate(PEOPLE[5], PEOPLE[6]), make_mandate(PEOPLE[7], PEOPLE[0])):
        with refused(Reason.FIELD_INVALID) as caught:
            must_fit_the_others(further, line)
        assert "5 links" in caught.value.message


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"delegate": BUDI}, "delegate", "themselves"),
        ({"to_on": date(2025, 12, 31)}, "to_on", "before from_on"),
        ({"to_on": date(2026, 1, 9)}, "to_on", "passed"),
        ({"to_on": date(2026, 1, 1) + LONGEST}, "to_on", "366 days"),
        (
            {"from_on": TODAY + LONGEST, "to_on": TODAY + LONGEST},
            "from_on",
            "ahead",
        ),
        ({"scope": ("approve_plan", "submit_plan")}, "scope[1]", "cannot be lent"),
        ({"scope": ("reassign",)}, "scope[0]", "cannot be lent"),
        ({"scope": ("menyetujui",)}, "scope[0]", "is no command"),
    ],
)
def test_what_no_letter_can_say_is_refused_by_its_field(
    changes: dict[str, object], field: str, why: str
) -> None:
    fields = {"delegate": WAYAN, **changes}
    delegate = PersonId(str(fields.pop("delegate")))

    with refused(Reason.FIELD_INVALID) as caught:
        must_hold_by_itself(make_mandate(BUDI, delegate, **fields), today=TODAY, by=AGUS)

    assert set(caught.value.fields) == {field}
    assert why in caught.value.message


def test_a_mandate_may_begin_in_the_past_and_end_today() -> None:
    mandate = make_mandate(BUDI, WAYAN, to_on=TODAY, scope=tuple(sorted(LENDABLE)))

    must_hold_by_itself(mandate, today=TODAY, by=AGUS)
    must_hold_by_itself(mandate, today=TODAY, by=BUDI)
    longest = make_mandate(BUDI, WAYAN, from_on=TODAY, to_on=TODAY + LONGEST - DAY)
    must_hold_by_itself(longest, today=TODAY, by=None)


def test_nobody_enters_their_own_mandate() -> None:
    with refused(Reason.SEPARATION_OF_DUTIES):
        must_hold_by_itself(make_mandate(BUDI, WAYAN), today=TODAY, by=WAYAN)


def test_the_principal_may_be_gone_and_the_delegate_must_work_there() -> None:
    mandate = make_mandate(BUDI, WAYAN)

    must_name_people(mandate, {BUDI: False, WAYAN: True})
    for active, field in (
        ({WAYAN: True}, "principal"),
        ({BUDI: True}, "delegate"),
        ({BUDI: True, WAYAN: False}, "delegate"),
    ):
        with refused(Reason.FIELD_INVALID) as caught:
            must_name_people(mandate, active)
        assert set(caught.value.fields) == {field}


def test_a_mandate_ends_today_at_the_earliest_and_never_later_than_it_would() -> None:
    mandate = make_mandate(BUDI, WAYAN, to_on=date(2026, 1, 20))

    assert last_day(mandate, ends_on=TODAY, today=TODAY) == TODAY - DAY
    assert last_day(mandate, ends_on=date(2026, 1, 20), today=TODAY) == date(2026, 1, 19)
    for day in (TODAY - DAY, date(2026, 1, 21)):
        with refused(Reason.FIELD_INVALID) as caught:
            last_day(mandate, ends_on=day, today=TODAY)
        assert set(caught.value.fields) == {"ends_on"}
