"""An invented agency's document: a whole year's story, told with the texts that a test gives."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from siklus.services.documents.sources import Face, Sources
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.audit import prose_digest
from siklus.workflows.domain.document.reading import read_document
from siklus.workflows.domain.document.verification import code_of
from siklus.workflows.domain.evolve import begin
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.values import Digest, Level
from tests.domain.story import AGUS, BUDI, RINA, SITI, Story, make_policy, story
from tests.domain.walk import Walk

PEOPLE: Final = {
    SITI: Face("Siti Contoh, S.AP.", "199009132025242014", "Penata Layanan Operasional", "Loket"),
    BUDI: Face("Budi Contoh, S.Sos.", "198609262015051001", "Kepala Seksi Pelayanan", "Pelayanan"),
    RINA: Face("Dr. Rina Contoh", "197702022001042003", "Kepala Bidang Pelayanan", "Pelayanan"),
    AGUS: Face("Agus Contoh", "197501012000031002", "Kepala Dinas", "Dinas"),
}


class Teller:
    """Gives commands with texts and remembers them by their digests, as the vault does."""

    def __init__(self, **start: Any) -> None:
        policy = make_policy(periods={"per_year": 4}, **start.pop("policy", {}))
        self.told: Story = story(policy=policy, **start)
        self.texts: dict[Digest, Mapping[str, str]] = {}

    def gives(self, who: str, command: c.Command) -> "Teller":
        self.told.person(who).gives(command)
        if command.prose:
            self.texts[Digest(prose_digest("garam", command.prose))] = command.prose
        return self

    def at(self, when: str) -> "Teller":
        self.told.at(when)
        return self

    def sources(self, **changes: Any) -> Sources:
        texts = changes.pop("texts", self.texts)
        return sources_of(self.told, texts, **changes)


def sources_of(
    told: Story | Walk, texts: Mapping[Digest, Mapping[str, str]], **changes: Any
) -> Sources:
    """Return the sources of a story's document, in an invented agency."""
    document = read_document(begin(told.start), told.entries)
    given: dict[str, Any] = {
        "document": document,
        "name": "agencies/contoh/cycles/2026/evaluations/p-0005.1",
        "code": code_of(document),
        "agency": "Pemerintah Kota Contoh",
        "zone": "Asia/Makassar",
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 12, 31),
        "policy": Text(id="Evaluasi kinerja nasional", en="National performance evaluation"),
        "people": PEOPLE,
        "units": {"u": "UPT Pelayanan Kependudukan"},
        "texts": texts,
    }
    return Sources(**(given | changes))


def plan(**lines: tuple[str, str]) -> dict[str, Any]:
    """Return a plan's form from id → (description, target)."""
    return {
        "indicators": tuple(c.Indicator(id=i, kind=c.IndicatorKind.QUANTITATIVE) for i in lines),
        "prose": {
            f"indicators.{i}.{field}": text
            for i, texts in lines.items()
            for field, text in zip(("description", "target"), texts, strict=True)
        },
    }


def whole_year(said: str = "") -> Teller:
    """Return a year with everything in it; `said` goes into every text that somebody writes."""
    lines = {
        "antrean": (f"Waktu tunggu layanan KTP turun {said}", f"≤ 15 menit {said}"),
        "mutu": (f"Berkas lengkap pada pemeriksaan pertama {said}", f"95 % {said}"),
    }
    t = Teller().at("2026-01-06 09:00").gives(SITI, c.SubmitPlan(**plan(**lines)))
    t.at("2026-01-07 10:30").gives(BUDI, c.ApprovePlan(prose={"note": f"Setuju. {said}"}))
    expected = {"expectation": f"Sapa setiap warga; antrean tidak melebihi 10 orang. {said}"}
    t.gives(BUDI, c.AddExpectation(prose=expected))
    t.at("2026-04-03 09:00").gives(
        BUDI,
        c.RecordPeriodicEvaluation(
            period=1, results=Level.AT, behaviour=Level.ABOVE, prose={"note": f"Baik. {said}"}
        ),
    )
    t.at("2026-07-06 09:00").gives(
        SITI, c.SubmitMidyearAccount(prose={"account": f"Antrean turun menjadi 18 menit. {said}"})
    )
    t.at("2026-07-07 09:00").gives(
        BUDI, c.RecordMidyearReview(prose={"dialogue": f"Lanjutkan; tambah loket. {said}"})
    )
    t.at("2026-12-03 09:00").gives(SITI, own_view(said))
    t.at("2027-01-05 09:00").gives(BUDI, rating(said))
    t.at("2027-01-06 09:00").gives(SITI, c.OpenResult())
    reasons = {"reasons": f"Target dihitung dua kali pada bulan Maret. {said}"}
    t.gives(SITI, c.FileAppeal(prose=reasons))
    response = {"response": f"Rekap Maret memang dihitung dua kali. {said}"}
    t.at("2027-01-08 09:00").gives(BUDI, c.RespondToAppeal(prose=response))
    t.at("2027-01-11 14:05").gives(RINA, decision(said))
    t.at("2027-01-20 08:00").gives(AGUS, c.ApproveEvaluation(prose={"note": f"Disetujui. {said}"}))
    return t


def own_view(said: str = "") -> c.Command:
    return c.SubmitSelfEvaluation(
        results=Level.ABOVE,
        behaviour=Level.AT,
        evidence=(hashlib.sha256(b"rekap").hexdigest(),),
        prose={
            "account": f"Kedua target tercapai. {said}",
            "indicators.antrean.realisation": f"13 menit {said}",
            "indicators.mutu.realisation": f"96,5 % {said}",
        },
    )


def rating(said: str = "") -> c.Command:
    return c.Rate(
        results=Level.AT,
        behaviour=Level.BELOW,
        indicators=(
            c.IndicatorLevel(id="antrean", level=Level.ABOVE),
            c.IndicatorLevel(id="mutu", level=Level.AT),
        ),
        prose={
            "note": f"Kehadiran di loket perlu ditingkatkan. {said}",
            "indicators.mutu.improvement": f"Periksa berkas saat antre. {said}",
        },
    )


def decision(said: str = "") -> c.Command:
    return c.DecideAppeal(
        outcome=c.AppealOutcome.CHANGED,
        results=Level.AT,
        behaviour=Level.AT,
        prose={"reason": f"Rekap yang benar menunjukkan perilaku sesuai ekspektasi. {said}"},
    )
