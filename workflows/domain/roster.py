"""Rows of a roster: what each may become, what can be wrong with it, and how its fields are read.

One bad row never stops the rest; `roster_units` and `roster_people` hold the rules of their rows.
"""

import abc
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Generic, TypeVar
from zoneinfo import available_timezones

from siklus.workflows.domain.values import Value

Planned = TypeVar("Planned")
Name = TypeVar("Name", bound=Hashable)

LONGEST_NAME = 200
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_EMAIL = re.compile(r"[^@\s<>,;:\"\\()\[\]]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS = range(1900, 2101)


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


class RowFault(StrEnum):
    """What can be wrong with a row besides its NIP; the names are part of the contract."""

    # One field
    MISSING = "MISSING"
    TOO_LONG = "TOO_LONG"
    INVALID_TEXT = "INVALID_TEXT"
    INVALID_CODE = "INVALID_CODE"
    INVALID_ID = "INVALID_ID"
    INVALID_EMAIL = "INVALID_EMAIL"
    INVALID_LANGUAGE = "INVALID_LANGUAGE"
    INVALID_DATE = "INVALID_DATE"
    INVALID_WEEKDAY = "INVALID_WEEKDAY"
    UNKNOWN_ZONE = "UNKNOWN_ZONE"
    # A row and what it names
    UNKNOWN_UNIT = "UNKNOWN_UNIT"
    UNKNOWN_PERSON = "UNKNOWN_PERSON"
    AMBIGUOUS_PERSON = "AMBIGUOUS_PERSON"
    INACTIVE_PERSON = "INACTIVE_PERSON"
    ROW_REFUSED = "ROW_REFUSED"
    # Rows together, and with what is known
    REPEATED_ROW = "REPEATED_ROW"
    ANOTHER_PERSON = "ANOTHER_PERSON"
    PARENT_LOOP = "PARENT_LOOP"
    SUPERVISOR_LOOP = "SUPERVISOR_LOOP"


class RowProblem(Value):
    """One thing wrong in a row; `message` never repeats a NIP."""

    field: str
    code: str
    message: str


@dataclass(slots=True)
class Draft(Generic[Planned]):
    """A row on its way: its problems so far, and what it would make if there were none."""

    number: int
    """Its place among the rows that are planned together, from 0."""
    row: int
    """Its number as its writer counts."""
    id: str = ""
    problems: list[RowProblem] = field(default_factory=list)
    planned: Planned | None = None
    before: Planned | None = None

    def refuse(self, where: str, code: str, message: str) -> None:
        """Note a problem; the row will not be applied."""
        self.problems.append(RowProblem(field=where, code=str(code), message=message))

    @property
    def accepted(self) -> bool:
        """Tell whether nothing is wrong with it so far."""
        return not self.problems

    @property
    def outcome(self) -> Outcome:
        """Return what becomes of the row."""
        if self.problems:
            return Outcome.REFUSED
        if self.before is None:
            return Outcome.CREATED
        return Outcome.UNCHANGED if self.before == self.planned else Outcome.CHANGED


def problem(where: str, fault: RowFault, message: str) -> RowProblem:
    """Return what is wrong with a field of a row."""
    return RowProblem(field=where, code=str(fault), message=message)


def to_write(drafts: Iterable[Draft[Planned]]) -> list[Planned]:
    """Return what is new or changed."""
    changes = {Outcome.CREATED, Outcome.CHANGED}
    return [d.planned for d in drafts if d.planned is not None and d.outcome in changes]


class Fields(Generic[Planned]):
    """Reads the written fields of one row; what cannot be read becomes a problem of its draft."""

    def __init__(self, draft: Draft[Planned]) -> None:
        self._draft = draft

    def text(self, name: str, written: str, *, needed: bool = False) -> str:
        """Return the text with single blanks in place of every kind and number of them."""
        text = " ".join(written.split())
        if needed and not text:
            self._draft.refuse(name, RowFault.MISSING, "this is needed")
        if len(text) > LONGEST_NAME:
            self._draft.refuse(name, RowFault.TOO_LONG, f"at most {LONGEST_NAME} characters")
        if not text.isprintable():
            self._draft.refuse(name, RowFault.INVALID_TEXT, "it holds a control character")
        return text

    def code(self, name: str, written: str) -> str:
        """Return a code of the agency, empty for none."""
        text = written.strip()
        if text and not _CODE.fullmatch(text):
            self._draft.refuse(
                name, RowFault.INVALID_CODE, "at most 63 of a-z, 0-9, - and _, no - or _ in front"
            )
        return text

    def id(self, name: str, written: str) -> str:
        """Return an opaque id, empty for none."""
        text = written.strip()
        if text and not _ID.fullmatch(text):
            self._draft.refuse(
                name, RowFault.INVALID_ID, "at most 63 of a-z, 0-9 and -, no - in front"
            )
        return text

    def email(self, name: str, written: str) -> str:
        """Return a mail address, empty for none."""
        text = written.strip()
        if text and (len(text) > LONGEST_NAME or not _EMAIL.fullmatch(text)):
            self._draft.refuse(name, RowFault.INVALID_EMAIL, "this is no mail address")
        elif not text.isprintable():
            self._draft.refuse(name, RowFault.INVALID_TEXT, "it holds a control character")
        return text

    def day(self, name: str, written: str) -> date | None:
        """Return a date, None for none."""
        text = written.strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None or day.year not in _YEARS:
            self._draft.refuse(name, RowFault.INVALID_DATE, "write a date as YYYY-MM-DD")
        return day

    def zone(self, name: str, written: str) -> str:
        """Return the name of a time zone."""
        text = written.strip()
        if not text:
            self._draft.refuse(name, RowFault.MISSING, "this is needed, such as Asia/Makassar")
        elif text not in _zones():
            self._draft.refuse(
                name, RowFault.UNKNOWN_ZONE, "write an IANA zone such as Asia/Makassar"
            )
        return text


class Resting(abc.ABC, Generic[Planned]):
    """On what each row rests: a person on a supervisor, a unit on the one above; each has a name.

    It shows everything as it stands while the accepted rows are thought to be applied.
    """

    loop: RowProblem
    """What is told of rows that rest on themselves in the end."""

    @abc.abstractmethod
    def name(self, draft: Draft[Planned]) -> str:
        """Return the name of what the row is about."""

    @abc.abstractmethod
    def find(self, draft: Draft[Planned]) -> str | RowProblem | None:
        """Return on what an accepted row rests, None for nothing, or why it cannot stand."""

    @abc.abstractmethod
    def above(self, name: str) -> str | None:
        """Return on what somebody or something rests as it stands, None for nothing."""

    @abc.abstractmethod
    def take_back(self, draft: Draft[Planned]) -> None:
        """Show what the row is about as it is known, because the row was refused."""


def settle(drafts: Sequence[Draft[Planned]], resting: Resting[Planned]) -> None:
    """Refuse the accepted rows that cannot stand, and those that rest on them, to the last.

    A row is looked at again only when the one that it rests on was refused.
    """
    below: dict[str, list[Draft[Planned]]] = {}
    waiting = [draft for draft in drafts if draft.accepted]
    # All that wait are judged before any is taken back: the order of the rows does not count.
    while refused := _unfounded(waiting, resting, below) or _looped(drafts, resting):
        for draft in refused:
            resting.take_back(draft)
        waiting = [each for draft in refused for each in below.pop(resting.name(draft), ())]


def _unfounded(
    waiting: Iterable[Draft[Planned]],
    resting: Resting[Planned],
    below: dict[str, list[Draft[Planned]]],
) -> list[Draft[Planned]]:
    """Refuse and return the rows that rest on nothing; note of the others on what they rest."""
    refused = list[Draft[Planned]]()
    for draft in waiting:
        found = resting.find(draft) if draft.accepted else None
        if isinstance(found, RowProblem):
            draft.problems.append(found)
            refused.append(draft)
        elif found is not None:
            below.setdefault(found, []).append(draft)
    return refused


def _looped(drafts: Iterable[Draft[Planned]], resting: Resting[Planned]) -> list[Draft[Planned]]:
    """Refuse and return the rows that rest on themselves in the end."""
    accepted = {resting.name(draft): draft for draft in drafts if draft.accepted}
    refused = [accepted[name] for name in loops(accepted, resting.above) if name in accepted]
    for draft in refused:
        draft.problems.append(resting.loop)
    return refused


def loops(starts: Iterable[Name], above: Callable[[Name], Name | None]) -> list[Name]:
    """Return all names on a loop to which a way up from one of the starts leads."""
    found = list[Name]()
    walked: dict[Name, int] = {}
    for walk, start in enumerate(starts):
        way = list[Name]()
        step: Name | None = start
        while step is not None and step not in walked:
            walked[step] = walk
            way.append(step)
            step = above(step)
        if step is not None and walked[step] == walk:
            found += way[way.index(step) :]
    return found


@cache
def _zones() -> frozenset[str]:
    # Names without a region, such as EST, are leftovers that not every tz database has.
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")
