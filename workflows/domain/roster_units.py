"""The rows of an import of units: which may stand, given what is known."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from siklus.workflows.domain.roster import (
    Draft,
    Fields,
    Resting,
    RowFault,
    RowProblem,
    problem,
    settle,
)
from siklus.workflows.domain.roster_people import FINDING, Directory
from siklus.workflows.domain.values import Value

MONDAY_TO_FRIDAY = (1, 2, 3, 4, 5)


class UnitRow(Value):
    """One unit as the agency wrote it."""

    code: str
    name: str
    parent: str = ""
    zone: str
    weekdays: tuple[int, ...] = ()
    approver: str = ""


class Unit(Value):
    """One unit as it stands; no approver means that of the unit above."""

    code: str
    name: str
    parent: str | None = None
    zone: str
    weekdays: tuple[int, ...] = MONDAY_TO_FRIDAY
    approver: str | None = None


UnitDraft = Draft[Unit]


def plan_units(
    rows: Sequence[UnitRow],
    known: Mapping[str, Unit],
    people: Directory | None,
    numbers: Sequence[int] | None = None,
    fallen: Mapping[int, RowProblem] = MappingProxyType({}),
) -> list[UnitDraft]:
    """Return what becomes of each row, in order.

    `known` holds every unit of the agency by code, `people` those whom rows name as approvers;
    without them nobody is looked up and no row has an approver. `numbers` are the rows' own, by
    default from 1; `fallen` are rows that are known to be refused, by number.
    """
    drafts = [
        _read(UnitDraft(place, number), row, known, people)
        for place, (number, row) in enumerate(
            zip(numbers or range(1, len(rows) + 1), rows, strict=True)
        )
    ]
    _refuse_repeated(drafts)
    for draft in drafts:
        if draft.row in fallen:
            draft.problems.append(fallen[draft.row])
    settle(drafts, _Parents(drafts, known))
    return drafts


class _Parents(Resting[Unit]):
    """A unit stands below nothing, or below another that stands, and never below itself."""

    loop = problem("parent", RowFault.PARENT_LOOP, "the units above lead back to this one")

    def __init__(self, drafts: Sequence[UnitDraft], known: Mapping[str, Unit]) -> None:
        accepted = {draft.id: draft.planned for draft in drafts if draft.accepted and draft.planned}
        self._known = known
        self._units = {**known, **accepted}
        self._written = {draft.id for draft in drafts}

    def name(self, draft: UnitDraft) -> str:
        return draft.id

    def find(self, draft: UnitDraft) -> str | RowProblem | None:
        parent = self.above(draft.id)
        if parent is None or parent in self._units:
            return parent
        if parent in self._written:
            return problem("parent", RowFault.ROW_REFUSED, "the row of that unit was refused")
        return problem("parent", RowFault.UNKNOWN_UNIT, "there is no such unit")

    def above(self, name: str) -> str | None:
        unit = self._units.get(name)
        return unit.parent if unit else None

    def take_back(self, draft: UnitDraft) -> None:
        del self._units[draft.id]
        if draft.id in self._known:
            self._units[draft.id] = self._known[draft.id]


def _read(
    draft: UnitDraft, row: UnitRow, known: Mapping[str, Unit], people: Directory | None
) -> UnitDraft:
    fields = Fields(draft)
    code = fields.code("code", row.code)
    if not code:
        draft.refuse("code", RowFault.MISSING, "this is needed")
    approver = people.find(row.approver) if people and row.approver.strip() else None
    if isinstance(approver, RowFault):
        draft.refuse("approver", approver, FINDING[approver])
    unit = Unit(
        code=code,
        name=fields.text("name", row.name, needed=True),
        parent=fields.code("parent", row.parent) or None,
        zone=fields.zone("zone", row.zone),
        weekdays=_weekdays(row.weekdays, draft),
        approver=None if isinstance(approver, RowFault) else approver,
    )
    draft.id, draft.planned, draft.before = code, unit, known.get(code)
    return draft


def _weekdays(written: tuple[int, ...], draft: UnitDraft) -> tuple[int, ...]:
    if any(day not in range(1, 8) for day in written):
        draft.refuse("weekdays", RowFault.INVALID_WEEKDAY, "1 is Monday and 7 Sunday")
    elif len(set(written)) < len(written):
        draft.refuse("weekdays", RowFault.INVALID_WEEKDAY, "name each day once")
    return tuple(sorted(written)) or MONDAY_TO_FRIDAY


def _refuse_repeated(drafts: Sequence[UnitDraft]) -> None:
    """The first row of a code counts, whatever becomes of it."""
    first: dict[str, int] = {}
    for draft in drafts:
        row = first.setdefault(draft.id, draft.row)
        if draft.id and row != draft.row:
            message = f"row {row} has this code already"
            draft.refuse("code", RowFault.REPEATED_ROW, message)
