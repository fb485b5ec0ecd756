"""The rules that stand in the protos, checked before anything of ours sees a request."""

from collections.abc import AsyncIterator, Iterable
from functools import cache
from typing import Any

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor
from protovalidate import EvaluationError, Violation

from siklus.services.interceptors.layer import Call, Gate
from siklus.workflows.domain.errors import Reason, Refusal, invalid


class Validation(Gate):
    """Refuses a request with FIELD_INVALID and the path of every field that breaks a rule."""

    name = "validation"

    def admit(self, call: Call) -> Any:
        """Check the request; in a stream, each message as it comes."""
        if call.method.public:
            return call.request
        if call.method.streams_in:
            return _each_valid(call.request)
        must_be_valid(call.request)
        return call.request


async def _each_valid(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        must_be_valid(request)
        yield request


def must_be_valid(request: Any) -> None:
    """Raise the refusal of a request that breaks its rules."""
    _must_not_be_too_long(request)
    try:
        violations = protovalidate.collect_violations(request)
    except EvaluationError:
        message = "the request is too large to be checked; send less at once"
        raise Refusal(Reason.FIELD_INVALID, message) from None
    if violations:
        fields = _problems(violations)
        path, problem = next(iter(fields.items()))
        more = f", and {len(fields) - 1} more" if len(fields) > 1 else ""
        raise Refusal(Reason.FIELD_INVALID, f"{path}: {problem}{more}", fields=fields)


def _must_not_be_too_long(request: Any) -> None:
    """Refuse a list that is too long by its length alone: the rules would look at every item."""
    for name, most in _longest(request.DESCRIPTOR):
        if len(getattr(request, name)) > most:
            raise invalid(name, f"at most {most}, not {len(getattr(request, name))}")


@cache
def _longest(message: Descriptor) -> tuple[tuple[str, int], ...]:
    """Return the lists of a request with the number of items that its rules allow."""
    rules = {each.name: each.GetOptions().Extensions[validate_pb2.field] for each in message.fields}
    lists = {name: rule.repeated for name, rule in rules.items() if rule.HasField("repeated")}
    return tuple(
        (name, rule.max_items) for name, rule in lists.items() if rule.HasField("max_items")
    )


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
