"""The small agency beside the other one: five people, rated by numbers, heard by citizens."""

from dataclasses import dataclass
from typing import Final

from siklus.services.demo.people import Cast, Person
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import values_pb2 as v
from siklus.v1.roster_service_pb2 import UnitRow

ZONE: Final = "Asia/Makassar"
UNIT: Final = "kelurahan"
HEAD, SECTION_HEAD = "p-0101", "p-0102"
BEST, STEADY, SLOW = "p-0103", "p-0104", "p-0105"
KELURAHAN: Final = Cast(
    "kelurahan-contoh",
    (ZONE,),
    (UnitRow(code=UNIT, name="Kelurahan Contoh", zone=ZONE),),
    (
        Person(HEAD, "Made Contoh", UNIT, "", "Lurah"),
        Person(SECTION_HEAD, "Ketut Contoh", UNIT, HEAD, "Kepala Seksi Pelayanan"),
        Person(BEST, "Putu Contoh", UNIT, SECTION_HEAD, "Petugas loket"),
        Person(STEADY, "Nyoman Contoh", UNIT, SECTION_HEAD, "Petugas loket"),
        Person(SLOW, "Komang Contoh", UNIT, SECTION_HEAD, "Petugas loket", language="en"),
    ),
)


def rater_of(person: str) -> str:
    """Return who rates a person."""
    return KELURAHAN.named(person).supervisor


@dataclass(frozen=True)
class Year:
    """What one of them reached: minutes at the counter, percent done on the day, behaviour."""

    minutes: str
    same_day: str
    behaviour: str
    innovation: bool = False

    def numbers(self) -> v.GivenNumbers:
        """Return it as the rater gives it: ten minutes at most, and 80 percent on the day."""
        queue = v.MeasuredIndicator(
            id="antrean",
            weight="60",
            target="10",
            actual=self.minutes,
            direction=v.DIRECTION_DOWN,
        )
        done = v.MeasuredIndicator(
            id="selesai",
            weight="40",
            target="80",
            actual=self.same_day,
            direction=v.DIRECTION_UP,
        )
        return v.GivenNumbers(
            behaviour=self.behaviour, innovation=self.innovation, measured=[queue, done]
        )


REACHED: Final = {
    SECTION_HEAD: Year("10", "80", "105"),
    BEST: Year("8.5", "86", "112.5", innovation=True),
    STEADY: Year("10", "82", "101.5"),
    SLOW: Year("12.4", "74", "88"),
}


@dataclass(frozen=True)
class Contact:
    """A citizen who was served, and what they say of it; 0 says nothing."""

    person: str
    service: str
    day: int
    """Of November."""
    score: int
    comment: str = ""


CONTACTS: Final = (
    Contact(BEST, "Kartu keluarga", 16, 5, "Selesai dalam lima belas menit."),
    Contact(BEST, "Kartu keluarga", 18, 5),
    Contact(BEST, "Surat pengantar", 24, 4),
    Contact(STEADY, "Surat pengantar", 17, 4),
    Contact(STEADY, "Kartu keluarga", 25, 0),
    Contact(SLOW, "Surat domisili", 19, 2, "Menunggu satu jam, lalu diminta kembali besok."),
    Contact(SLOW, "Surat domisili", 26, 3),
)


def a_plan() -> plan.SubmitPlanRequest:
    """Return a plan of two indicators by numbers."""
    told = (
        ("antrean", "Waktu tunggu di loket", "paling lama 10 menit"),
        ("selesai", "Permohonan selesai pada hari yang sama", "paling sedikit 80 persen"),
    )
    kind = v.INDICATOR_KIND_QUANTITATIVE
    return plan.SubmitPlanRequest(
        indicators=[
            plan.Indicator(id=id_, kind=kind, description=what, target=target)
            for id_, what, target in told
        ]
    )
