"""A whole roster at once: units, and the people in them, of whom some approve for the units."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from siklus.workflows.domain.roster import RowProblem
from siklus.workflows.domain.roster_people import (
    Directory,
    PersonDraft,
    PersonRow,
    find_standing,
    plan_people,
)
from siklus.workflows.domain.roster_units import Unit, UnitDraft, UnitRow, plan_units
from siklus.workflows.domain.values import PersonId


@dataclass(frozen=True)
class Rows:
    """The rows of an import, with the numbers that their writer gave them."""

    units: Sequence[UnitRow]
    unit_numbers: Sequence[int]
    people: Sequence[PersonRow]
    person_numbers: Sequence[int]


class AnyUnit(Container[str]):
    """Stands for the units where nobody knows them."""

    def __contains__(self, code: object) -> bool:
        return True


def plan_roster(
    rows: Rows,
    known_units: Mapping[str, Unit],
    known: Directory,
    new_id: Callable[[int], PersonId],
    *,
    units_are_known: bool = True,
) -> tuple[list[UnitDraft], list[PersonDraft]]:
    """Return what becomes of each unit and of each person, in order.

    `known_units` and `known` hold all that the agency has; `new_id` returns for the number of a
    row always the same id. A unit whose approver does not stand is refused, so are the people in
    it, and so may then be another unit: until all that is left stands.
    """
    fallen: dict[int, RowProblem] = {}
    while True:
        units = plan_units(rows.units, known_units, None, rows.unit_numbers, fallen)
        codes = codes_standing(units, known_units) if units_are_known else AnyUnit()
        people = plan_people(rows.people, known, codes, new_id, rows.person_numbers)
        accepted = [each.planned for each in people if each.accepted and each.planned]
        everybody = Directory([*known.by_id.values(), *accepted])
        written = Directory(each.planned for each in people if each.planned)
        more = give_approvers(units, rows.units, everybody, written)
        if not more:
            return units, people
        fallen |= more


def codes_standing(drafts: Sequence[UnitDraft], known: Mapping[str, Unit]) -> set[str]:
    """Return the codes of all units that there are once the accepted rows are applied."""
    return {*known, *(draft.id for draft in drafts if draft.accepted)}


def give_approvers(
    drafts: Sequence[UnitDraft], rows: Sequence[UnitRow], everybody: Directory, written: Directory
) -> dict[int, RowProblem]:
    """Put the approvers into the rows that name them; return the rows that fall by it, by number.

    A row that is refused already gets the problem, and nothing else falls by that.
    """
    fallen: dict[int, RowProblem] = {}
    for draft, row in zip(drafts, rows, strict=True):
        if not row.approver.strip() or draft.planned is None:
            continue
        found = find_standing("approver", row.approver, everybody, written)
        if not isinstance(found, RowProblem):
            draft.planned = draft.planned.model_copy(update={"approver": found})
        elif draft.accepted:
            fallen[draft.row] = found
        elif found not in draft.problems:
            draft.problems.append(found)
    return fallen
