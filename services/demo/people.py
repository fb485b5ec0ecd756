"""The agency of the demo: 25 invented people in three units and three time zones."""

from dataclasses import dataclass
from typing import Final

from siklus.v1.roster_service_pb2 import PersonRow, UnitRow

AGENCY: Final = "dinas-contoh"
HOME: Final = "Asia/Jakarta"
ZONES: Final = (HOME, "Asia/Makassar", "Asia/Jayapura")
HEAD, SECRETARY = "p-0001", "p-0002"
"""The head gives the final approvals; the secretary is the superior of those who rate."""
UNITS: Final = (
    UnitRow(code="dinas", name="Dinas Contoh", zone=ZONES[0]),
    UnitRow(code="upt-makassar", name="UPT Makassar", parent="dinas", zone=ZONES[1]),
    UnitRow(code="upt-jayapura", name="UPT Jayapura", parent="dinas", zone=ZONES[2]),
)


@dataclass(frozen=True)
class Person:
    """One of them; `supervisor` empty is the top of the line, which nobody rates."""

    id: str
    name: str
    unit: str
    supervisor: str
    position: str
    language: str = "id"

    def row(self, agency: str) -> PersonRow:
        """Return the person as a roster has it; number and address are made up."""
        number = int(self.id.removeprefix("p-"))
        born, appointed = f"19{70 + number % 25}0{1 + number % 9}15", f"20{10 + number % 10}03"
        return PersonRow(
            person_id=self.id,
            nip=f"{born}{appointed}{1 + number % 2}{number:03}",
            name=self.name,
            email=f"{self.id}@{agency}.example",
            unit=self.unit,
            position=self.position,
            supervisor=self.supervisor or "TOP",
            language=self.language,
        )


@dataclass(frozen=True)
class Cast:
    """An agency and its people; the first of them is its head and speaks for its team."""

    agency: str
    zones: tuple[str, ...]
    units: tuple[UnitRow, ...]
    people: tuple[Person, ...]

    @property
    def head(self) -> str:
        """Who gives the final approvals."""
        return self.people[0].id

    @property
    def evaluated(self) -> tuple[str, ...]:
        """Everybody whom somebody rates."""
        return tuple(person.id for person in self.people if person.supervisor)

    def named(self, person: str) -> Person:
        """Return one of them by the id."""
        return next(each for each in self.people if each.id == person)


def _staff(first: int, unit: str, supervisor: str, names: str) -> list[Person]:
    return [
        Person(
            id=f"p-{number:04}",
            name=name,
            unit=unit,
            supervisor=supervisor,
            position="Petugas layanan",
            language="en" if number % 6 == 0 else "id",
        )
        for number, name in enumerate(names.split(", "), start=first)
    ]


PEOPLE: Final = (
    Person(HEAD, "Ratna Contoh", "dinas", "", "Kepala Dinas"),
    Person(SECRETARY, "Hasan Contoh", "dinas", HEAD, "Sekretaris"),
    Person("p-0003", "Bambang Contoh", "dinas", SECRETARY, "Kepala Bidang"),
    Person("p-0004", "Andi Contoh", "upt-makassar", SECRETARY, "Kepala UPT"),
    Person("p-0005", "Yohana Contoh", "upt-jayapura", SECRETARY, "Kepala UPT"),
    *_staff(
        6,
        "dinas",
        "p-0003",
        "Siti Contoh, Agus Contoh, Dewi Contoh, Eko Contoh, Fitri Contoh, Gilang Contoh,"
        " Hesti Contoh",
    ),
    *_staff(
        13,
        "upt-makassar",
        "p-0004",
        "Baso Contoh, Indah Contoh, Jumriah Contoh, Kahar Contoh, Lina Contoh, Mansur Contoh,"
        " Nurhayati Contoh",
    ),
    *_staff(
        20,
        "upt-jayapura",
        "p-0005",
        "Okto Contoh, Petrus Contoh, Rosa Contoh, Selvi Contoh, Thomas Contoh, Marthen Contoh",
    ),
)
BY_ID: Final = {person.id: person for person in PEOPLE}
DINAS: Final = Cast(AGENCY, ZONES, UNITS, PEOPLE)
EVALUATED: Final = DINAS.evaluated


def supervisor_of(person: str) -> str:
    """Return who rates a person."""
    return BY_ID[person].supervisor
