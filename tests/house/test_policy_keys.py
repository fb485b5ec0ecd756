"""Every key of a policy is documented, in both languages, and the page is fresh."""

from pathlib import Path

from siklus.services import policy_keys
from siklus.services.policy_keys.page import page

PAGE = Path(__file__).parents[2] / "deploy" / "policy-keys.md"


def test_every_key_has_words_and_no_words_are_left_over() -> None:
    assert set(policy_keys.words()) == set(policy_keys.names())


def test_the_words_differ_by_language() -> None:
    same = [name for name, text in policy_keys.words().items() if text.id == text.en]

    assert same == []


def test_the_page_is_fresh() -> None:
    message = "run `siklus policy keys --page > deploy/policy-keys.md`"
    assert PAGE.read_text(encoding="utf-8") == page(), message


def test_the_page_tells_forms_and_defaults() -> None:
    found = {(key.shape, key.name): key for key in policy_keys.every_key()}

    assert found["PeriodRule", "per_year"].form == "`0` \\| `2` \\| `4` \\| `12`"
    assert found["RatingRule", "scheme"].default == "`quadrant`"
    assert found["Weighted", "bands"].required
    assert found["AppealRule", "window"].default == "`{days: 14}`"
    assert found["PlanRule", "max_returns"].form == "whole number from 0 to 20"
    assert ("Policy", "name") not in found
