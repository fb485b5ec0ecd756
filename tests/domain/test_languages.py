"""In which language a person is written to."""

from collections.abc import Sequence

import pytest

from siklus.workflows.domain.languages import Language, language_for
from siklus.workflows.domain.policy import Policy

Spoken = Sequence[Sequence[Language] | None]


@pytest.mark.parametrize(
    ("chosen", "spoken", "language"),
    [
        ("en", [None], "en"),
        ("", [None], "id"),
        ("en", [("id",)], "id"),
        ("id", [("en",)], "en"),
        ("en", [("id", "en")], "en"),
        ("", [("en", "id")], "en"),
        ("xx", [("en", "id")], "en"),
        ("en", [None, ("id", "en"), ("id",)], "id"),
        ("en", [], "en"),
    ],
)
def test_the_own_language_is_taken_where_all_speak_it(
    chosen: str, spoken: Spoken, language: Language
) -> None:
    assert language_for(chosen, spoken, "id") == language


def test_a_policy_that_says_nothing_is_written_as_ever() -> None:
    assert "languages" not in Policy(name="p").model_dump()
    assert Policy(name="p", languages=("id",)).model_dump()["languages"] == ("id",)
