"""Finding the keys of `LATER` in a written pack: checked under `later:`, refused anywhere else."""

import json
from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from siklus.workflows.domain.later import LATER, NOW_LIVE
from siklus.workflows.domain.problems import Problem, ProblemCode, from_pydantic


def check_later(tree: object) -> list[Problem]:
    """Return what is wrong under `later:`."""
    if not isinstance(tree, dict):
        return [_problem("later", ProblemCode.INVALID_VALUE, "write keys and values here")]
    return _checked(tree, "")


def take_live(tree: Mapping[str, object], prefix: str) -> tuple[dict[str, object], list[Problem]]:
    """Return the tree without the keys that are not supported yet, and a problem for each."""
    left = _copied(tree)
    problems = list[Problem]()
    for path in LATER:
        *sections, key = path.split(".")
        section: object = left
        for name in sections:
            section = section.get(name) if isinstance(section, dict) else None
        if not isinstance(section, dict) or key not in section:
            continue
        del section[key]
        if sections and not section:
            del left[sections[0]]
        where = f"{prefix}.{path}" if prefix else path
        message = f"the engine does not do this yet; keep it as later.{path}"
        problems.append(_problem(where, ProblemCode.NOT_SUPPORTED_YET, message))
    return left, problems


def _checked(tree: Mapping[str, object], prefix: str) -> list[Problem]:
    problems = list[Problem]()
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if path in LATER:
            problems += _faults(LATER[path], value, f"later.{path}")
        elif path in NOW_LIVE:
            message = f"the engine does this now: write it as {NOW_LIVE[path]}"
            problems.append(_problem(f"later.{path}", ProblemCode.UNKNOWN_KEY, message))
        elif isinstance(value, dict) and any(
            known.startswith(f"{path}.") for known in (*LATER, *NOW_LIVE)
        ):
            problems += _checked(value, f"{path}.")
        else:
            message = "this key is not known here"
            problems.append(_problem(f"later.{path}", ProblemCode.UNKNOWN_KEY, message))
    return problems


def _faults(shape: TypeAdapter[object], value: object, where: str) -> list[Problem]:
    try:
        shape.validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError as error:
        return from_pydantic(error.errors(), where)
    return []


def _copied(tree: Mapping[str, object]) -> dict[str, object]:
    return {key: _copied(item) if isinstance(item, dict) else item for key, item in tree.items()}


def _problem(path: str, code: ProblemCode, message: str) -> Problem:
    return Problem(path=path, code=code, message=message)
