"""The guide of a distribution, compared in whole numbers."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from siklus.workflows.domain.scheme.distribution import (
    Distribution,
    Guide,
    Mode,
    Organisation,
    Verdict,
    judge,
)
from siklus.workflows.domain.values import Predicate
from siklus.workflows.packs import shipped, shipped_pack

EXAMPLES = yaml.safe_load(Path(__file__).with_name("distribution_examples.yaml").read_text())
NATIONAL: Any = shipped_pack("permenpan-6-2022").distribution
COUNTS = st.dictionaries(st.sampled_from(Predicate), st.integers(0, 500))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["name"] for example in EXAMPLES])
def test_example(example: dict[str, Any]) -> None:
    counts = {Predicate(name): count for name, count in example["counts"].items()}

    judged = judge(NATIONAL, Organisation(example["organisation"]), counts)

    by_path = {
        f"distribution.guides.{example['organisation']}.{number}": by
        for number, by in example.get("broken", {}).items()
    }
    assert judged.verdict == example["verdict"]
    assert {each.path: each.by for each in judged.broken} == by_path


@given(COUNTS, st.sampled_from(Organisation))
def test_whole_numbers_agree_with_exact_fractions(
    counts: dict[Predicate, int], organisation: Organisation
) -> None:
    rule = NATIONAL.model_copy(update={"min_group_size": 1})
    judged = judge(rule, organisation, counts)
    group = sum(counts.values())

    for found in judged.findings:
        share = Fraction(found.count, group)
        kept = {
            "at_most_percent": share <= Fraction(found.bound, 100),
            "at_least_percent": share >= Fraction(found.bound, 100),
            "at_least": found.count >= found.bound,
        }[found.rule]
        assert found.kept is kept
        assert (found.by > 0) is not kept


@given(COUNTS, st.sampled_from(Organisation))
def test_off_says_nothing_of_anybody(
    counts: dict[Predicate, int], organisation: Organisation
) -> None:
    off = NATIONAL.model_copy(update={"mode": Mode.OFF})

    for rule in (None, off):
        judged = judge(rule, organisation, counts)
        assert (judged.verdict, judged.findings) == (Verdict.OFF, ())


def test_block_blocks() -> None:
    rule = NATIONAL.model_copy(update={"mode": Mode.BLOCK})

    judged = judge(rule, Organisation.ISTIMEWA, {Predicate.SANGAT_BAIK: 10})

    assert (judged.verdict, judged.broken[0].by) == (Verdict.BLOCK, 3)
    assert judged.broken[0].text.id == (
        "Sangat Baik: 10 × 100 = 1000 > 70 × 10 = 700; paling banyak 70 % (7 orang): kelebihan 3"
    )


def test_a_negative_count_is_a_fault() -> None:
    with pytest.raises(ValueError, match="not negative"):
        judge(NATIONAL, Organisation.BAIK, {Predicate.BAIK: -1})


@pytest.mark.parametrize("bounds", [{}, {"at_least": 1, "at_most_percent": 10}])
def test_a_guide_has_exactly_one_bound(bounds: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        Guide.model_validate({"predicates": ["BAIK"], **bounds})


def test_the_american_pack_rules_no_distribution() -> None:
    rules = {name: shipped_pack(name).distribution for name in shipped()}

    assert rules["us-gs"] == Distribution(mode=Mode.OFF)
    assert {name for name, rule in rules.items() if rule and rule.mode is Mode.WARN} == {
        "permenpan-6-2022",
        "pp-30-2019",
    }
