"""What a document is written from beside the record's parts: names, texts, labels, the zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, auto
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from siklus.activities.mail.texts import ZONE_NAMES
from siklus.services.documents import words as w
from siklus.services.documents.blocks import Cell
from siklus.workflows.domain.document.parts import Part
from siklus.workflows.domain.document.reading import Document
from siklus.workflows.domain.labels import NATIONAL_LABELS, Labels, Text
from siklus.workflows.domain.languages import LANGUAGES, Language
from siklus.workflows.domain.values import Digest, Level, Predicate

LOCALES = {"id": "id_ID", "en": "en_GB"}
AT = {"id": "d MMMM y 'pukul' HH.mm", "en": "d MMMM y, HH:mm"}


class Withheld(Enum):
    """Why a text is not there."""

    ERASED = auto()
    TOO_LONG = auto()


@dataclass(frozen=True, slots=True)
class Face:
    """A person as the roster has them."""

    name: str
    nip: str = ""
    position: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Sources:
    """Everything; the same sources make the same document."""

    document: Document
    name: str
    """The evaluation's, in the contract."""
    code: str
    agency: str
    zone: str
    starts_on: date
    ends_on: date
    policy: Text
    labels: Labels = NATIONAL_LABELS
    names: Mapping[str, Text] = field(default_factory=dict)
    """What the pack calls its criteria and conditions."""
    languages: tuple[Language, ...] = LANGUAGES
    people: Mapping[str, Face] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[Digest, Mapping[str, str] | Withheld] = field(default_factory=dict)

    def face(self, person: str | None) -> Face:
        """Return a person's face; whom the roster does not know goes by their id."""
        return self.people.get(person or "", Face(name=person or "–"))

    def unit(self, code: str) -> str:
        """Return a unit's name, its code where the roster has none."""
        return self.units.get(code) or code

    def says(self, part: Part, *fields: str) -> Cell:
        """Return the first of the fields that a part's form has, empty for none."""
        if part.prose is None:
            return Cell(text="–")
        found = self.texts.get(part.prose, Withheld.ERASED)
        if isinstance(found, Withheld):
            said = w.ERASED if found is Withheld.ERASED else w.TOO_LONG
            return in_both(said, digest=part.prose)
        return Cell(text=next((found[each] for each in fields if found.get(each)), "–"))

    def level(self, level: Level | None) -> Cell:
        """Return what the pack calls a level."""
        return Cell(text="–") if level is None else in_both(self.labels.levels[level])

    def predicate(self, predicate: Predicate | None, *, strong: bool = False) -> Cell:
        """Return what the pack calls a predicate."""
        if predicate is None:
            return in_both(w.UNRATED)
        return in_both(self.labels.predicates[predicate], strong=strong)

    def instant(self, at: datetime) -> Cell:
        """Return an instant as people of the unit's zone read it."""
        local = at.astimezone(ZoneInfo(self.zone))
        zone = ZONE_NAMES.get(self.zone) or local.tzname()
        written = {
            language: f"{format_datetime(local, AT[language], tzinfo=local.tzinfo, locale=locale)}"
            f" {zone}"
            for language, locale in LOCALES.items()
        }
        return Cell(text=written["id"], en=written["en"])


def in_both(text: Text, *, strong: bool = False, **filled: str) -> Cell:
    """Return a cell with a text in both languages; only one of ours has places to fill."""
    id, en = (said.format(**filled) if filled else said for said in (text.id, text.en))
    return Cell(text=id, en=en, strong=strong)


def day(on: date) -> Cell:
    """Return a date in both languages."""
    return Cell(**dict(zip(("text", "en"), _days(on), strict=True)))


def days(first: date, last: date) -> Cell:
    """Return a stretch of days in both languages."""
    (first_id, first_en), (last_id, last_en) = _days(first), _days(last)
    return Cell(text=f"{first_id} s.d. {last_id}", en=f"{first_en} to {last_en}")


def number(value: Decimal) -> Cell:
    """Return a decimal number in both languages, with as many decimals as it has."""
    pattern = "#,##0.##########"
    written = [format_decimal(value, pattern, locale=locale) for locale in LOCALES.values()]
    return Cell(text=written[0], en="" if written[0] == written[1] else written[1])


def _days(on: date) -> tuple[str, str]:
    id, en = (format_date(on, "d MMMM y", locale=locale) for locale in LOCALES.values())
    return id, en
