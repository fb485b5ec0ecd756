"""From a request of the contract to a command of the rule book, for every command of the year.

There is no table of fields, because both sides use one vocabulary: what the command knows becomes
its fact, every other text becomes prose under its path, and the tests prove that nothing is lost.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final, get_args

from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    MethodDescriptor,
)
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError

from siklus.v1 import (
    appeal_panel_service_pb2,
    calibration_service_pb2,
    evaluation_service_pb2,
    repair_service_pb2,
)
from siklus.workflows.domain import commands
from siklus.workflows.domain.errors import Reason, Refusal, invalid

HEADER: Final = frozenset({"name", "request_id", "expected_revision"})
"""What every command request has; the rest is the command's own."""

Facts = dict[str, Any]
Prose = dict[str, str]
Reader = Callable[[Message, Facts, Prose], None]


@dataclass(frozen=True, slots=True)
class Form:
    """One RPC: the message that it takes, the command that it gives, and how to read it."""

    request: type[Message]
    command: type[commands.Command]
    readers: tuple[Reader, ...]


def to_command(request: Message) -> commands.Command:
    """Return the command that a request asks for.

    Its fields were validated before; what the rule book's types refuse besides is FIELD_INVALID.
    """
    form = _BY_REQUEST[request.DESCRIPTOR.name]
    facts: Facts = {}
    prose: Prose = {}
    for read in form.readers:
        read(request, facts, prose)
    try:
        return form.command.model_validate({**facts, "prose": prose})
    except ValidationError as error:
        # Without its context: pydantic's text repeats what was sent.
        raise _refused(error) from None


def part_to_command(
    part: Any, command: type[commands.Command], prose: Prose, *, path: str
) -> commands.Command:
    """Return the command whose facts are the fields of a part of a request; `path` leads there."""
    facts: Facts = {}
    for field in part.DESCRIPTOR.fields:
        _reader(field, command)(part, facts, prose)
    try:
        return command.model_validate({**facts, "prose": prose})
    except ValidationError as error:
        refusal = _refused(error)
        refusal.fields = {f"{path}.{field}": wrong for field, wrong in refusal.fields.items()}
        raise refusal from None


def _refused(error: ValidationError) -> Refusal:
    fields = {
        ".".join(str(step) for step in problem["loc"]): problem["msg"]
        for problem in error.errors(include_input=False, include_url=False)
    }
    message = "some fields are not valid"
    return Refusal(Reason.FIELD_INVALID, message, fields=fields)


def public_commands() -> Iterator[type[commands.Command]]:
    """Yield the commands that a caller may send, each an RPC of its own name."""
    union, *_ = get_args(commands.AnyCommand)
    for command in get_args(union):
        # A transfer comes with the agency's own side, which moves the person as well.
        if command not in commands.SYSTEM_COMMANDS and command is not commands.Transfer:
            yield command


def _form(command: type[commands.Command]) -> Form:
    method = _METHODS[command.__name__]
    content = [field for field in method.input_type.fields if field.name not in HEADER]
    return Form(
        request=GetMessageClass(method.input_type),
        command=command,
        readers=tuple(_reader(field, command) for field in content),
    )


def _reader(field: FieldDescriptor, command: type[commands.Command]) -> Reader:
    as_fact = field.name in command.model_fields
    if field.message_type is None:
        return _value_reader(field, as_fact=as_fact)
    if field.message_type.name == "Evidence":
        return _read_evidence
    if field.message_type.name == "GivenNumbers":
        return _read_numbers
    if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
        return _instant_reader(field.name)
    return _lines_reader(field.name, field.message_type, as_facts=as_fact)


def _value_reader(field: FieldDescriptor, *, as_fact: bool) -> Reader:
    """Read one plain value; an unset text or enum is left to the command's own default."""
    name = field.name
    convert = _plain(field)

    def read(request: Message, facts: Facts, prose: Prose) -> None:
        value = convert(getattr(request, name))
        if value is None:
            return
        if as_fact:
            facts[name] = value
        else:
            prose[name] = value

    return read


def _instant_reader(name: str) -> Reader:
    def read(request: Message, facts: Facts, prose: Prose) -> None:
        if not request.HasField(name):
            return
        try:
            facts[name] = getattr(request, name).ToDatetime(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise invalid(name, "is an instant outside of the years 1 to 9999") from None

    return read


def _lines_reader(name: str, line: Descriptor, *, as_facts: bool) -> Reader:
    """Read lines with an `id`: their texts are prose under `<field>.<id>.<text>`."""
    inner = [each for each in line.fields if each.name != "id"]
    texts = [each.name for each in inner if each.enum_type is None]
    codes = [(each.name, _plain(each)) for each in inner if each.enum_type is not None]

    def read(request: Message, facts: Facts, prose: Prose) -> None:
        lines = getattr(request, name)
        for line in lines:
            said = ((text, getattr(line, text)) for text in texts)
            prose.update({f"{name}.{line.id}.{text}": value for text, value in said if value})
        if as_facts:
            facts[name] = [
                {"id": line.id, **{code: convert(getattr(line, code)) for code, convert in codes}}
                for line in lines
            ]

    return read


def _read_evidence(request: Any, facts: Facts, prose: Prose) -> None:
    """Keep the hashes as facts, in order, and the links as prose under their number from 0."""
    evidence = request.evidence
    facts["evidence"] = [each.sha256 for each in evidence]
    prose.update({f"evidence.{number}.link": each.link for number, each in enumerate(evidence)})


def _read_numbers(request: Any, facts: Facts, prose: Prose) -> None:
    """Read a rating by numbers whole; what is not said is left to the command's defaults."""
    if request.HasField("numbers"):
        facts["numbers"] = _said(request.numbers)


def _said(message: Message) -> Facts:
    found: Facts = {}
    for field, value in message.ListFields():
        if field.message_type is not None:
            found[field.name] = [_said(line) for line in value]
        elif field.enum_type is not None:
            found[field.name] = _codes(field.enum_type)[value].lower()
        else:
            found[field.name] = list(value) if field.name == "conditions" else value
    return found


def _plain(field: FieldDescriptor) -> Callable[[Any], Any]:
    if field.is_repeated:
        return list
    if field.enum_type is not None:
        return _codes(field.enum_type).get
    if field.type == FieldDescriptor.TYPE_STRING:
        return lambda text: text or None
    return lambda value: value


def _codes(enum: EnumDescriptor) -> Mapping[int, str]:
    """Return number → code without the enum's prefix; what is not specified has none."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {value.number: value.name.removeprefix(prefix) for value in enum.values if value.number}


SERVICES: Final = (
    evaluation_service_pb2.DESCRIPTOR.services_by_name["EvaluationService"],
    repair_service_pb2.DESCRIPTOR.services_by_name["RepairService"],
    calibration_service_pb2.DESCRIPTOR.services_by_name["CalibrationService"],
    appeal_panel_service_pb2.DESCRIPTOR.services_by_name["AppealPanelService"],
)
"""The services whose methods are commands."""

_METHODS: Final[Mapping[str, MethodDescriptor]] = {
    method.name: method for service in SERVICES for method in service.methods
}

COMMANDS: Final[Mapping[str, Form]] = {
    command.__name__: _form(command) for command in public_commands()
}
"""Every command RPC by its name."""

_BY_REQUEST: Final = {form.request.DESCRIPTOR.name: form for form in COMMANDS.values()}
