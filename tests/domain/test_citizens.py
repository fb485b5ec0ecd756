"""From how many answers on, and of which days, what citizens said is evidence."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from siklus.workflows.domain.feedback.citizens import (
    answers_missing,
    days_counted,
    rated_before,
    told_missing,
)
from siklus.workflows.domain.feedback.rules import (
    CitizenRule,
    ColleagueRule,
    ContactWindow,
    FeedbackRule,
)
from siklus.workflows.domain.values import PersonId
from siklus.workflows.packs import shipped_pack

STARTS, ENDS = date(2026, 1, 1), date(2026, 12, 31)
MONTH = CitizenRule(min_answers=20, window=ContactWindow(days=30))


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 6, 30), date(2026, 6, 1), date(2026, 6, 30)),
        (date(2027, 2, 1), date(2026, 12, 2), ENDS),
        (date(2026, 1, 10), STARTS, date(2026, 1, 10)),
        (date(2025, 12, 1), STARTS, STARTS),
    ],
)
def test_a_window_ends_today_or_with_the_year_and_never_leaves_it(
    today: date, first: date, last: date
) -> None:
    assert days_counted(MONTH, STARTS, ENDS, today) == (first, last)


def test_a_policy_that_says_nothing_shows_the_whole_year_and_every_answer() -> None:
    assert days_counted(CitizenRule(), STARTS, ENDS, date(2026, 6, 30)) == (STARTS, ENDS)
    assert answers_missing(CitizenRule(), 0) == 0


def test_whoever_served_reads_what_was_said_when_that_day_is_over() -> None:
    over = datetime(2026, 6, 30, 12, tzinfo=UTC)

    for now, first in ((over - timedelta(seconds=1), 29), (over, 30)):
        assert rated_before(PersonId("siti"), PersonId("siti"), now) == date(2026, 6, first)
    for other in (PersonId("budi"), None):
        assert rated_before(other, PersonId("siti"), over) == date.max


def test_enough_is_evidence_and_one_fewer_is_not() -> None:
    assert [answers_missing(MONTH, count) for count in (0, 19, 20, 21)] == [20, 1, 0, 0]


def test_what_is_missing_is_told_in_both_languages() -> None:
    told = told_missing(1, 19)

    assert "masih kurang 19 jawaban" in told.id
    assert told.en.startswith("1 answer by citizens so far; 19 more are needed")
    assert "2 answers" in told_missing(2, 1).en
    assert "1 more is needed" in told_missing(2, 1).en


def test_answers_without_a_contact_are_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match="one who answers many times"):
        CitizenRule(bound_to_contact=False)


def test_policies_that_speak_of_colleagues_alone_keep_their_form() -> None:
    asked = FeedbackRule(colleagues=ColleagueRule(peers=3))

    assert set(asked.model_dump()) == {"colleagues"}


@pytest.mark.parametrize(
    ("name", "answers", "days"),
    [("jakarta", 20, 30), ("palu-evaluasi", 10, None), ("serang", 3, None)],
)
def test_the_packs_whose_articles_ask_citizens_say_how_many(
    name: str, answers: int, days: int | None
) -> None:
    rule = shipped_pack(name).rules.feedback.citizens

    assert rule.min_answers == answers
    assert (rule.window.days if rule.window else None) == days
