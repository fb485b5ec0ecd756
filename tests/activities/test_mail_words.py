"""The words of mails: complete in both languages, dates as people write them, nothing personal
in a subject."""

from datetime import UTC, date, datetime
from typing import get_args

import pytest
from markupsafe import escape
from pydantic import ValidationError

from siklus.activities.mail.render import Item, render
from siklus.activities.mail.texts import Texts, instant, texts_in
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.stages import TaskKind

FRIDAY = date(2026, 1, 30)
LANGUAGES: tuple[Language, ...] = get_args(Language)


@pytest.mark.parametrize(
    ("zone", "ends", "indonesian", "english"),
    [
        ("Asia/Jakarta", 16, "23.59 WIB", "23:59 WIB"),
        ("Asia/Pontianak", 16, "23.59 WIB", "23:59 WIB"),
        ("Asia/Makassar", 15, "23.59 WITA", "23:59 WITA"),
        ("Asia/Jayapura", 14, "23.59 WIT", "23:59 WIT"),
        ("America/New_York", 28, "23.59 EST", "23:59 EST"),
    ],
)
def test_an_instant_is_told_in_the_zone_it_counts_in(
    zone: str, ends: int, indonesian: str, english: str
) -> None:
    at = datetime(2026, 1, 30 + ends // 24, ends % 24, 59, 59, tzinfo=UTC)

    assert instant(at, zone, "id") == f"Jumat, 30 Januari 2026 pukul {indonesian}"
    assert instant(at, zone, "en") == f"Friday, 30 January 2026, {english}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", TaskKind)
def test_every_task_can_be_reminded_of(kind: TaskKind, language: Language) -> None:
    item = Item(NoticeKind.REMINDER, "2026", task=kind, period=2, about="Budi Santoso")

    words = render("Sari", language, [item], FRIDAY)

    task = texts_in(language).tasks[kind]
    assert task in words.text
    assert escape(task) in words.html
    assert "Budi Santoso" in words.text
    assert "{" not in words.text
    assert "Budi" not in words.subject


@pytest.mark.parametrize("kind", TaskKind)
def test_a_periodic_evaluation_alone_tells_its_period(kind: TaskKind) -> None:
    item = Item(NoticeKind.REMINDER, "2026", task=kind, period=2)

    told = "period 2" in render("Sari", "en", [item], FRIDAY).text

    assert told is (kind is TaskKind.PERIODIC_EVALUATION)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_notice_has_words_and_a_discreet_subject(
    kind: NoticeKind, language: Language
) -> None:
    words = render("Sari", language, [Item(kind, "2026", about="Budi Santoso")], FRIDAY)

    assert texts_in(language).notices[kind] in words.text
    assert "Budi" not in words.subject
    assert words.text.count("Sari") == 1


def test_a_catalogue_with_a_gap_is_not_loaded() -> None:
    texts = texts_in("id").model_dump()
    del texts["tasks"][TaskKind.RATE]

    with pytest.raises(ValidationError, match="no text for RATE"):
        Texts.model_validate(texts)


def test_the_most_urgent_stands_first_and_news_last() -> None:
    due = [datetime(2026, 1, day, 16, 59, 59, tzinfo=UTC) for day in (31, 29, 30)]
    items = [
        Item(NoticeKind.RATED, "2026"),
        Item(NoticeKind.REMINDER, "2026", task=TaskKind.RESOLVE_REFERRAL),
        *(Item(NoticeKind.REMINDER, "2026", task=TaskKind.RATE, due_at=at) for at in due),
    ]

    text = render("Sari", "id", items, FRIDAY).text

    order = ["lewat: Kamis, 29", "hari ini: Jumat, 30", "waktu: Sabtu, 31", "dirujuk", "kabar"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "4 hal menunggu tindakan Anda" in text
