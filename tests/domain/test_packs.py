"""Packs: what ships, what each of them has and the others lack, and what is refused where."""

import copy
import json
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from siklus.workflows.domain.flow import Who, describe
from siklus.workflows.domain.labels import StageName
from siklus.workflows.domain.packs import MAX_COMPILED_BYTES, PolicyPack, compile, load
from siklus.workflows.domain.policy import Late, Policy, Span
from siklus.workflows.domain.problems import PolicyInvalid, ProblemCode
from siklus.workflows.packs import shipped, shipped_pack, source_of

Tree = dict[str, Any]


def written(name: str = "permenpan-6-2022") -> Tree:
    tree: Tree = _typed(yaml.load(source_of(name), Loader=yaml.BaseLoader))
    return tree


def _typed(value: Any) -> Any:
    """BaseLoader reads texts only; trees are changed and written as JSON, a part of YAML."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    words = {"true": True, "false": False}
    return int(value) if value.lstrip("-").isdigit() else words.get(value, value)


def put(tree: Tree, path: str, value: object) -> Tree:
    changed = copy.deepcopy(tree)
    *sections, key = path.split(".")
    at = changed
    for section in sections:
        at = at.setdefault(section, {})
    at[key] = value
    return changed


def drop(tree: Tree, path: str) -> Tree:
    changed = copy.deepcopy(tree)
    *sections, key = path.split(".")
    at = changed
    for section in sections:
        at = at[section]
    del at[key]
    return changed


def problems_of(source: Tree | str | bytes) -> set[tuple[str, str]]:
    try:
        load(json.dumps(source) if isinstance(source, dict) else source)
    except PolicyInvalid as invalid:
        return {(problem.path, str(problem.code)) for problem in invalid.problems}
    return set()


def test_ten_packs_ship() -> None:
    assert shipped() == (
        "jakarta",
        "my-lnpt",
        "palu-evaluasi",
        "palu-skp",
        "permenpan-6-2022",
        "ph-spms",
        "pp-30-2019",
        "serang",
        "tubei",
        "us-gs",
    )


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_pack_is_whole(name: str) -> None:
    pack = shipped_pack(name)

    assert pack.name == compile(pack).name == name
    assert len(compile(pack, version=3).model_dump_json().encode()) <= MAX_COMPILED_BYTES
    assert compile(pack, version=3).version == 3
    assert len(pack.description.id) > 100
    assert pack.description.id != pack.description.en
    assert all(pack.stage_title(stage).id for stage in StageName)


@pytest.mark.parametrize(("one", "two"), list(combinations(shipped(), 2)))
def test_no_two_shipped_packs_make_the_same_year(one: str, two: str) -> None:
    unnamed = {"name": "x"}

    assert shipped_pack(one).rules.model_copy(update=unnamed) != shipped_pack(two).rules.model_copy(
        update=unnamed
    )


OWN: dict[str, Callable[[Policy], bool]] = {
    "permenpan-6-2022": lambda p: p.periods.per_year == 4 and p.midyear.enabled,
    "pp-30-2019": lambda p: p.rating.weighted is not None and p.rating.weighted.maximum == 120,
    "us-gs": lambda p: p.year.starts.month == 10 and not p.segments.min_days > 90,
    "ph-spms": lambda p: p.appeal.window.days == 10 and not p.midyear.enabled,
    "my-lnpt": lambda p: p.rating.second is not None,
    "palu-evaluasi": lambda p: p.periods.per_year == 4 and not p.midyear.enabled,
    "tubei": lambda p: p.rating.per_indicator and p.periods.per_year == 2,
    "jakarta": lambda p: p.periods.per_year == 12 and p.reopen_needs_second_person,
    "palu-skp": lambda p: p.plan.max_returns == 5,
    "serang": lambda p: p.self_evaluation.late.act is Late.ESCALATE,
}


@pytest.mark.parametrize("name", shipped())
def test_a_pack_has_what_its_source_asks_for_and_the_others_lack_it(name: str) -> None:
    having = [other for other in shipped() if OWN[name](shipped_pack(other).rules)]

    assert having == [name]


@pytest.mark.parametrize("name", [n for n in shipped() if n not in {"us-gs", "ph-spms"}])
def test_the_window_of_an_appeal_is_a_fortnight_wherever_the_national_rules_hold(name: str) -> None:
    appeal = compile(shipped_pack(name)).appeal

    assert appeal.enabled
    assert appeal.window == Span(days=14)


@pytest.mark.parametrize(
    ("path", "value", "where", "code"),
    [
        ("colour", "red", "colour", "UNKNOWN_KEY"),
        ("rules.colour", "red", "rules.colour", "UNKNOWN_KEY"),
        ("rules.appeal.windw", {"days": 1}, "rules.appeal.windw", "UNKNOWN_KEY"),
        ("rules.name", "x", "rules.name", "UNKNOWN_KEY"),
        ("later", {}, "later", "UNKNOWN_KEY"),
        ("later.languages", ["id"], "later", "UNKNOWN_KEY"),
        ("rules.appeal.window.days", "14", "rules.appeal.window.days", "INVALID_VALUE"),
        ("rules.appeal.window.days", -1, "rules.appeal.window.days", "INVALID_VALUE"),
        ("rules.appeal.window.days", True, "rules.appeal.window.days", "INVALID_VALUE"),
        ("rules.appeal.window.count", "weeks", "rules.appeal.window.count", "INVALID_VALUE"),
        ("rules.appeal.enabled", "yes", "rules.appeal.enabled", "INVALID_VALUE"),
        ("rules.periods.per_year", 3, "rules.periods.per_year", "INVALID_VALUE"),
        ("rules.plan.due.on", "02-30", "rules.plan.due.on", "INVALID_VALUE"),
        ("rules.plan.due.on", "13-01", "rules.plan.due.on.month", "INVALID_VALUE"),
        ("rules.plan.due.on", "next year 01-01", "rules.plan.due.on", "INVALID_VALUE"),
        ("rules.plan.remind", [-1000000], "rules.plan.remind.0", "INVALID_VALUE"),
        ("rules.plan.remind", [1, 1], "rules.plan.remind", "REPEATED_VALUE"),
        ("rules.calendar", {"zone": "Asia/Nowhere"}, "rules.calendar.zone", "UNKNOWN_ZONE"),
        ("rules.calendar", {"zone": "../etc"}, "rules.calendar.zone", "UNKNOWN_ZONE"),
        ("rules.calendar", {"weekdays": []}, "rules.calendar.weekdays", "INVALID_VALUE"),
        ("rules.calendar", {"weekdays": [1, 1]}, "rules.calendar.weekdays", "REPEATED_VALUE"),
        ("rules.languages", ["id", "id"], "rules.languages", "REPEATED_VALUE"),
        ("rules.languages", ["fr"], "rules.languages.0", "INVALID_VALUE"),
        ("rules.languages", [], "rules.languages", "INVALID_VALUE"),
        ("rules.rating.matrix.AT.AT", "Baik", "rules.rating.matrix.AT.AT", "INVALID_VALUE"),
        ("rules.rating.matrix.SO", {}, "rules.rating.matrix.SO", "INVALID_VALUE"),
        ("rules.rating.enabled", False, "rules.rating.enabled", "RATING_REQUIRED"),
        ("rules.rating.late.act", "go_on", "rules.rating.late.act", "LATE_ACT_NOT_ALLOWED"),
        ("rules.appeal.late.act", "lapse", "rules.appeal.late.act", "LATE_ACT_NOT_ALLOWED"),
        ("rules.plan.team_may_set", False, "rules.plan.late.act", "LATE_ACT_NOT_ALLOWED"),
        ("rules.year.ends", "previous 12-31", "rules.year.ends", "YEAR_REVERSED"),
        ("rules.midyear.opens", "12-15", "rules.midyear.due.on", "DUE_BEFORE_OPENING"),
        ("rules.rating.due.after", {"days": 30}, "rules.rating.due", "DUE_AMBIGUOUS"),
        ("title", {"id": "Judul"}, "title.en", "MISSING_KEY"),
        ("title.en", "", "title.en", "INVALID_VALUE"),
        ("name", "Has Spaces", "name", "INVALID_VALUE"),
        ("stages", {"lunch": {"id": "a", "en": "b"}}, "stages.lunch", "INVALID_VALUE"),
        ("rules", [], "rules", "INVALID_VALUE"),
    ],
)
def test_a_wrong_value_is_told_with_its_path(
    path: str, value: object, where: str, code: str
) -> None:
    assert (where, code) in problems_of(put(written(), path, value))


@pytest.mark.parametrize(
    ("path", "where", "code"),
    [
        ("rules.rating.matrix.AT.BELOW", "rules.rating.matrix.AT.BELOW", "MATRIX_INCOMPLETE"),
        ("rules.rating.matrix.ABOVE", "rules.rating.matrix.ABOVE", "MATRIX_INCOMPLETE"),
        ("rules.midyear.opens", "rules.midyear.opens", "OPENING_REQUIRED"),
        ("rules", "rules", "MISSING_KEY"),
        ("name", "name", "MISSING_KEY"),
        ("description.id", "description.id", "MISSING_KEY"),
    ],
)
def test_a_missing_value_is_told_with_its_path(path: str, where: str, code: str) -> None:
    assert problems_of(drop(written(), path)) == {(where, code)}


def test_stages_open_one_after_the_other() -> None:
    tree = put(written(), "rules.self_evaluation.opens", "06-15")

    assert problems_of(tree) == {("rules.self_evaluation.opens", "STAGES_OUT_OF_ORDER")}


def test_receipt_is_deemed_unless_there_is_no_appeal() -> None:
    tree = put(written(), "rules.delivery.deemed_after_days", None)

    where = "rules.delivery.deemed_after_days"
    assert problems_of(tree) == {(where, "DEEMED_RECEIPT_REQUIRED")}
    assert problems_of(put(tree, "rules.appeal.enabled", False)) == set()


def test_labels_are_closed_over_the_codes() -> None:
    labels = shipped_pack("tubei").labels.model_dump(mode="json")
    whole = put(written(), "labels", labels)

    assert problems_of(whole) == set()
    assert problems_of(drop(whole, "labels.predicates.KURANG")) == {
        ("labels.predicates.KURANG", "LABEL_MISSING")
    }
    assert problems_of(put(whole, "labels.levels.SO", {"id": "a", "en": "b"})) == {
        ("labels.levels.SO", "INVALID_VALUE")
    }


def test_all_problems_are_told_at_once() -> None:
    tree = put(written(), "rules.appeal.window.days", 1000)
    tree = put(tree, "rules.rating.enabled", False)
    tree = put(tree, "rules.colour", "red")
    tree = put(tree, "later.calibration", {})

    assert problems_of(tree) == {
        ("rules.appeal.window.days", "INVALID_VALUE"),
        ("rules.rating.enabled", "RATING_REQUIRED"),
        ("rules.colour", "UNKNOWN_KEY"),
        ("later", "UNKNOWN_KEY"),
    }


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"name: &a x\ntitle: *a\n", ProblemCode.ALIAS),
        (b"name: !!python/object:os.system x\n", ProblemCode.TAG),
        (b"name: x\nname: y\n", ProblemCode.DUPLICATE_KEY),
        (b"name: [" * 20, ProblemCode.TOO_DEEP),
        (b"[" * 60_000, ProblemCode.TOO_DEEP),
        (b"a: " + b"x" * 70_000, ProblemCode.TOO_LARGE),
        (b"a: [1\n", ProblemCode.NOT_YAML),
        (b"\xff\xfe\x00", ProblemCode.NOT_YAML),
        (b"a: \x00", ProblemCode.NOT_YAML),
        (b'a: "\\ud800"', ProblemCode.NOT_YAML),
        (b"", ProblemCode.NOT_YAML),
        (b"- a\n", ProblemCode.NOT_YAML),
        (b"? [a]\n: b\n", ProblemCode.NOT_YAML),
        (b"a: 1\n---\na: 2\n", ProblemCode.NOT_YAML),
    ],
)
def test_a_file_that_is_more_or_less_than_plain_yaml_is_refused(
    source: bytes, code: ProblemCode
) -> None:
    assert str(code) in {found for _, found in problems_of(source)}


def test_a_repeated_key_deep_in_the_file_is_told_with_its_path() -> None:
    text = (
        source_of("tubei").decode().replace("max_returns: 3", "max_returns: 3\n    max_returns: 4")
    )

    assert problems_of(text) == {
        ("rules.plan.max_returns", "DUPLICATE_KEY"),
        ("rules.rating.max_returns", "DUPLICATE_KEY"),
    }


def test_plain_words_stay_words() -> None:
    source = source_of("permenpan-6-2022").replace(b"mode: warn", b"mode: off")

    rule = load(source).distribution
    assert rule is not None
    assert rule.mode == "off"


def test_an_unknown_key_with_a_dot_in_it_is_told_like_any_other() -> None:
    tree = written()
    tree["rules"][". team_may_set"] = True

    assert problems_of(tree) == {("rules.. team_may_set", "UNKNOWN_KEY")}


@settings(deadline=None)
@given(st.data())
def test_any_damage_is_a_problem_and_never_a_crash(data: st.DataObject) -> None:
    text = source_of("tubei").decode()
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 40))
    inserted = data.draw(st.text(max_size=8))

    try:
        pack = load(text[:start] + inserted + text[start + length :])
    except PolicyInvalid:
        return
    assert isinstance(pack, PolicyPack)


def test_the_flow_tells_the_stages_that_are_on() -> None:
    stages = {told.stage: told for told in describe(shipped_pack("palu-evaluasi").rules)}

    assert StageName.MIDYEAR not in stages
    assert stages[StageName.PERIODS].times == 4
    assert stages[StageName.APPEAL].who == (Who.EMPLOYEE, Who.SUPERVISOR, Who.SUPERIOR)
    assert stages[StageName.APPEAL].spans["appeal.window"].days == 14
    assert stages[StageName.RATING].late == shipped_pack("palu-evaluasi").rules.rating.late
    assert list(stages) == [stage for stage in StageName if stage in stages]
