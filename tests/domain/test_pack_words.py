"""A published pack stays readable, whatever the rules for new ones have become."""

import pytest

from siklus.workflows.domain.labels import STAGE_TITLES, StageName
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.packs import shipped, shipped_pack, source_of


@pytest.mark.parametrize("name", shipped())
def test_a_good_pack_has_its_own_words(name: str) -> None:
    pack, words = shipped_pack(name), words_of(name, source_of(name).decode())

    assert words.title == pack.title
    assert {stage: words.stage_title(stage) for stage in StageName} == {
        stage: pack.stage_title(stage) for stage in StageName
    }


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("title: {id: Judul, en: Title}\nobsolete: 1\n", ("Judul", "Title")),
        ("title: {id: Judul}\nstages: {lunch: {id: a, en: b}}\n", ("Judul", "Judul")),
        ("title: {en: 2027}\nstages: [1]\n", ("2027", "2027")),
        ("title: Judul\nstages: {plan: {}}\n", ("palu", "palu")),
        ("title: &a x\n", ("palu", "palu")),
        ("- 1\n", ("palu", "palu")),
        ("", ("palu", "palu")),
        ("title: [", ("palu", "palu")),
    ],
)
def test_a_pack_that_would_be_refused_today_is_read(source: str, title: tuple[str, str]) -> None:
    words = words_of("palu", source)

    assert (words.title.id, words.title.en) == title
    assert words.stage_title(StageName.PLAN) == STAGE_TITLES[StageName.PLAN]
