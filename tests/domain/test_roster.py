"""Which rows of a roster stand, and what is told of those that do not."""

import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest

from siklus.workflows.domain.roster import Draft, Outcome, to_write
from siklus.workflows.domain.roster_people import (
    Directory,
    Person,
    PersonDraft,
    PersonRow,
    plan_people,
)
from siklus.workflows.domain.roster_units import Unit, UnitDraft, UnitRow, plan_units
from siklus.workflows.domain.values import PersonId

SITI, BUDI, DEWI = "198609262015051001", "199009132025242014", "197501012000031002"
PUSAT = Unit(code="pusat", name="Pusat", zone="Asia/Makassar")


def unit(code: str, **fields: Any) -> UnitRow:
    return UnitRow(**{"code": code, "name": code.title(), "zone": "Asia/Makassar", **fields})


def units(rows: Sequence[UnitRow], known: Sequence[Unit] = ()) -> list[UnitDraft]:
    return plan_units(rows, {each.code: each for each in known}, Directory([]))


def person(nip: str, supervisor: str = "TOP", **fields: Any) -> PersonRow:
    return PersonRow(
        **{"nip": nip, "name": "Siti", "unit": "pusat", "supervisor": supervisor, **fields}
    )


def known(nip: str, person: str, supervisor: str | None = None, **fields: Any) -> Person:
    about: dict[str, Any] = {
        "person": person,
        "nip": nip,
        "name": "Siti",
        "email": "",
        "unit": "pusat",
        "position": "",
        "supervisor": supervisor,
        "top": supervisor is None,
        "language": "id",
        "joined_on": None,
        "ref": None,
    }
    return Person(**{**about, **fields})


def people(rows: Sequence[PersonRow], everybody: Sequence[Person] = ()) -> list[PersonDraft]:
    numbers = count(1)
    return plan_people(
        rows, Directory(everybody), {"pusat"}, lambda row: PersonId(f"new-{next(numbers)}")
    )


def told(draft: Draft[Any]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in draft.problems]


def test_a_parent_may_stand_before_or_after_its_children() -> None:
    drafts = units([unit("a", parent="b"), unit("b"), unit("c", parent="b")])

    assert [draft.outcome for draft in drafts] == [Outcome.CREATED] * 3
    assert [each.parent for each in to_write(drafts)] == ["b", None, "b"]


def test_what_was_known_already_changes_nothing() -> None:
    rows = [unit("pusat"), unit("pusat-2", name="Lain")]

    drafts = units(rows, [PUSAT])

    assert [draft.outcome for draft in drafts] == [Outcome.UNCHANGED, Outcome.CREATED]
    assert units([unit("pusat", zone="Asia/Jayapura")], [PUSAT])[0].outcome is Outcome.CHANGED


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (unit("", name="A"), ("code", "MISSING")),
        (unit("Dinas Kota"), ("code", "INVALID_CODE")),
        (unit("-a"), ("code", "INVALID_CODE")),
        (unit("a" * 64), ("code", "INVALID_CODE")),
        (unit("a", name="  "), ("name", "MISSING")),
        (unit("a", name="x" * 201), ("name", "TOO_LONG")),
        (unit("a", name="a\x00b"), ("name", "INVALID_TEXT")),
        (unit("a", zone=""), ("zone", "MISSING")),
        (unit("a", zone="WIB"), ("zone", "UNKNOWN_ZONE")),
        (unit("a", zone="EST"), ("zone", "UNKNOWN_ZONE")),
        (unit("a", zone="asia/jakarta"), ("zone", "UNKNOWN_ZONE")),
        (unit("a", zone="../../etc/passwd"), ("zone", "UNKNOWN_ZONE")),
        (unit("a", weekdays=(0,)), ("weekdays", "INVALID_WEEKDAY")),
        (unit("a", weekdays=(1, 8)), ("weekdays", "INVALID_WEEKDAY")),
        (unit("a", weekdays=(1, 1)), ("weekdays", "INVALID_WEEKDAY")),
        (unit("a", parent="b"), ("parent", "UNKNOWN_UNIT")),
        (unit("a", parent="a"), ("parent", "PARENT_LOOP")),
        (unit("a", parent="B"), ("parent", "INVALID_CODE")),
        (unit("a", approver="p-1"), ("approver", "UNKNOWN_PERSON")),
    ],
)
def test_a_bad_unit_is_refused_and_the_rest_stands(row: UnitRow, problem: tuple[str, str]) -> None:
    bad, good = units([row, unit("good")])

    assert told(bad) == [problem]
    assert good.outcome is Outcome.CREATED


def test_units_in_a_ring_are_refused_with_all_below_them() -> None:
    rows = [unit("a", parent="b"), unit("b", parent="a"), unit("c", parent="b"), unit("d")]

    drafts = units(rows)

    assert [told(draft) for draft in drafts] == [
        [("parent", "PARENT_LOOP")],
        [("parent", "PARENT_LOOP")],
        [("parent", "ROW_REFUSED")],
        [],
    ]


def test_a_known_unit_cannot_be_hung_below_its_own_child() -> None:
    child = Unit(code="a", name="A", zone="Asia/Makassar", parent="pusat")

    (draft,) = units([unit("pusat", parent="a")], [PUSAT, child])

    assert told(draft) == [("parent", "PARENT_LOOP")]


def test_a_refused_row_of_a_known_unit_leaves_those_below_it_alone() -> None:
    bad, below = units([unit("pusat", zone="x"), unit("a", parent="pusat")], [PUSAT])

    assert told(bad) == [("zone", "UNKNOWN_ZONE")]
    assert below.outcome is Outcome.CREATED


def test_one_code_twice_counts_once() -> None:
    first, second = units([unit("a"), unit("a", name="Lain")])

    assert first.outcome is Outcome.CREATED
    assert told(second) == [("code", "REPEATED_ROW")]


def test_a_supervisor_may_stand_before_or_after() -> None:
    rows = [person(SITI, BUDI), person(BUDI, " TOP "), person(DEWI, "199009132025 242014")]

    drafts = people(rows)

    assert [draft.outcome for draft in drafts] == [Outcome.CREATED] * 3
    siti, budi, dewi = to_write(drafts)
    assert siti.supervisor == dewi.supervisor == budi.person
    assert (budi.top, siti.top) == (True, False)


def test_a_supervisor_is_found_by_every_key() -> None:
    boss = known(BUDI, "boss", ref="R-1")

    for key in (BUDI, "boss", "R-1"):
        (draft,) = people([person(SITI, key)], [boss])
        assert draft.planned is not None
        assert draft.planned.supervisor == "boss"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (person(""), ("nip", "MISSING")),
        (person("198602302015051001"), ("nip", "NO_SUCH_BIRTH_DATE")),
        (person("12345"), ("nip", "WRONG_LENGTH")),
        (person("19860926201505100x"), ("nip", "NOT_DIGITS")),
        (person(SITI, name=""), ("name", "MISSING")),
        (person(SITI, name="a\x1bb"), ("name", "INVALID_TEXT")),
        (person(SITI, name="x" * 201), ("name", "TOO_LONG")),
        (person(SITI, unit=""), ("unit", "MISSING")),
        (person(SITI, unit="cabang"), ("unit", "UNKNOWN_UNIT")),
        (person(SITI, email="siti"), ("email", "INVALID_EMAIL")),
        (person(SITI, email="siti@kota"), ("email", "INVALID_EMAIL")),
        (person(SITI, email="a@b.id\nBcc: c@d.id"), ("email", "INVALID_EMAIL")),
        (person(SITI, email="a@b.id, c@d.id"), ("email", "INVALID_EMAIL")),
        (person(SITI, language="jv"), ("language", "INVALID_LANGUAGE")),
        (person(SITI, joined_on="2026-02-30"), ("joined_on", "INVALID_DATE")),
        (person(SITI, joined_on="01-02-2026"), ("joined_on", "INVALID_DATE")),
        (person(SITI, joined_on="0001-01-01"), ("joined_on", "INVALID_DATE")),
        (person(SITI, person_id="P 1"), ("person_id", "INVALID_ID")),
        (person(SITI, ref="TOP"), ("ref", "INVALID_TEXT")),
        (person(SITI, ""), ("supervisor", "MISSING")),
        (person(SITI, DEWI), ("supervisor", "UNKNOWN_PERSON")),
        (person(SITI, SITI), ("supervisor", "SUPERVISOR_LOOP")),
    ],
)
def test_a_bad_person_is_refused_and_the_rest_stands(
    row: PersonRow, problem: tuple[str, str]
) -> None:
    bad, good = people([row, person(BUDI)])

    assert told(bad) == [problem]
    assert good.outcome is Outcome.CREATED


def test_no_problem_repeats_a_nip() -> None:
    drafts = people([person(SITI, DEWI), person(SITI), person("198602302015051001", BUDI)])

    shown = " ".join(str(problem) for draft in drafts for problem in draft.problems)
    assert not any(nip in shown for nip in (SITI, BUDI, DEWI, "198602302015051001"))


def test_who_depends_on_a_refused_row_is_refused_with_that_reason() -> None:
    rows = [person(SITI, BUDI), person(BUDI, DEWI), person(DEWI, unit="cabang")]

    drafts = people(rows)

    assert [told(draft) for draft in drafts] == [
        [("supervisor", "ROW_REFUSED")],
        [("supervisor", "ROW_REFUSED")],
        [("unit", "UNKNOWN_UNIT")],
    ]


def test_a_line_of_superiors_never_closes_through_what_is_known() -> None:
    boss, middle = known(BUDI, "boss"), known(DEWI, "middle", "boss")

    (draft,) = people([person(BUDI, "middle")], [boss, middle])

    assert told(draft) == [("supervisor", "SUPERVISOR_LOOP")]


def test_one_key_of_two_people_leads_to_neither() -> None:
    boss, other = known(BUDI, "boss", ref="middle"), known(DEWI, "middle")

    (draft,) = people([person(SITI, "middle")], [boss, other])

    assert told(draft) == [("supervisor", "AMBIGUOUS_PERSON")]


def test_a_number_changes_when_the_ref_says_who_it_is() -> None:
    before = known(BUDI, "p-1", ref="R-1")

    (draft,) = people([person(DEWI, ref="R-1")], [before])

    assert (draft.outcome, draft.id) == (Outcome.CHANGED, "p-1")
    assert draft.planned is not None
    assert draft.planned.nip == DEWI


def test_an_empty_ref_forgets_none() -> None:
    (draft,) = people([person(BUDI)], [known(BUDI, "p-1", ref="R-1")])

    assert draft.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (person(SITI, person_id="p-1"), ("person_id", "ANOTHER_PERSON")),
        (person(BUDI, person_id="p-9"), ("person_id", "ANOTHER_PERSON")),
        (person(DEWI, ref="R-1"), ("nip", "ANOTHER_PERSON")),
        (person(DEWI, person_id="p-2", ref="R-1"), ("ref", "ANOTHER_PERSON")),
    ],
)
def test_keys_of_two_people_are_refused(row: PersonRow, problem: tuple[str, str]) -> None:
    (draft,) = people([row], [known(BUDI, "p-1", ref="R-1"), known(DEWI, "p-2")])

    assert told(draft) == [problem]


@pytest.mark.parametrize(
    ("second", "field"),
    [
        (person(SITI), "nip"),
        (person(BUDI, ref="R-1"), "ref"),
        (person(BUDI, person_id="p-1"), "person_id"),
    ],
)
def test_one_person_twice_counts_once(second: PersonRow, field: str) -> None:
    first = person(SITI, ref="R-1", person_id="p-1")

    drafts = people([first, second])

    assert drafts[0].outcome is Outcome.CREATED
    assert told(drafts[1]) == [(field, "REPEATED_ROW")]


def test_blanks_of_every_kind_do_not_count() -> None:
    (draft,) = people([person(f"{SITI[:8]} {SITI[8:]}", name=" Siti\u00a0 Rahma\n")])

    assert draft.planned is not None
    assert (draft.planned.nip, draft.planned.name) == (SITI, "Siti Rahma")


def nips(count: int) -> list[str]:
    """So many numbers of different people."""
    return [f"19700101200001{1 + number // 999}{1 + number % 999:03}" for number in range(count)]


SOON = 1.0
"""Seconds for a full import; what happens to one row must not be worked out again for each."""


def test_a_long_line_below_a_refused_row_is_refused_soon() -> None:
    numbers = nips(1_000)
    above = [*numbers[1:], "TOP"]
    rows = [person(nip, boss) for nip, boss in zip(numbers, above, strict=True)]
    rows[-1] = person(numbers[-1], unit="cabang")

    started = time.process_time()
    drafts = people(rows)
    took = time.process_time() - started

    assert {told(draft)[0] for draft in drafts[:-1]} == {("supervisor", "ROW_REFUSED")}
    assert told(drafts[-1]) == [("unit", "UNKNOWN_UNIT")]
    assert took < SOON


def test_a_long_line_is_judged_soon_whatever_its_order() -> None:
    numbers = nips(1_000)
    rows = [person(nip, boss) for nip, boss in zip(numbers, ["TOP", *numbers], strict=False)]

    started = time.process_time()
    drafts = [*people(rows), *people(rows[::-1])]
    took = time.process_time() - started

    assert all(draft.accepted for draft in drafts)
    assert took < 2 * SOON


def test_a_long_ring_is_refused_soon_with_all_below_it() -> None:
    numbers = nips(1_000)
    ring = [
        person(nip, boss) for nip, boss in zip(numbers, [*numbers[1:500], numbers[0]], strict=False)
    ]
    below = [person(nip, boss) for nip, boss in zip(numbers[500:], numbers[499:], strict=False)]

    started = time.process_time()
    drafts = people([*ring, *below])
    took = time.process_time() - started

    assert [told(draft) for draft in drafts[:500]] == [[("supervisor", "SUPERVISOR_LOOP")]] * 500
    assert [told(draft) for draft in drafts[500:]] == [[("supervisor", "ROW_REFUSED")]] * 500
    assert took < SOON


def test_long_lines_of_units_are_judged_soon() -> None:
    codes = [f"u{number}" for number in range(1_000)]
    line = [unit(code, parent=above) for code, above in zip(codes, ["", *codes], strict=False)]
    broken = [unit("u0", zone="x"), *line[1:]]
    ring = [unit("u0", parent="u999"), *line[1:]]

    started = time.process_time()
    stood, refused, looped = units(line), units(broken[::-1]), units(ring)
    took = time.process_time() - started

    assert all(draft.accepted for draft in stood)
    assert [told(draft) for draft in refused[:-1]] == [[("parent", "ROW_REFUSED")]] * 999
    assert [told(draft) for draft in looped] == [[("parent", "PARENT_LOOP")]] * 1_000
    assert took < 2 * SOON


def test_who_is_known_keeps_a_refused_row_from_closing_a_ring() -> None:
    """A refused row changes nothing, so those below it stand under whom is known."""
    boss, middle = known(BUDI, "boss"), known(DEWI, "middle", "boss")
    rows = [person(BUDI, "middle", unit="cabang"), person(SITI, "middle")]

    bad, below = people(rows, [boss, middle])

    assert told(bad) == [("unit", "UNKNOWN_UNIT")]
    assert below.outcome is Outcome.CREATED


def test_a_ring_that_a_refusal_breaks_is_none() -> None:
    boss, middle = known(BUDI, "boss"), known(DEWI, "middle", "boss")
    rows = [person(BUDI, "middle"), person(DEWI, "nobody")]

    drafts = people(rows, [boss, middle])

    assert told(drafts[1]) == [("supervisor", "UNKNOWN_PERSON")]
    assert told(drafts[0]) == [("supervisor", "SUPERVISOR_LOOP")]


@pytest.mark.parametrize("written", [SITI, BUDI, "198602302015051001", "1" * 18])
def test_a_person_id_is_no_nip(written: str) -> None:
    """Ids stand in names and logs, where no NIP may be."""
    (draft,) = people([person(SITI, person_id=written)])

    assert told(draft) == [("person_id", "INVALID_ID")]
    assert written not in draft.problems[0].message
    assert draft.id == ""
