"""The gate keeps what the contract says of each method, and no method goes round it."""

import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from siklus.services.auth.caller import Caller, reset_caller, set_caller
from siklus.services.clock import Clock
from siklus.services.rpc.convert import COMMANDS
from siklus.services.rpc.gate import admit, admit_person, methods, rules_of
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.server import Parts, build_server
from siklus.v1 import annotations_pb2
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId, PersonId, Role

PALU = AgencyId("palu")
METHODS = list(methods())
NAMED = {method.name: method for method in METHODS}
SHUT = {Reason.ROLE_REQUIRED, ServiceReason.SCOPE_REQUIRED}


def person(*roles: Role, who: str = "siti") -> Caller:
    return Caller(PALU, PersonId(who), roles)


def program(*scopes: str) -> Caller:
    return Caller(PALU, None, (Role.INTEGRATOR,), "payroll", frozenset(scopes))


@contextmanager
def calling(caller: Caller) -> Iterator[None]:
    before = set_caller(caller)
    try:
        yield
    finally:
        reset_caller(before)


def refusal(caller: Caller, method: str, **about: Any) -> Refusal | ServiceRefusal | None:
    with calling(caller):
        try:
            admit(method, **about)
        except (Refusal, ServiceRefusal) as refused:
            return refused
    return None


def test_every_service_file_of_the_contract_is_behind_the_gate() -> None:
    folder = Path(annotations_pb2.__file__).parent
    files = {file.name.removesuffix("_pb2_grpc.py") for file in folder.glob("*_pb2_grpc.py")}

    assert {Path(method.containing_service.file.name).stem for method in METHODS} == files


def test_every_method_says_whom_it_lets_in_and_has_a_name_of_its_own() -> None:
    assert len(METHODS) == len(NAMED) > 60
    for method in METHODS:
        assert method.GetOptions().HasExtension(annotations_pb2.call), method.full_name
        rules = rules_of(method.name)
        assert bool(rules.roles or rules.participants) != rules.open, method.full_name
        assert annotations_pb2.CALLER_ROLE_UNSPECIFIED not in rules.roles, method.full_name


@pytest.mark.parametrize("method", NAMED)
def test_a_program_needs_the_scope_of_the_method_and_no_other(method: str) -> None:
    scope = rules_of(method).scope
    others = {rules_of(other).scope for other in NAMED} - {scope, ""}

    refused = refusal(program(*others, f"{scope}.all", scope.upper()), method)

    assert refused is not None
    if scope:
        assert (refused.reason, refused.details) == (
            ServiceReason.SCOPE_REQUIRED,
            {"scope": scope},
        )
        assert refusal(program(scope), method) is None
    else:
        assert refused.reason is Reason.ROLE_REQUIRED


@pytest.mark.parametrize("method", NAMED)
def test_a_person_needs_one_of_the_roles_or_a_part_in_it_and_never_a_scope(method: str) -> None:
    rules = rules_of(method)
    named = {annotations_pb2.CallerRole.Name(role) for role in rules.roles}
    for role in Role:
        refused = refusal(person(role), method)

        if f"CALLER_ROLE_{role.name}" in named or rules.participants:
            assert refused is None, role
        else:
            assert refused is not None
            assert refused.reason is Reason.ROLE_REQUIRED


def test_the_own_data_need_no_role_and_those_of_others_do() -> None:
    assert refusal(person(), "GetPerson", about=PersonId("siti")) is None
    refused = refusal(person(Role.EMPLOYEE), "GetPerson", about=PersonId("budi"))
    assert refused is not None
    assert refused.details == {"roles": "agency_admin,auditor"}
    assert refusal(person(Role.AUDITOR), "GetPerson", about=PersonId("budi")) is None


def test_only_a_person_has_an_inbox() -> None:
    with calling(person(Role.EMPLOYEE)):
        assert admit_person("ListTasks")[1] == "siti"
    with calling(program("evaluations.read")), pytest.raises(Refusal):
        admit_person("ListTasks")


def test_a_caller_is_a_person_or_a_program() -> None:
    for who, what in ((None, None), (PersonId("siti"), "payroll")):
        with pytest.raises(ValueError, match="either"):
            Caller(PALU, who, (), what)
    assert person().subject == "siti"
    assert program().subject == "program:payroll"


class Registered:
    """Stands for the server of `build_server` and keeps what is registered with it."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, generic: Any) -> None:
        for method in METHODS:
            path = f"/{method.containing_service.full_name}/{method.name}"
            found = [each.service(SimpleNamespace(method=path)) for each in generic]
            for handler in filter(None, found):
                self.handlers[method.full_name] = handler

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Reflection registers itself in both ways; ours in the general way alone."""


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Every handler of the shipped server, over parts that break whoever touches them."""
    registered = Registered()
    monkeypatch.setattr(grpc.aio, "server", lambda **_: registered)
    broken = MagicMock(spec=())
    build_server(Parts(broken, broken, broken, MagicMock(), Clock()))
    return registered.handlers


async def answer_of(handler: Any, method: MethodDescriptor) -> BaseException | None:
    """Call a handler with an empty request and return what it raised."""
    request: Any = GetMessageClass(method.input_type)()
    if method.name == "GetPerson":
        request.name = "agencies/palu/people/budi"
    sides = (handler.request_streaming, handler.response_streaming)
    behaviour = getattr(handler, "_".join("stream" if each else "unary" for each in sides))
    try:
        called = behaviour(_alone(request) if handler.request_streaming else request, MagicMock())
        await (anext(called) if inspect.isasyncgen(called) else called)
    except Exception as raised:
        return raised
    return None


async def _alone(request: Any) -> AsyncIterator[Any]:
    yield request


def test_what_is_open_to_all_is_one_method() -> None:
    """One more is a decision, and needs a limit by address and a way in through the side door."""
    open_to_all = {name for name in NAMED if rules_of(name).open}

    assert open_to_all == {"RateContact"}
    assert all(rules_of(name).per_second for name in open_to_all)


@pytest.mark.parametrize(
    "method", [each for each in METHODS if not rules_of(each.name).open], ids=lambda each: each.name
)
async def test_no_method_does_anything_before_the_gate(
    handlers: dict[str, Any], method: MethodDescriptor
) -> None:
    handler = handlers[method.full_name]
    scope = rules_of(method.name).scope

    with calling(program()):
        without = await answer_of(handler, method)
    with calling(program(*filter(None, [scope]))):
        with_it = await answer_of(handler, method)

    assert isinstance(without, Refusal | ServiceRefusal), without
    assert without.reason in SHUT
    let_in = getattr(with_it, "reason", None) not in SHUT
    assert let_in == bool(scope)


def test_no_command_on_an_evaluation_is_open_to_programs() -> None:
    assert {rules_of(command).scope for command in COMMANDS} == {""}
