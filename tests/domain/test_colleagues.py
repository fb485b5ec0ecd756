"""Feedback by colleagues by the rule book alone: enough of them, closed, and nobody's name."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.feedback import colleagues as rules
from siklus.workflows.domain.feedback.colleagues import Answer, Group, Round
from siklus.workflows.domain.feedback.notes import other_of
from siklus.workflows.domain.feedback.rules import ColleagueRule
from siklus.workflows.domain.values import PersonId

NOW = datetime(2026, 5, 4, 3, tzinfo=UTC)
SITI, BUDI, WAYAN = PersonId("siti"), PersonId("budi"), PersonId("wayan")
AUTHORS = st.sampled_from(["wayan", "yos", "dewi", "eko", "joko"])
ANSWERS = st.lists(st.builds(Answer, score=st.integers(1, 5), author=AUTHORS), max_size=6)


def a_round(*, anonymous: bool = True, min_answers: int = 3, open_for: int = 0) -> Round:
    return Round(
        person=SITI,
        group=Group.PEERS,
        anonymous=anonymous,
        invited=6,
        min_answers=min_answers,
        closes_at=NOW + timedelta(seconds=open_for),
    )


def answering(
    by: PersonId, *, answered: bool | None, same: bool = False, open_for: int = 1
) -> bool:
    return rules.must_be_answerable(
        a_round(open_for=open_for), by, answered=answered, same_request=same, now=NOW
    )


@given(ANSWERS, st.integers(3, 5), st.booleans())
def test_no_anonymous_answer_has_an_author_and_too_few_are_not_shown(
    answers: list[Answer], least: int, is_open: bool
) -> None:
    shown = rules.shown(a_round(min_answers=least, open_for=int(is_open)), answers, NOW)

    if is_open or len(answers) < least:
        assert shown is None
    else:
        assert shown is not None
        assert {each.author for each in shown} == {None}
        assert sorted(each.score for each in shown) == sorted(each.score for each in answers)


@given(st.permutations([Answer(score=score, comment=f"{score}") for score in (1, 3, 3, 5)]))
def test_the_order_in_which_they_came_is_not_shown(answers: list[Answer]) -> None:
    shown = rules.shown(a_round(), answers, NOW)

    assert shown == rules.shown(a_round(), list(reversed(answers)), NOW)


def test_names_are_shown_where_the_policy_wants_them() -> None:
    shown = rules.shown(
        a_round(anonymous=False, min_answers=1), [Answer(score=4, author=WAYAN)], NOW
    )

    assert shown is not None
    assert [each.author for each in shown] == [WAYAN]


@pytest.mark.parametrize(
    ("by", "said", "reason"),
    [
        (SITI, {"answered": None}, Reason.SELF_DECISION),
        (SITI, {"answered": False}, Reason.SELF_DECISION),
        (WAYAN, {"answered": None}, Reason.NOT_A_PARTICIPANT),
        (WAYAN, {"answered": False, "open_for": 0}, Reason.WINDOW_CLOSED),
        (WAYAN, {"answered": True}, Reason.ALREADY_DONE),
    ],
)
def test_who_may_not_answer(by: PersonId, said: dict[str, bool], reason: Reason) -> None:
    with pytest.raises(Refusal) as refused:
        answering(by, **said)
    assert refused.value.reason is reason


def test_the_same_request_again_is_no_second_answer() -> None:
    assert answering(WAYAN, answered=False) is False
    assert answering(WAYAN, answered=True, same=True) is True


def test_whom_the_policy_asks() -> None:
    rule, five = ColleagueRule(peers=3), [PersonId(f"p{n}") for n in range(5)]

    assert rules.answers_wanted(rule, Group.PEERS, five) == 3
    for group, people in ((Group.SUBORDINATES, five), (Group.PEERS, five[:2])):
        with pytest.raises(Refusal) as refused:
            rules.answers_wanted(rule, group, people)
        assert refused.value.reason is Reason.NOT_ALLOWED_BY_POLICY
    with pytest.raises(ValidationError, match="at least 3"):
        ColleagueRule(peers=2)
    assert ColleagueRule(peers=1, anonymous=False).peers == 1


@pytest.mark.parametrize(
    ("by", "team", "reason"),
    [(SITI, True, Reason.SELF_DECISION), (WAYAN, False, Reason.NOT_YOUR_TASK)],
)
def test_who_has_colleagues_asked(by: PersonId, team: bool, reason: Reason) -> None:
    rules.must_be_inviter(BUDI, SITI, BUDI, team=False)
    rules.must_be_inviter(WAYAN, SITI, BUDI, team=True)
    with pytest.raises(Refusal) as refused:
        rules.must_be_inviter(by, SITI, BUDI, team=team)
    assert refused.value.reason is reason


def test_of_an_instant_the_week_is_kept() -> None:
    assert {rules.week_of(date(2026, 5, day)) for day in range(4, 11)} == {date(2026, 5, 4)}


def test_a_note_is_between_two() -> None:
    assert (other_of(SITI, SITI, BUDI), other_of(BUDI, SITI, BUDI)) == (BUDI, SITI)
    with pytest.raises(Refusal) as refused:
        other_of(WAYAN, SITI, BUDI)
    assert refused.value.reason is Reason.NOT_YOUR_TASK
