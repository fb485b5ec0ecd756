"""What a numeric policy may say, and what is refused with its path and the rule."""

import copy
import json
from typing import Any

import pytest

from siklus.workflows.domain import packs
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.problems import PolicyInvalid
from siklus.workflows.packs import shipped, shipped_pack

W = "rules.rating.weighted"


def written(name: str = "pp-30-2019") -> dict[str, Any]:
    tree: dict[str, Any] = shipped_pack(name).model_dump(mode="json", exclude_none=True)
    for key in ("name", "version"):
        del tree["rules"][key]
    for clock in ("on", "opens", "starts", "ends"):
        _days_as_written(tree["rules"], clock)
    return tree


def _days_as_written(tree: Any, key: str) -> None:
    """A day is an object in the compiled form, and a word in the written one."""
    for name, value in tree.items() if isinstance(tree, dict) else ():
        if name == key and isinstance(value, dict):
            before = {-1: "previous ", 0: "", 1: "next "}[value["offset"]]
            tree[name] = f"{before}{value['month']:02}-{value['day'] or 'end'}"
        else:
            _days_as_written(value, key)


def put(tree: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(tree)
    at: Any = changed
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    if isinstance(at, list) and int(last) == len(at):
        at.append(value)
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return changed


def problems(tree: dict[str, Any]) -> set[tuple[str, str]]:
    try:
        packs.load(json.dumps(tree))
    except PolicyInvalid as invalid:
        return {(problem.path, str(problem.code)) for problem in invalid.problems}
    return set()


def test_the_written_form_is_read_back() -> None:
    assert problems(written()) == set()


@pytest.mark.parametrize("name", shipped())
def test_a_pinned_policy_reads_back_as_itself(name: str) -> None:
    policy = packs.compile(shipped_pack(name))

    assert Policy.model_validate_json(policy.model_dump_json()) == policy


@pytest.mark.parametrize(
    ("path", "value", "where", "code"),
    [
        (f"{W}.weights.results", 69, f"{W}.weights", "INVALID_VALUE"),
        (f"{W}.weights.results", 71, f"{W}.weights", "INVALID_VALUE"),
        (f"{W}.with_colleagues.results", "60.01", f"{W}.with_colleagues", "INVALID_VALUE"),
        (f"{W}.colour", 1, f"{W}.colour", "UNKNOWN_KEY"),
        (f"{W}.bands.4.from_score", 1, f"{W}.bands.4.from_score", "BANDS_GAP"),
        (f"{W}.bands.4.exclusive", True, f"{W}.bands.4.from_score", "BANDS_GAP"),
        (f"{W}.bands.4.requires", "innovation", f"{W}.bands.4.requires", "BANDS_GAP"),
        (f"{W}.bands.1.from_score", 70, f"{W}.bands.2.from_score", "BANDS_OVERLAP"),
        (f"{W}.bands.2.from_score", 95, f"{W}.bands.2.from_score", "BANDS_OVERLAP"),
        (f"{W}.bands.2.predicate", "BAIK", f"{W}.bands.2.predicate", "BANDS_OUT_OF_ORDER"),
        (f"{W}.bands.0.from_score", 121, f"{W}.bands.0.from_score", "SCORE_OUT_OF_SCALE"),
        (f"{W}.bands.0.from_score", "NaN", f"{W}.bands.0.from_score", "INVALID_VALUE"),
        (f"{W}.achievement.0.from_percent", 1, f"{W}.achievement.0.from_percent",
         "ACHIEVEMENT_GAP"),
        (f"{W}.achievement.1.from_percent", 61, f"{W}.achievement.1.from_percent",
         "ACHIEVEMENT_GAP"),
        (f"{W}.achievement.1.from_percent", 59, f"{W}.achievement.1.from_percent",
         "ACHIEVEMENT_OVERLAP"),
        (f"{W}.achievement.4.to_percent", 100, f"{W}.achievement.4.to_percent",
         "ACHIEVEMENT_OVERLAP"),
        (f"{W}.achievement.2.from_score", 60, f"{W}.achievement.2.from_score",
         "ACHIEVEMENT_FALLS"),
        (f"{W}.achievement.2.to_score", 60, f"{W}.achievement.2.to_score", "ACHIEVEMENT_FALLS"),
        (f"{W}.achievement.3.to_score", 110, f"{W}.achievement.3.to_score", "ACHIEVEMENT_FALLS"),
        (f"{W}.achievement.4.to_score", 121, f"{W}.achievement.4.to_score",
         "SCORE_OUT_OF_SCALE"),
        (f"{W}.attainable_maximum_score", 119, f"{W}.attainable_maximum_score",
         "SCORE_OUT_OF_SCALE"),
        (f"{W}.caps", [{"when": "late", "results_at_most": 121}],
         f"{W}.caps.0.results_at_most", "SCORE_OUT_OF_SCALE"),
        (f"{W}.caps", [{"when": "late"}], f"{W}.caps.0", "INVALID_VALUE"),
        (f"{W}.caps", [{"when": "late", "score_at_most": 1}] * 2, f"{W}.caps.1.when",
         "REPEATED_VALUE"),
        ("rules.rating.weighted", None, "rules.rating.weighted", "SCHEME_INCOMPLETE"),
        ("rules.rating.scheme", "quadrant", "rules.rating.weighted", "SCHEME_MISMATCH"),
        ("rules.rating.scheme", "quadrant", "rules.rating.matrix.AT", "MATRIX_INCOMPLETE"),
        ("rules.rating.scheme", "numbers", "rules.rating.scheme", "INVALID_VALUE"),
        ("rules.rating.axis_level", "median", "rules.rating.axis_level", "SCHEME_MISMATCH"),
        ("rules.rating.second", {"by": "anybody"}, "rules.rating.second.by", "INVALID_VALUE"),
        ("distribution.mode", "force", "distribution.mode", "INVALID_VALUE"),
        ("distribution.guides.BAIK.0.at_least", 1, "distribution.guides.BAIK.0",
         "INVALID_VALUE"),
        ("distribution.guides.BAIK.0.at_most_percent", 101,
         "distribution.guides.BAIK.0.at_most_percent", "INVALID_VALUE"),
        ("distribution.guides.LUMAYAN", [], "distribution.guides.LUMAYAN", "INVALID_VALUE"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_told_with_its_path_and_rule(
    path: str, value: object, where: str, code: str
) -> None:
    assert (where, code) in problems(put(written(), path, value))


@pytest.mark.parametrize(
    ("path", "value", "where", "code"),
    [
        ("rules.rating.criteria.0.weight", 29, "rules.rating.criteria", "WEIGHTS_NOT_100"),
        ("rules.rating.criteria.0.weight", 31, "rules.rating.criteria", "WEIGHTS_NOT_100"),
        ("rules.rating.criteria.0", {"code": "disiplin", "axis": "behaviour"},
         "rules.rating.criteria", "WEIGHTS_NOT_100"),
        ("rules.rating.criteria.1.code", "disiplin", "rules.rating.criteria.1.code",
         "REPEATED_VALUE"),
        ("rules.rating.criteria.1.code", "lain", "criteria.lain", "LABEL_MISSING"),
        ("rules.rating.criteria.1.axis", "speed", "rules.rating.criteria.1.axis",
         "INVALID_VALUE"),
        ("criteria.lain", {"id": "Lain", "en": "Other"}, "criteria.lain", "UNKNOWN_KEY"),
    ],
)  # fmt: skip
def test_a_wrong_catalogue_is_told_with_its_path(
    path: str, value: object, where: str, code: str
) -> None:
    assert (where, code) in problems(put(written("tubei"), path, value))


@pytest.mark.parametrize(("results", "behaviour"), [(69, 30), (71, 30)])
def test_weights_that_are_no_whole_are_told_once(results: int, behaviour: int) -> None:
    weights = {"results": results, "behaviour": behaviour}
    for pack in ("pp-30-2019", "my-lnpt"):
        tree = put(written(pack), "rules.rating.weighted.weights", weights)
        assert problems(tree) == {("rules.rating.weighted.weights", "INVALID_VALUE")}


def test_weights_that_count_must_be_there() -> None:
    tree = put(written("jakarta"), "rules.rating.axis_level", "weighted_median")

    assert problems(tree) == {("rules.rating.axis_level", "SCHEME_INCOMPLETE")}


def test_weights_that_count_are_there_for_each_axis_that_has_criteria() -> None:
    tree = written("tubei")
    criteria = [
        {"code": "karya", "axis": "results", "weight": 100},
        {"code": "sikap", "axis": "behaviour", "weight": 0},
    ]
    tree = put(tree, "rules.rating.criteria", criteria)
    words = {each["code"]: {"id": "Ini", "en": "This"} for each in criteria}

    assert problems(put(tree, "criteria", words)) == {
        ("rules.rating.axis_level", "SCHEME_INCOMPLETE")
    }


def test_a_catalogue_is_judged_by_levels_alone() -> None:
    tree = put(written(), "rules.rating.criteria", [{"code": "a", "axis": "results"}])

    assert ("rules.rating.criteria", "SCHEME_MISMATCH") in problems(tree)


def test_next_years_catalogue_leaves_the_running_one_alone() -> None:
    this = packs.compile(shipped_pack("jakarta"), 1)
    tree = put(written("jakarta"), "rules.rating.criteria.3", {"code": "x", "axis": "results"})
    following = packs.compile(
        packs.load(json.dumps(put(tree, "criteria.x", {"id": "Tanggap", "en": "Responsive"}))), 2
    )

    assert len(this.rating.criteria) == 3
    assert [each.code for each in following.rating.criteria][3:] == ["x"]
    assert digest_of(this) != digest_of(following)


def test_a_mean_by_days_needs_numbers() -> None:
    tree = put(written("permenpan-6-2022"), "rules.segments.combine", "days_weighted")

    assert problems(tree) == {("rules.segments.combine", "SCHEME_MISMATCH")}


def test_the_message_of_wrong_weights_says_what_they_sum_to() -> None:
    with pytest.raises(PolicyInvalid) as invalid:
        packs.load(json.dumps(put(written(), f"{W}.weights.results", 71)))

    assert invalid.value.problems[0].message == "weights sum to 100, these sum to 101"


def test_one_bound_may_be_a_band_of_its_own() -> None:
    bands = [
        {"predicate": "BAIK", "from_score": 50, "exclusive": True},
        {"predicate": "KURANG", "from_score": 50},
        {"predicate": "SANGAT_KURANG", "from_score": 0},
    ]

    assert problems(put(written(), f"{W}.bands", bands)) == set()
