"""What holds of every rating, whatever the numbers: monotone, total, exact."""

import ast
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from siklus.workflows.domain import scheme
from siklus.workflows.domain.scheme.indicators import score_indicators
from siklus.workflows.domain.scheme.keys import AxisRule
from siklus.workflows.domain.scheme.levels import axis_level, must_confirm, rate_levels
from siklus.workflows.domain.scheme.refused import RatingFault, RatingInvalid
from siklus.workflows.domain.scheme.weighted import Axes, predicate_of, rate_weighted
from siklus.workflows.domain.values import Level
from siklus.workflows.packs import shipped, shipped_pack

PP_30: Any = shipped_pack("pp-30-2019").rules.rating.weighted
NUMERIC = {name: rule for name in shipped() if (rule := shipped_pack(name).rules.rating.weighted)}
SCORES = st.decimals(0, 120, places=2, allow_nan=False)
AMOUNTS = st.decimals(0, 10_000, places=2, allow_nan=False)
TARGETS = st.decimals("0.01", 10_000, places=2, allow_nan=False)
UPWARDS = (Level.BELOW, Level.AT, Level.ABOVE)


def total(results: Decimal, behaviour: Decimal, **more: Any) -> Any:
    return rate_weighted(PP_30, Axes(results=results, behaviour=behaviour, **more))


@given(SCORES, SCORES, SCORES, st.booleans(), st.booleans())
def test_more_on_an_axis_is_never_less(
    less: Decimal, more: Decimal, other: Decimal, innovation: bool, colleagues: bool
) -> None:
    less, more = sorted((less, more))
    said = {"innovation": innovation, "colleagues": colleagues}

    for one, two in (
        (total(less, other, **said), total(more, other, **said)),
        (total(other, less, **said), total(other, more, **said)),
    ):
        assert one.score <= two.score
        assert one.predicate.rank <= two.predicate.rank


@given(SCORES, SCORES)
def test_an_innovation_is_never_a_loss(results: Decimal, behaviour: Decimal) -> None:
    without, with_one = total(results, behaviour), total(results, behaviour, innovation=True)

    assert without.predicate.rank <= with_one.predicate.rank


def scored(line: dict[str, Any]) -> Decimal:
    written = {
        name: str(value) if isinstance(value, Decimal) else value for name, value in line.items()
    }
    return score_indicators(PP_30, [{"id": "a", "weight": "100", **written}]).score


MEASURES: dict[str, Callable[[Decimal, Decimal], dict[str, Any]]] = {
    "up": lambda target, actual: {"direction": "up", "target": target, "actual": actual},
    "down": lambda target, actual: {"direction": "down", "target": target, "actual": actual},
}


@pytest.mark.parametrize("maximum", [False, True])
@pytest.mark.parametrize("direction", MEASURES)
@given(target=TARGETS, one=AMOUNTS, two=AMOUNTS)
def test_a_better_actual_never_scores_less(
    direction: str, maximum: bool, target: Decimal, one: Decimal, two: Decimal
) -> None:
    worse, better = sorted((one, two), reverse=direction == "down")
    made = MEASURES[direction]

    low = scored({**made(target, worse), "maximum": maximum})
    high = scored({**made(target, better), "maximum": maximum})

    assert 0 <= low <= high <= 120


@given(TARGETS, TARGETS, AMOUNTS, AMOUNTS)
def test_nearer_to_a_range_never_scores_less(
    bound: Decimal, other: Decimal, one: Decimal, two: Decimal
) -> None:
    low, high = sorted((bound, other))

    def outside(actual: Decimal) -> Decimal:
        return max(low - actual, actual - high, Decimal(0))

    # On one side of it: a distance below is another share than the same distance above.
    assume((one <= high and two <= high) or (one >= low and two >= low))
    nearer, farther = sorted((one, two), key=outside)
    line = {"direction": "range", "low": low, "high": high}
    assert scored({**line, "actual": farther}) <= scored({**line, "actual": nearer})


@pytest.mark.parametrize("pack", NUMERIC)
@given(st.data())
def test_the_bands_are_total_and_in_order(pack: str, data: st.DataObject) -> None:
    rule = NUMERIC[pack]
    scores = st.decimals(0, rule.maximum, places=6, allow_nan=False)
    less, more = sorted((data.draw(scores), data.draw(scores)))
    innovation = data.draw(st.booleans())

    lower = predicate_of(rule, less, innovation=innovation)
    assert lower.rank <= predicate_of(rule, more, innovation=innovation).rank


@given(SCORES, SCORES)
def test_axes_that_are_mixed_up_show(results: Decimal, behaviour: Decimal) -> None:
    assume(results != behaviour)

    assert total(results, behaviour).score != total(behaviour, results).score


@given(SCORES, SCORES)
def test_the_arithmetic_is_exact_whatever_the_context(results: Decimal, behaviour: Decimal) -> None:
    expected = (results * 70 + behaviour * 30) / 100

    with localcontext() as context:
        context.prec = 3
        found = total(results, behaviour).score

    assert found == expected


@given(
    st.lists(st.sampled_from(Level), min_size=1, max_size=9), st.sampled_from(AxisRule), st.data()
)
def test_a_better_indicator_never_lowers_its_axis(
    levels: list[Level], rule: AxisRule, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(levels) - 1))
    better = data.draw(st.sampled_from(UPWARDS[UPWARDS.index(levels[place]) :]))
    raised = [*levels[:place], better, *levels[place + 1 :]]

    weights = {str(n): data.draw(st.decimals("0.01", 100, places=2)) for n in range(len(levels))}

    before, after = (
        axis_level(rule, {str(n): level for n, level in enumerate(given)}, weights)
        for given in (levels, raised)
    )

    assert UPWARDS.index(before) <= UPWARDS.index(after)
    assert before in levels


def test_half_of_the_weight_is_not_enough_for_the_better_level() -> None:
    levels = {"a": Level.ABOVE, "b": Level.AT}

    for a, b, found in ((50, 50, Level.AT), (51, 49, Level.ABOVE), (49, 51, Level.AT)):
        weights = {"a": Decimal(a), "b": Decimal(b)}
        assert axis_level(AxisRule.WEIGHTED_MEDIAN, levels, weights) is found


def test_a_departure_from_the_indicators_needs_a_reason() -> None:
    must_confirm(Level.AT, Level.AT, "")
    must_confirm(Level.AT, Level.ABOVE, "the work of two")

    with pytest.raises(RatingInvalid) as refused:
        must_confirm(Level.AT, Level.ABOVE, "  ")
    assert (refused.value.fault, refused.value.path) == (RatingFault.REASON_REQUIRED, "results")


def test_the_quadrant_that_is_mixed_up_shows() -> None:
    matrix = shipped_pack("permenpan-6-2022").rules.rating.matrix

    assert rate_levels(matrix, Level.AT, Level.BELOW)[0] == "KURANG"
    assert rate_levels(matrix, Level.BELOW, Level.AT)[0] == "BUTUH_PERBAIKAN"
    (explained,) = rate_levels(matrix, Level.BELOW, Level.AT)[1]
    assert explained.source == "rating.matrix.BELOW.AT"


@pytest.mark.parametrize(
    "file", sorted(Path(scheme.__file__).parent.glob("*.py")), ids=lambda f: f.name
)
def test_no_float_is_anywhere_in_the_schemes(file: Path) -> None:
    found = [
        node.lineno
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (isinstance(node, ast.Name) and node.id in {"float", "complex"})
        or (isinstance(node, ast.Attribute) and node.attr in {"fsum", "sqrt", "as_integer_ratio"})
        or (isinstance(node, ast.Import | ast.ImportFrom) and "math" in ast.unparse(node).split())
    ]

    assert found == []
