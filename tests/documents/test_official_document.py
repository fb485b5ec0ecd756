"""The official document on paper: both languages, nothing outside the page, the same bytes."""

import asyncio
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from siklus.services.documents import typesetting
from siklus.services.documents import words as w
from siklus.services.documents.blocks import Table
from siklus.services.documents.composing import (
    OF_THE_APPEAL,
    OF_THE_EVALUATION,
    OF_THE_PLAN,
    compose,
)
from siklus.services.documents.evaluation import computation
from siklus.services.documents.sources import Face, Sources, Withheld, number
from siklus.services.documents.typesetting import Typesetter, printed
from siklus.services.documents.writable import BREAK, one_line, writable
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.document.reading import read_document
from siklus.workflows.domain.document.signatures import Act, Standing
from siklus.workflows.domain.evolve import begin
from siklus.workflows.domain.labels import NATIONAL_LABELS, Text
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.packs import compile
from siklus.workflows.domain.stages import ENDED
from siklus.workflows.domain.values import Level, Predicate
from siklus.workflows.packs import shipped_pack
from tests.documents.office import PEOPLE, Teller, plan, sources_of, whole_year
from tests.documents.pages import keep, outside, texts
from tests.domain.story import BUDI, SITI, at_rating
from tests.domain.test_appeal_panel import DEWI, EKO, FITRI, heard
from tests.domain.test_rating_by_numbers import told_rated
from tests.domain.walk import Tally, Walk

HOSTILE = (
    "#set page(width: 1cm) *b* _i_ $x$ `r` @ref <lab> // \\ #panic() <script>alert(1)</script> "
    "\u202eterbalik \u2066x\u2069 שלום עולם مرحبا بالعالم 😀👨‍👩‍👧 漢字 ꦗꦮ "
    + "W" * 120
    + " Z"
    + "\u0301" * 12
    + " m" * 3
    + "m" * 60
    + " {0} %s {name}\x00\x07\u2028baris\r\nbaru"
)


@pytest.fixture(scope="module")
def year() -> Sources:
    return whole_year().sources()


@pytest.fixture(scope="module")
def pdf(year: Sources) -> bytes:
    return printed(year)


def test_it_has_the_three_chapters_in_both_languages(pdf: bytes) -> None:
    pages = texts(pdf)

    for title in (w.PLAN_TITLE, w.EVALUATION_TITLE, w.APPEAL_TITLE):
        (page,) = (text for text in pages if title.id in text)
        assert page.index(title.id) < page.index(title.en)


@pytest.mark.parametrize(
    ("languages", "said", "unsaid"),
    [
        (("id",), w.EVALUATION_TITLE.id, w.EVALUATION_TITLE.en),
        (("en",), w.EVALUATION_TITLE.en, w.EVALUATION_TITLE.id),
    ],
)
def test_a_cycle_that_speaks_one_language_sets_its_paper_in_it(
    languages: tuple[Language, ...], said: str, unsaid: str
) -> None:
    pages = " ".join(texts(printed(whole_year().sources(languages=languages))))

    assert said in pages
    assert unsaid not in pages
    assert ("11 Januari 2027 pukul 15.05 WITA" in pages) == (languages == ("id",))
    assert ("11 January 2027, 15:05 WITA" in pages) == (languages == ("en",))
    assert ("Page 1 of" in pages) == (languages == ("en",))
    assert ("Halaman 1 dari" in pages) == (languages == ("id",))


def test_the_preferred_language_stands_first() -> None:
    pages = texts(printed(whole_year().sources(languages=("en", "id"))))

    (page,) = (text for text in pages if w.EVALUATION_TITLE.id in text)
    assert page.index(w.EVALUATION_TITLE.en) < page.index(w.EVALUATION_TITLE.id)


def test_every_label_stands_in_indonesian_first_and_in_english(pdf: bytes) -> None:
    said = " ".join(texts(pdf))

    for label in (
        w.EMPLOYEE, w.RATER, w.SUPERIOR, w.APPROVER, w.DECIDER, w.RESULTS, w.EXPECTATIONS,
        w.PERIODS, w.MIDYEAR, w.SELF, w.RATING, w.APPEAL, w.RESPONSE, w.DECISION, w.SIGNATURES,
        w.PROOF_TITLE, w.ENDED[next(iter(w.ENDED))],
    ):  # fmt: skip
        assert label.id in said
        assert label.en in said


def test_it_shows_what_people_wrote_and_who_they_are(pdf: bytes) -> None:
    said = " ".join(texts(pdf))

    for text in (
        "Siti Contoh, S.AP.", "199009132025242014", "UPT Pelayanan Kependudukan",
        "Waktu tunggu layanan KTP turun", "≤ 15 menit", "Sapa setiap warga", "13 menit",
        "Antrean turun menjadi 18 menit.", "Periksa berkas saat antre.",
        "Target dihitung dua kali pada bulan Maret.", "Rekap Maret memang dihitung dua kali.",
    ):  # fmt: skip
        assert text in said


def test_dates_are_written_as_each_language_does(pdf: bytes) -> None:
    said = " ".join(texts(pdf))

    assert "1 Januari 2026 s.d. 31 Desember 2026" in said
    assert "1 January 2026 to 31 December 2026" in said
    assert "11 Januari 2027 pukul 15.05 WITA" in said
    assert "11 January 2027, 15:05 WITA" in said


def test_numbers_are_written_as_each_language_does() -> None:
    cell = number(Decimal("1102.50"))

    assert (cell.text, cell.en) == ("1.102,5", "1,102.5")


def test_the_appeal_shows_both_predicates(pdf: bytes) -> None:
    (page,) = (text for text in texts(pdf) if w.APPEAL_TITLE.id in text)

    assert "Kurang Poor Baik Good" in page
    assert w.OUTCOMES[c.AppealOutcome.CHANGED].id in page


def test_the_evaluation_alone_tells_what_the_appeal_made_of_it(pdf: bytes) -> None:
    said = " ".join(text for text in texts(pdf) if w.APPEAL_TITLE.id not in text)

    assert f"{w.AFTER_APPEAL.id} {w.AFTER_APPEAL.en} Baik Good" in said


def test_a_panel_s_decision_names_all_its_members() -> None:
    told = heard().person(DEWI).changes_rating().person(FITRI).changes_rating()

    (page,) = (text for text in texts(printed(sources_of(told, {}))) if w.APPEAL_TITLE.id in text)

    assert w.PANEL.id in page
    assert w.PANEL.en in page
    assert all(member in page for member in (DEWI, EKO, FITRI))


def test_a_pack_calls_things_by_its_own_words() -> None:
    own = Text(id="Istimewa {x}", en="Outstanding")
    predicates = {**NATIONAL_LABELS.predicates, Predicate.BAIK: own}
    labels = NATIONAL_LABELS.model_copy(update={"predicates": predicates})

    said = " ".join(texts(printed(whole_year().sources(labels=labels))))

    assert "Istimewa {x} Outstanding" in said


def test_a_criterion_is_shown_by_its_title_in_both_languages() -> None:
    pack = shipped_pack("jakarta")
    told = at_rating(policy=compile(pack))
    given = (("disiplin", Level.BELOW), ("pelayanan-publik", Level.AT))
    indicators = tuple(c.IndicatorLevel(id=code, level=level) for code, level in given)
    told.supervisor.gives(
        c.Rate(results=Level.AT, behaviour=Level.BELOW, indicators=indicators, prose={"note": "x"})
    )

    said = " ".join(texts(printed(sources_of(told, {}, names=pack.criteria))))

    assert "Disiplin Discipline Di Bawah Ekspektasi Below expectation" in said
    assert "Pelayanan publik Public service Sesuai Ekspektasi At expectation" in said
    assert "pelayanan-publik" not in said


def test_the_signature_block_names_the_hash_that_each_signed(year: Sources, pdf: bytes) -> None:
    said = re.sub(r"\s", "", "".join(texts(pdf)))

    assert len(year.document.signatures) == 13
    for signature in year.document.signatures:
        assert signature.digest in said


def test_a_rating_by_numbers_can_be_checked_by_hand() -> None:
    told = told_rated("102.8", "110")

    pdf = printed(sources_of(told, {}))

    keep(pdf, "numbers")
    said = " ".join(texts(pdf))
    assert f"{w.SCORE.id} {w.SCORE.en} 104,96 104.96" in said
    assert "102,8 × 70 / 100 + 110 × 30 / 100 = 104,96" in said
    assert "102.8 × 70 / 100 + 110 × 30 / 100 = 104.96" in said
    assert outside(pdf) == []


def test_a_line_of_the_computation_names_what_an_indicator_is_about() -> None:
    line = {"id": "antrean", "weight": "100", "direction": "down", "target": "15", "actual": "15"}
    told = told_rated(behaviour="110", measured=[line])
    assert told.state.plan.prose is not None
    said = {told.state.plan.prose: {"indicators.antrean.description": "Lama  antre di loket"}}
    rating = sources_of(told, said).document.parts[p.RATING]
    assert isinstance(rating, p.Judgement)

    (_, named, _), *_ = computation(sources_of(told, said), rating).rows
    (_, erased, _), *_ = computation(sources_of(told, {}), rating).rows

    assert "Lama antre di loket" in named.text
    assert "Lama" not in erased.text


def test_everything_that_can_happen_has_words() -> None:
    kinds = {str(name).partition(".")[0] for name in w.PARTS}

    assert set(w.ACTS) == set(Act)
    assert set(w.STANDINGS) == set(Standing)
    assert set(w.ENDED) == ENDED
    assert set(w.OUTCOMES) == set(c.AppealOutcome)
    assert kinds == OF_THE_PLAN | OF_THE_EVALUATION | OF_THE_APPEAL | {
        "case", "segment", "signatures"
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_any_year_can_be_put_on_paper(seed: int) -> None:
    walk = Walk(Random(seed), Tally(), watch=lambda _: None)
    walk.go(60)

    sheets = compose(sources_of(walk, {}))

    signed = [row for block in sheets.blocks if isinstance(block, Table) and block.whole
              for row in block.rows]  # fmt: skip
    document = read_document(begin(walk.start), walk.entries)
    assert len(signed) == len(document.signatures)


def test_a_void_signature_says_what_changed() -> None:
    changed = plan(mutu=("Berkas lengkap", "97 %"))
    teller = Teller().at("2026-01-06 09:00").gives(SITI, c.SubmitPlan(**plan(a=("Satu", "1"))))
    teller.gives(BUDI, c.ApprovePlan()).gives(SITI, c.RequestPlanChange(**changed))
    teller.gives(BUDI, c.DecidePlanChange(approved=True))

    said = " ".join(texts(printed(teller.sources())))

    assert said.count("Tidak berlaku lagi: rencana berubah") == 2
    assert said.count("Void: the plan changed afterwards") == 2


def test_the_same_content_gives_the_same_bytes(pdf: bytes) -> None:
    assert printed(whole_year().sources()) == pdf


async def test_the_event_loop_goes_on_while_a_document_is_set(year: Sources, pdf: bytes) -> None:
    setting = asyncio.create_task(Typesetter().pdf(year))
    turns = 0
    while not setting.done():
        await asyncio.sleep(0)
        turns += 1

    assert await setting == pdf
    assert turns > 100


def test_a_typesetter_that_dies_is_told_without_a_word_of_the_text(
    year: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    press = tmp_path / "press.py"
    press.write_text("import sys, os\nsys.stderr.write(sys.stdin.read())\nos.abort()\n")
    shutil.copytree(str(typesetting.HERE / "fonts"), tmp_path / "fonts")
    monkeypatch.setattr(typesetting, "HERE", tmp_path)

    with pytest.raises(typesetting.NotSet, match="ended with -6") as caught:
        printed(year)

    assert "Siti" not in str(caught.value)


def test_another_process_gives_the_same_bytes(pdf: bytes, tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from tests.documents.office import whole_year\n"
        "from siklus.services.documents.typesetting import printed\n"
        "pathlib.Path(sys.argv[1]).write_bytes(printed(whole_year().sources()))\n"
    )
    made = tmp_path / "again.pdf"
    # Another zone and another locale have no part in it either.
    subprocess.run(
        [sys.executable, "-c", script, str(made)],
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": ":".join(sys.path), "TZ": "America/Lima", "LC_ALL": "C"},
    )

    assert made.read_bytes() == pdf


def test_it_bears_the_date_of_the_record_and_the_code_for_programs(
    year: Sources, pdf: bytes
) -> None:
    assert f"siklus:{year.name}?code={year.code}".encode() in pdf
    assert b"D:20270120" in pdf
    assert year.code in " ".join(texts(pdf))


def test_nothing_is_outside_the_page_and_the_pictures_are_kept(pdf: bytes) -> None:
    pictures = keep(pdf, "year")

    assert outside(pdf) == []
    for picture in pictures:
        darkest, brightest = Image.open(picture).convert("L").getextrema()
        assert (darkest, brightest) < (64, 256)


def test_hostile_texts_and_names_stay_text_and_stay_on_the_page() -> None:
    people = {who: Face(HOSTILE, "1" * 400, HOSTILE, HOSTILE) for who in PEOPLE}
    teller = whole_year(HOSTILE)

    pdf = printed(teller.sources(people=people, agency=HOSTILE, units={"u": HOSTILE}))

    keep(pdf, "hostile")
    assert outside(pdf) == []
    said = " ".join(texts(pdf))
    assert "#set page(width: 1cm) *b* _i_ $x$ `r` @ref <lab> // \\ #panic()" in said
    assert "<script>alert(1)</script>" in said
    assert "[U+202E]terbalik" in said
    assert "{0} %s {name}[U+0000][U+0007]" in said


def test_a_long_text_goes_on_over_pages() -> None:
    teller = Teller().at("2026-01-06 09:00")
    lines = {f"i{place}": ("Kalimat yang cukup panjang. " * 40, "1") for place in range(30)}
    teller.gives(SITI, c.SubmitPlan(**plan(**lines)))

    pdf = printed(teller.sources())

    pages = texts(pdf)
    assert len(pages) > 8
    assert outside(pdf) == []
    assert sum(w.DESCRIPTION.id in page for page in pages) > 5


def test_an_erased_text_and_one_left_out_say_so() -> None:
    teller = whole_year()
    parts = teller.sources().document.parts
    kept = dict(teller.texts)
    erased, long = parts[p.RESPONSE].prose, parts[p.APPEAL].prose
    assert erased is not None
    assert long is not None
    del kept[erased]

    said = " ".join(texts(printed(teller.sources(texts={**kept, long: Withheld.TOO_LONG}))))

    assert "[teks telah dihapus] [the text was erased]" in said
    assert re.sub(r"\s", "", said).count(long) >= 2


def test_a_document_without_anything_yet_is_a_document() -> None:
    pdf = printed(Teller().sources(people={}))

    keep(pdf, "opened")
    said = " ".join(texts(pdf))
    assert w.NO_PLAN.id in said
    assert w.PROVISIONAL.en in said
    assert w.APPEAL_TITLE.id not in said


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Si\u202eiS", "Si[U+202E]iS"),
        ("a\tb\r\nc\x0bd", "a b\nc\nd"),
        ("漢", "[U+6F22]"),
        ("😀", "😀"),
        ("e\u0301", "é"),
        ("\ud800", "[U+D800]"),
    ],
)
def test_what_paper_cannot_show_is_named(written: str, shown: str) -> None:
    assert writable(written) == shown


def test_words_break_only_when_they_are_too_wide() -> None:
    assert BREAK not in writable("Mempertanggung 198609262015051001 S.Sos., M.A.P.")
    assert BREAK in writable("W" * 20)
    assert one_line("  dua\n kata ") == "dua kata"
