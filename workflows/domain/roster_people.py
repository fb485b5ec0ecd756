"""The rows of an import of people: whom each is about, and which may stand."""

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date
from typing import Self, TypeVar

from pydantic import Field

from siklus.workflows.domain.identity import InvalidNip, parse_nip
from siklus.workflows.domain.roster import (
    Draft,
    Fields,
    Resting,
    RowFault,
    RowProblem,
    problem,
    settle,
)
from siklus.workflows.domain.values import PersonId, Value

TOP = "TOP"
"""Written in place of a supervisor: the person stands at the top of a line."""
LANGUAGES = ("id", "en")
_LIKE_A_NIP = re.compile(r"([0-9][ -]*){18}")
FINDING = {
    RowFault.UNKNOWN_PERSON: "nobody has this NIP, person id or ref",
    RowFault.AMBIGUOUS_PERSON: "this is one person's key and another's: write another key",
    RowFault.INACTIVE_PERSON: "this person works there no more",
}
"""Why a key leads to nobody."""
SUPERVISOR_LOOP = problem(
    "supervisor", RowFault.SUPERVISOR_LOOP, "the line of superiors leads back to this person"
)


class PersonRow(Value):
    """One person as the agency wrote it."""

    nip: str = Field(repr=False)
    name: str = Field(repr=False)
    email: str = Field(default="", repr=False)
    unit: str
    position: str = ""
    supervisor: str = Field(repr=False)
    language: str = ""
    joined_on: str = ""
    ref: str = ""
    person_id: str = ""


class Person(Value):
    """One person as the roster has them; `supervisor` is None at the top of a line alone."""

    person: PersonId
    nip: str = Field(repr=False)
    name: str = Field(repr=False)
    email: str = Field(repr=False)
    unit: str
    position: str
    supervisor: PersonId | None
    top: bool
    language: str
    joined_on: date | None
    ref: str | None
    active: bool = True


PersonDraft = Draft[Person]
Key = TypeVar("Key", bound=str)
Shown = TypeVar("Shown")


class Directory:
    """People by each of their keys; of several about one person, the last counts."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.by_id: dict[PersonId, Person] = {}
        self.by_nip: dict[str, PersonId] = {}
        self.by_ref: dict[str, PersonId] = {}
        for person in people:
            self.by_id[person.person] = person
            self.by_nip[person.nip] = person.person
            if person.ref:
                self.by_ref[person.ref] = person.person

    def find(self, written: str) -> PersonId | RowFault:
        """Return the one active person whose NIP, id or ref it is, or why there is none."""
        key = " ".join(written.split())
        found = {self.by_nip.get(key.replace(" ", "")), self.by_ref.get(key)}
        if PersonId(key) in self.by_id:
            found.add(PersonId(key))
        people = [person for person in found if person is not None]
        if len(people) != 1:
            return RowFault.AMBIGUOUS_PERSON if people else RowFault.UNKNOWN_PERSON
        active = self.by_id[people[0]].active
        return people[0] if active else RowFault.INACTIVE_PERSON

    def put_back(self, person: Person, before: Self) -> None:
        """Show somebody as they are in another directory, in place of this."""
        _put_back(self.by_id, person.person, before.by_id)
        _put_back(self.by_nip, person.nip, before.by_nip)
        if person.ref:
            _put_back(self.by_ref, person.ref, before.by_ref)

    def superior(self, person: PersonId) -> PersonId | None:
        """Return who supervises somebody, None at the top and beyond what is known."""
        known = self.by_id.get(person)
        return known.supervisor if known else None


def _put_back(shown: dict[Key, Shown], key: Key, before: Mapping[Key, Shown]) -> None:
    del shown[key]
    if key in before:
        shown[key] = before[key]


def plan_people(
    rows: Sequence[PersonRow],
    known: Directory,
    units: Container[str],
    new_id: Callable[[int], PersonId],
    numbers: Sequence[int] | None = None,
) -> list[PersonDraft]:
    """Return what becomes of each row, in order.

    `known` holds everybody whom a row names by any key and all their superiors; `units` the codes
    of the agency's units. A supervisor may stand in any row. `numbers` are the rows' own, by
    default from 1.
    """
    drafts = read_people(rows, known, units, new_id, numbers or range(1, len(rows) + 1))
    refuse_repeated(drafts, {})
    settle(drafts, _Supervisors(drafts, rows, known))
    return drafts


def read_people(
    rows: Sequence[PersonRow],
    known: Directory,
    units: Container[str],
    new_id: Callable[[int], PersonId],
    numbers: Sequence[int],
) -> list[PersonDraft]:
    """Return what each row says for itself; nobody is put under anybody yet.

    `known` holds everybody whom a row names as the one that it is about.
    """
    return [
        _read(PersonDraft(place, number), row, known, units, new_id)
        for place, (number, row) in enumerate(zip(numbers, rows, strict=True))
    ]


def find_standing(
    field: str, named: str, everybody: Directory, written: Directory
) -> PersonId | RowProblem:
    """Return whom a field of a row names, or why nobody.

    `everybody` shows all as they stand while the accepted rows are thought to be applied;
    `written` all that rows speak of, refused ones too.
    """
    found = everybody.find(named)
    if found is RowFault.UNKNOWN_PERSON and not isinstance(written.find(named), RowFault):
        return problem(field, RowFault.ROW_REFUSED, "the row of that person was refused")
    return problem(field, found, FINDING[found]) if isinstance(found, RowFault) else found


class _Supervisors(Resting[Person]):
    """Under whom everybody stands; puts the supervisors that it finds into the rows."""

    loop = SUPERVISOR_LOOP

    def __init__(
        self, drafts: Sequence[PersonDraft], rows: Sequence[PersonRow], known: Directory
    ) -> None:
        accepted = [draft.planned for draft in drafts if draft.accepted and draft.planned]
        self._rows = rows
        self._known = Directory(known.by_id.values())
        self._everybody = Directory([*known.by_id.values(), *accepted])
        self._written = Directory(draft.planned for draft in drafts if draft.planned)

    def name(self, draft: PersonDraft) -> str:
        return _planned(draft).person

    def find(self, draft: PersonDraft) -> str | RowProblem | None:
        planned, named = _planned(draft), self._rows[draft.number].supervisor
        if planned.top:
            return None
        found = find_standing("supervisor", named, self._everybody, self._written)
        if isinstance(found, RowProblem):
            return found
        if planned.supervisor != found:
            draft.planned = planned.model_copy(update={"supervisor": found})
            self._everybody.by_id[planned.person] = draft.planned
        return found

    def above(self, name: str) -> str | None:
        return self._everybody.superior(PersonId(name))

    def take_back(self, draft: PersonDraft) -> None:
        self._everybody.put_back(_planned(draft), self._known)


def _planned(draft: PersonDraft) -> Person:
    if draft.planned is None:
        raise AssertionError("a row that was read plans a person")
    return draft.planned


def _read(
    draft: PersonDraft,
    row: PersonRow,
    known: Directory,
    units: Container[str],
    new_id: Callable[[int], PersonId],
) -> PersonDraft:
    fields = Fields(draft)
    nip = _nip(row.nip, draft)
    ref = fields.text("ref", row.ref)
    given = _given(row.person_id, draft)
    before = _before(draft, known, nip, ref, given)
    if ref == TOP:
        draft.refuse("ref", RowFault.INVALID_TEXT, "TOP marks the top of a line")
    supervisor = fields.text("supervisor", row.supervisor)
    if not supervisor:
        message = "write the NIP, person id or ref of the supervisor, or TOP"
        draft.refuse("supervisor", RowFault.MISSING, message)
    draft.before = before
    draft.id = before.person if before else given
    draft.planned = Person(
        person=PersonId(draft.id or new_id(draft.row)),
        nip=nip,
        name=fields.text("name", row.name, needed=True),
        email=fields.email("email", row.email),
        unit=_unit(row.unit, units, draft),
        position=fields.text("position", row.position),
        supervisor=None,
        top=supervisor == TOP,
        language=_language(row.language, draft),
        joined_on=fields.day("joined_on", row.joined_on),
        ref=ref or (before.ref if before else None),
    )
    return draft


def _given(written: str, draft: PersonDraft) -> PersonId:
    """Return the id that the agency wrote, empty for none."""
    if _LIKE_A_NIP.fullmatch(written.strip()):
        message = "this is a NIP; ids stand in addresses and logs: write another, or none"
        draft.refuse("person_id", RowFault.INVALID_ID, message)
        return PersonId("")
    return PersonId(Fields(draft).id("person_id", written))


def _nip(written: str, draft: PersonDraft) -> str:
    if not written.strip():
        draft.refuse("nip", RowFault.MISSING, "this is needed")
        return ""
    try:
        return parse_nip(written).number
    except InvalidNip as fault:
        draft.refuse("nip", fault.reason, fault.message)
        return ""


def _before(
    draft: PersonDraft, known: Directory, nip: str, ref: str, given: PersonId
) -> Person | None:
    """Return whom the row is about as known so far; keys of two people refuse it.

    A new NIP needs the agency's own key beside it: an id alone may be a slip of the pen.
    """
    by_ref, by_nip = known.by_ref.get(ref), known.by_nip.get(nip)
    about = (given if given in known.by_id else None) or by_ref or by_nip
    if about is None:
        return None
    before = known.by_id[about]
    if given and given != about:
        message = "this person has another person id, which never changes"
        draft.refuse("person_id", RowFault.ANOTHER_PERSON, message)
    if by_ref not in (None, about):
        draft.refuse("ref", RowFault.ANOTHER_PERSON, "this is the ref of another person")
    if by_nip not in (None, about):
        draft.refuse("nip", RowFault.ANOTHER_PERSON, "this is the number of another person")
    elif nip and nip != before.nip and by_ref != about:
        message = "this is the id of a person with another number; give their ref to change it"
        draft.refuse("person_id", RowFault.ANOTHER_PERSON, message)
    elif not before.active:
        # A sheet that is out of date must not put anybody back to work: a return is an act, dated
        # and with a reason.
        message = f"works there no more; `siklus roster return {about}` first, then import the row"
        draft.refuse("nip", RowFault.INACTIVE_PERSON, message)
    return before


def _unit(written: str, units: Container[str], draft: PersonDraft) -> str:
    code = written.strip()
    if not code:
        draft.refuse("unit", RowFault.MISSING, "this is needed")
    elif code not in units:
        draft.refuse("unit", RowFault.UNKNOWN_UNIT, "there is no such unit")
    return code


def _language(written: str, draft: PersonDraft) -> str:
    code = written.strip().lower() or LANGUAGES[0]
    if code not in LANGUAGES:
        draft.refuse("language", RowFault.INVALID_LANGUAGE, "write id or en")
    return code


def keys_of(draft: PersonDraft) -> dict[str, str]:
    """Return by which keys a row is about somebody; one that mixes two people up is about nobody.

    A key that is empty is none.
    """
    planned = draft.planned
    if planned is None or any(p.code == RowFault.ANOTHER_PERSON for p in draft.problems):
        return {}
    return {"nip": planned.nip, "ref": planned.ref or "", "person_id": planned.person}


def refuse_repeated(drafts: Iterable[PersonDraft], first: dict[tuple[str, str], int]) -> None:
    """Refuse what speaks again of somebody: the first row about a person counts.

    `first` holds the keys of earlier rows with the numbers of these, and then those of the drafts.
    """
    for draft in drafts:
        for name, key in keys_of(draft).items():
            row = first.setdefault((name, key), draft.row) if key else draft.row
            if row != draft.row:
                message = f"row {row} is about this person already"
                draft.refuse(name, RowFault.REPEATED_ROW, message)
                break
