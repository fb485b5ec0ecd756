"""The contract as its pages need it: services, messages and enums with their comments."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from buf.validate import validate_pb2
from google.api import annotations_pb2 as http_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)

from siklus.v1 import annotations_pb2

PROTOS: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = "siklus.v1"
NUMBERS: Final = {"TYPE_INT32": "int32", "TYPE_INT64": "int64", "TYPE_BOOL": "bool"}


def buf(*arguments: str) -> bytes:
    """Run the buf that stands beside this interpreter; return what it writes."""
    program = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
    done = subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE)  # noqa: S603
    return done.stdout


@dataclass(frozen=True)
class Field:
    """A field of a message."""

    proto: FieldDescriptorProto
    comment: str

    @property
    def name(self) -> str:
        """As it stands in the proto."""
        return self.proto.name

    @property
    def repeated(self) -> bool:
        """Tell whether it holds a list."""
        return self.proto.label == FieldDescriptorProto.LABEL_REPEATED

    @property
    def refers_to(self) -> str:
        """Full name of its message or enum; empty for a plain value."""
        return self.proto.type_name.removeprefix(".")

    @property
    def type(self) -> str:
        """What it holds, by the shortest name."""
        kind = FieldDescriptorProto.Type.Name(self.proto.type)
        plain = NUMBERS.get(kind, kind.removeprefix("TYPE_").lower())
        return self.refers_to.removeprefix(f"{PACKAGE}.").rpartition(".")[2] or plain

    @property
    def rules(self) -> validate_pb2.FieldRules:
        """What protovalidate checks."""
        found: validate_pb2.FieldRules = self.proto.options.Extensions[validate_pb2.field]
        return found


@dataclass(frozen=True)
class Message:
    """A message, or a message within one."""

    name: str
    comment: str
    fields: tuple[Field, ...]
    rules: validate_pb2.MessageRules


@dataclass(frozen=True)
class Value:
    """A value of an enum, without the enum's prefix."""

    name: str
    comment: str


@dataclass(frozen=True)
class Enumeration:
    """An enum."""

    name: str
    comment: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Method:
    """One RPC."""

    proto: MethodDescriptorProto
    comment: str
    service: str

    @property
    def name(self) -> str:
        """Its short name."""
        return self.proto.name

    @property
    def path(self) -> str:
        """What a client calls."""
        return f"/{PACKAGE}.{self.service}/{self.name}"

    @property
    def request(self) -> str:
        """Full name of the request."""
        return self.proto.input_type.removeprefix(".")

    @property
    def answer(self) -> str:
        """Full name of the answer."""
        return self.proto.output_type.removeprefix(".")

    @property
    def streams(self) -> bool:
        """Tell whether the answer comes in parts."""
        return self.proto.server_streaming

    @property
    def call(self) -> annotations_pb2.CallRules:
        """What the method promises and asks."""
        found: annotations_pb2.CallRules = self.proto.options.Extensions[annotations_pb2.call]
        return found

    @property
    def idempotency(self) -> str:
        """NO_SIDE_EFFECTS, IDEMPOTENT or IDEMPOTENCY_UNKNOWN."""
        return MethodOptions.IdempotencyLevel.Name(self.proto.options.idempotency_level)

    @property
    def http(self) -> str:
        """The verb and the template of the HTTP form."""
        # Its types do not say that it extends these options.
        annotation: Any = http_pb2.http
        rule: Any = self.proto.options.Extensions[annotation]
        verb = rule.WhichOneof("pattern")
        return f"{verb.upper()} {getattr(rule, verb)}"


@dataclass(frozen=True)
class Service:
    """One service with its methods in the order of the proto."""

    name: str
    comment: str
    methods: tuple[Method, ...]


class Contract:
    """Everything of the package, read from a descriptor set with comments."""

    def __init__(self, described: FileDescriptorSet) -> None:
        self._files = [_File(file) for file in described.file if file.package == PACKAGE]

    @cached_property
    def services(self) -> list[Service]:
        """Every service, by name."""
        return sorted((s for f in self._files for s in f.services()), key=lambda each: each.name)

    @cached_property
    def methods(self) -> dict[str, Method]:
        """Every method by its short name, which no other service has."""
        return {each.name: each for service in self.services for each in service.methods}

    @cached_property
    def messages(self) -> dict[str, Message]:
        """Every message by its full name, in the order of the protos."""
        return {each.name: each for file in self._files for each in file.messages()}

    @cached_property
    def enums(self) -> dict[str, Enumeration]:
        """Every enum by its full name."""
        return {each.name: each for file in self._files for each in file.enums()}

    def inside(self, message: str) -> Iterator[Message]:
        """Yield the message and every other message of ours in it, each once."""
        seen: dict[str, None] = {message: None}
        for name in (waiting := [message]):
            yield self.messages[name]
            for field in self.messages[name].fields:
                if field.refers_to in self.messages and field.refers_to not in seen:
                    seen[field.refers_to] = None
                    waiting.append(field.refers_to)


@cache
def published() -> Contract:
    """Return the contract as the protos have it now."""
    return Contract(FileDescriptorSet.FromString(buf("build", str(PROTOS), "-o", "-")))


class _File:
    """One proto with the comments of everything in it."""

    def __init__(self, proto: FileDescriptorProto) -> None:
        self._proto = proto
        self._comments = {
            tuple(place.path): " ".join(place.leading_comments.split())
            for place in proto.source_code_info.location
        }
        self._paragraphs = {
            tuple(place.path): place.leading_comments for place in proto.source_code_info.location
        }

    def services(self) -> Iterator[Service]:
        for n, service in enumerate(self._proto.service):
            methods = tuple(
                Method(method, self._comments.get((6, n, 2, m), ""), service.name)
                for m, method in enumerate(service.method)
            )
            yield Service(service.name, _joined(self._paragraphs[6, n]), methods)

    def messages(self) -> Iterator[Message]:
        for n, message in enumerate(self._proto.message_type):
            yield from self._message(message, PACKAGE, (4, n))

    def _message(
        self, proto: DescriptorProto, inside: str, path: tuple[int, ...]
    ) -> Iterator[Message]:
        fields = tuple(
            Field(field, self._comments.get((*path, 2, n), ""))
            for n, field in enumerate(proto.field)
        )
        rules = proto.options.Extensions[validate_pb2.message]
        name = f"{inside}.{proto.name}"
        yield Message(name, self._comments.get(path, ""), fields, rules)
        for n, nested in enumerate(proto.nested_type):
            yield from self._message(nested, name, (*path, 3, n))

    def enums(self) -> Iterator[Enumeration]:
        for n, enum in enumerate(self._proto.enum_type):
            yield self._enum(enum, (5, n))

    def _enum(self, proto: EnumDescriptorProto, path: tuple[int, ...]) -> Enumeration:
        prefix = proto.value[0].name.removesuffix("UNSPECIFIED")
        values = tuple(
            Value(value.name.removeprefix(prefix), self._comments.get((*path, 2, n), ""))
            for n, value in enumerate(proto.value)
        )
        return Enumeration(f"{PACKAGE}.{proto.name}", self._comments.get(path, ""), values)


def _joined(comment: str) -> str:
    """Return a comment with its paragraphs, each on one line."""
    parts = re.split(r"\n\s*\n", comment.strip())
    return "\n\n".join(" ".join(part.split()) for part in parts)
