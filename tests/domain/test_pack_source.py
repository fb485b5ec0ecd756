"""A hostile text costs little: what is read, told and kept of it is bounded before it is built."""

import time
import tracemalloc

import pytest
import yaml

from siklus.workflows.domain.pack_source import MAX_BYTES, MAX_EVENTS, read_tree
from siklus.workflows.domain.packs import load
from siklus.workflows.domain.problems import (
    LONGEST_PATH,
    MOST_PROBLEMS,
    PolicyInvalid,
    Problem,
    ProblemCode,
)
from siklus.workflows.packs import shipped, source_of

LONG_KEY = "k" * 32_000
BOMBS = {
    "long paths": f'? "{LONG_KEY}"\n: [' + "!x 1," * 5_000 + "]",
    "long paths, few": f'? "{LONG_KEY}"\n: [' + "!x 1," * 1_000 + "]",
    "many anchors": "[" + "&a 1," * 10_000 + "]",
    "many keys": "{" + ",".join(f"k{number}: 1" for number in range(6_000)) + "}",
    "fewer keys": "{" + ",".join(f"k{number}: 1" for number in range(1_900)) + "}",
    "many tags": "[" + "!x 1," * 3_000 + "]",
    "many items": "a: [" + "1," * 30_000 + "]",
    "repeated keys": "a: 1\n" * 1_900,
}
MEGABYTE = 1_000_000


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_hostile_text_is_refused_soon_and_small(bomb: str) -> None:
    assert len(bomb) <= MAX_BYTES
    started = time.process_time()
    with pytest.raises(PolicyInvalid) as refused:
        load(bomb)
    took = time.process_time() - started
    tracemalloc.start()
    with pytest.raises(PolicyInvalid):
        load(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    problems = refused.value.problems
    told = sum(len(each.path) + len(each.message) for each in problems) + len(str(refused.value))
    assert 0 < len(problems) <= MOST_PROBLEMS
    assert told < MEGABYTE / 10
    assert peak < 25 * MEGABYTE
    assert took < 0.8


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_pack_is_far_from_every_bound(name: str) -> None:
    assert sum(1 for _ in yaml.parse(source_of(name), Loader=yaml.BaseLoader)) < MAX_EVENTS / 4


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("a: [" + "1," * MAX_EVENTS + "]", "line 1", ProblemCode.TOO_LARGE),
        ("a:\n  " + "k" * 64 + ": 1", "line 2", ProblemCode.TOO_LARGE),
        ("a: &x 1\nb: *x\n", "line 1", ProblemCode.ALIAS),
        ("a: *x\n", "line 1", ProblemCode.ALIAS),
        ("a:\n  b: !x {c: !y 1}\n", "a.b", ProblemCode.TAG),
        ("!x a: 1\n", "line 1", ProblemCode.TAG),
        ("a: 1\nb: {c: 1, c: 2}\n", "b.c", ProblemCode.DUPLICATE_KEY),
        ("? {a: 1}\n: 2\n", "line 1", ProblemCode.NOT_YAML),
        ("a: 1\n--- {}\n", "line 2", ProblemCode.NOT_YAML),
        ("a: 1\n---\n", "line 2", ProblemCode.NOT_YAML),
        ('a: "\\UFFFFFFFF"', "", ProblemCode.NOT_YAML),
        ("%YAML " + "1" * 5000 + ".1\n--- a", "", ProblemCode.NOT_YAML),
    ],
)
def test_the_first_problem_has_its_place(text: str, path: str, code: ProblemCode) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        read_tree(text)

    first = refused.value.problems[0]
    assert (first.path, first.code) == (path, code)


def test_a_tree_is_read_as_written() -> None:
    text = "a: {b: [1, 1.50, x, 'true', true, ~, !!str 1]}\nc:\n  - d: \"é\"\n  -\n"

    assert str(read_tree(text)) == (
        "{'a': {'b': [1, Decimal('1.50'), 'x', 'true', True, None, '1']}, 'c': [{'d': 'é'}, None]}"
    )


def test_problems_are_bounded_wherever_they_come_from() -> None:
    many = [
        Problem(path="a" * 500, code=ProblemCode.TAG, message="m" * 5_000) for _ in range(1_000)
    ]

    invalid = PolicyInvalid(many)

    assert len(invalid.problems) == MOST_PROBLEMS
    assert len(invalid.problems[0].path) <= LONGEST_PATH
    assert len(invalid.problems[0].message) <= 500
    assert len(str(invalid)) < 100
