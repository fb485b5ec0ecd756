"""Answers in the languages of a policy."""

from siklus.services.rpc.flow import flow
from siklus.services.rpc.spoken import spoken
from siklus.services.rpc.waiting import explain
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.packs import shipped_pack, source_of
from tests.domain.story import story

PACK = "permenpan-6-2022"


def test_a_cycle_that_speaks_one_language_explains_in_it_alone() -> None:
    told = story()
    both = explain(told.state, told.now, {})

    answer = spoken(explain(told.state, told.now, {}), ("id",))

    (waiting,) = answer.waiting
    for text in (answer.text, waiting.text, waiting.next.text):
        assert text.en == text.id != ""
    assert answer.text.id == both.text.id
    assert spoken(explain(told.state, told.now, {}), ("en", "id")) == both
    assert spoken(explain(told.state, told.now, {}), None) == both


def test_a_year_is_described_in_the_languages_of_its_policy() -> None:
    rules = shipped_pack(PACK).rules.model_copy(update={"languages": ("en",)})

    answer = flow(rules, words_of(PACK, source_of(PACK).decode()))

    assert answer.title.id == answer.title.en
    for step in answer.steps:
        for text in (step.title, step.actor, step.opens, step.due):
            assert text.id == text.en
