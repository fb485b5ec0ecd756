"""One more rating in a group that is not rated through: whole numbers, and only what it breaks."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siklus.workflows.domain.scheme.distribution import Guide, Organisation, judge
from siklus.workflows.domain.scheme.standing import Bound, breaches, caused_by
from siklus.workflows.domain.values import Predicate
from siklus.workflows.packs import shipped_pack

SB, B, BP, K, SK = Predicate
RULE = shipped_pack("permenpan-6-2022").distribution
assert RULE is not None
BAIK = RULE.guides[Organisation.BAIK]


def counts(*numbers: int) -> dict[Predicate, int]:
    """Return how many hold each predicate, best first."""
    return dict(zip(Predicate, numbers, strict=False))


# organisation, counts best first, what is broken: (bound, by)
EXAMPLES = [
    ("ISTIMEWA", (7, 3), []),
    ("ISTIMEWA", (8, 2), [("at_most_percent", 1)]),
    ("BAIK", (3, 7), [("at_least", 1)]),
    ("BAIK", (2, 7, 0, 1), []),
    ("BAIK", (0, 10), [("at_most_percent", 3), ("at_least", 1)]),
    # 70 % of 11 is 7.7: seven are in, eight are not.
    ("BAIK", (3, 7, 1), []),
    ("BAIK", (2, 8, 1), [("at_most_percent", 1)]),
    # 60 % of 11 is 6.6: six are too few.
    ("BUTUH_PERBAIKAN", (1, 4, 6), [("at_least_percent", 1)]),
    ("BUTUH_PERBAIKAN", (1, 3, 6), []),
    ("KURANG", (1, 3, 0, 6), [("at_least_percent", 1)]),
    ("SANGAT_KURANG", (1, 1, 1, 1, 6), [("at_most_percent", 1)]),
]


@pytest.mark.parametrize(("organisation", "held", "broken"), EXAMPLES)
def test_a_group_that_is_rated_through_is_judged_alike(
    organisation: str, held: tuple[int, ...], broken: list[tuple[str, int]]
) -> None:
    assert RULE is not None
    named = Organisation(organisation)

    found = breaches(RULE.guides[named], counts(*held))

    assert [(breach.bound.value, breach.by) for breach in found] == broken
    told = judge(RULE, named, counts(*held)).broken
    assert [(finding.rule, finding.by) for finding in told] == broken


def test_who_is_not_rated_yet_may_still_fill_a_share() -> None:
    assert breaches(BAIK, counts(2, 7), unrated=1) == ()
    (missing,) = breaches(BAIK, counts(3, 7))
    assert (missing.bound, missing.count, missing.allowed) == (Bound.AT_LEAST, 0, 1)


def test_the_eighth_of_ten_is_told_and_so_is_the_last_chance() -> None:
    assert caused_by(BAIK, counts(0, 6), B, unrated=3) == ()
    (eighth,) = caused_by(BAIK, counts(0, 7), B, unrated=2)
    assert (eighth.count, eighth.size, eighth.allowed, eighth.limit) == (8, 10, 7, 70)
    (last,) = caused_by(BAIK, counts(3, 6), SB)
    assert last.bound is Bound.AT_LEAST
    assert caused_by(BAIK, counts(3, 6), BP) == ()


def test_what_others_broke_is_not_this_rating_s_doing() -> None:
    assert caused_by(BAIK, counts(0, 9), BP) == ()
    (further,) = caused_by(BAIK, counts(0, 8, 1), B)
    assert (further.count, further.by) == (9, 2)


@given(st.lists(st.integers(0, 300), min_size=5, max_size=5), st.integers(0, 100))
def test_whole_numbers_agree_with_exact_fractions(held: list[int], limit: int) -> None:
    of, size = counts(*held), sum(held)
    most = breaches((Guide(predicates=(SB,), at_most_percent=limit),), of)
    least = breaches((Guide(predicates=(SB,), at_least_percent=limit),), of)

    share = Fraction(100 * of[SB], size) if size else Fraction(limit)
    assert bool(most) is (share > limit)
    assert bool(least) is (share < limit)
    for breach in (*most, *least):
        step = -breach.by if breach.bound is Bound.AT_MOST_PERCENT else breach.by
        assert breach.by > 0
        assert breach.count + step == breach.allowed
