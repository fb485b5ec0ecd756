"""The one gate: whom the contract lets call what.

Every method states in its `(siklus.v1.call)` option which roles, which participants and which
scope it asks for. A person needs one of the roles, or to be a participant; a program needs the
scope, and calls nothing that has none. What a person may decide on an evaluation is told apart by
the rule book alone, which knows its seats.
"""

from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Final

from google.protobuf.descriptor import MethodDescriptor

from siklus.services.auth.caller import Caller, current_caller
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import (
    annotations_pb2,
    appeal_panel_service_pb2,
    audit_service_pb2,
    calibration_service_pb2,
    cohort_service_pb2,
    cycle_service_pb2,
    document_service_pb2,
    evaluation_service_pb2,
    feedback_service_pb2,
    operation_service_pb2,
    outcome_service_pb2,
    policy_service_pb2,
    reminder_service_pb2,
    repair_service_pb2,
    roster_change_service_pb2,
    roster_import_service_pb2,
    roster_service_pb2,
    subscription_service_pb2,
    task_service_pb2,
)
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import PersonId, Role

FILES: Final[tuple[ModuleType, ...]] = (
    appeal_panel_service_pb2,
    audit_service_pb2,
    calibration_service_pb2,
    cohort_service_pb2,
    cycle_service_pb2,
    document_service_pb2,
    evaluation_service_pb2,
    feedback_service_pb2,
    operation_service_pb2,
    outcome_service_pb2,
    policy_service_pb2,
    reminder_service_pb2,
    repair_service_pb2,
    roster_import_service_pb2,
    roster_change_service_pb2,
    roster_service_pb2,
    subscription_service_pb2,
    task_service_pb2,
)


def admit(method: str, *, about: PersonId | None = None) -> Caller:
    """Return the caller if they may call the method; else raise ROLE_REQUIRED or SCOPE_REQUIRED.

    `about` is the person whose own data is asked for: they need no role for it. Where a method is
    open to participants and `about` is not given, every person passes, and the service looks at
    the evaluation.
    """
    caller, rules = current_caller(), rules_of(method)
    if caller.person is None:
        _must_have_scope(caller, rules)
    elif not (rules.participants and about in {None, caller.person}):
        _must_have_role(caller, method)
    return caller


def admit_person(method: str) -> tuple[Caller, PersonId]:
    """Return the caller of a method that no scope opens, who therefore is a person."""
    caller = admit(method)
    if caller.person is None:
        raise _people_only()
    return caller, caller.person


def admit_decision() -> Caller:
    """Return the caller of a command on an evaluation: a person, whom the rule book then judges.

    Raises ROLE_REQUIRED for a program, whatever its scopes.
    """
    caller = current_caller()
    if caller.person is None:
        raise _people_only()
    return caller


def _must_have_role(caller: Caller, method: str) -> None:
    allowed = _roles(method)
    if not caller.has(*allowed):
        names = " or ".join(role.value for role in allowed)
        raise Refusal(
            Reason.ROLE_REQUIRED,
            f"this needs the role {names}",
            details={"roles": ",".join(allowed)},
        )


def _must_have_scope(caller: Caller, rules: annotations_pb2.CallRules) -> None:
    if not rules.scope:
        raise _people_only()
    if rules.scope not in caller.scopes:
        raise ServiceRefusal(
            ServiceReason.SCOPE_REQUIRED,
            f"this needs the scope {rules.scope}",
            details={"scope": rules.scope},
        )


def _people_only() -> Refusal:
    return Refusal(Reason.ROLE_REQUIRED, "only a person may do this; no scope opens it to programs")


@cache
def rules_of(method: str) -> annotations_pb2.CallRules:
    """Return what the contract says of a method; raises KeyError for one that it does not have."""
    return {each.name: _rules(each) for each in methods()}[method]


def methods() -> Iterator[MethodDescriptor]:
    """Yield every method of the contract; their names are unique over its services."""
    for file in FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def _rules(method: MethodDescriptor) -> annotations_pb2.CallRules:
    rules: annotations_pb2.CallRules = method.GetOptions().Extensions[annotations_pb2.call]
    return rules


@cache
def _roles(method: str) -> tuple[Role, ...]:
    named = map(annotations_pb2.CallerRole.Name, rules_of(method).roles)
    return tuple(Role[name.removeprefix("CALLER_ROLE_")] for name in named)
