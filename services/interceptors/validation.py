"""The rules that stand in the protos, checked before anything of ours sees a request."""

from collections.abc import Iterable
from typing import Any

import protovalidate
from protovalidate import Violation

from siklus.services.interceptors.layer import Call, Gate
from siklus.workflows.domain.errors import Reason, Refusal


class Validation(Gate):
    """Refuses a request with FIELD_INVALID and the path of every field that breaks a rule."""

    name = "validation"

    def admit(self, call: Call) -> Any:
        """Check the request; messages of a stream are checked by whoever reads them."""
        if not call.method.public and not call.method.streams_in:
            must_be_valid(call.request)
        return call.request


def must_be_valid(request: Any) -> None:
    """Raise the refusal of a request that breaks its rules."""
    violations = protovalidate.collect_violations(request)
    if violations:
        fields = _problems(violations)
        path, problem = next(iter(fields.items()))
        more = f", and {len(fields) - 1} more" if len(fields) > 1 else ""
        raise Refusal(Reason.FIELD_INVALID, f"{path}: {problem}{more}", fields=fields)


def _problems(violations: Iterable[Violation]) -> dict[str, str]:
    """Return path → what is wrong, the first rule of a field winning."""
    found: dict[str, str] = {}
    for violation in violations:
        found.setdefault(path_of(violation), violation.proto.message or "is not valid")
    return found


def path_of(violation: Violation) -> str:
    """Return where a violation is, as in `indicators[2].id`.

    A rule over several fields has no place of its own: its id ends with the field that it blames.
    """
    if violation.proto.field is None or not violation.proto.field.elements:
        return (violation.proto.rule_id or "").rpartition(".")[2]
    steps = []
    for element in violation.proto.field.elements:
        subscript = "" if element.subscript is None else f"[{element.subscript.value}]"
        steps.append(f"{element.field_name}{subscript}")
    return ".".join(steps)
