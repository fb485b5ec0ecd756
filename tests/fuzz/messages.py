"""Requests that keep every rule of the contract, made from the rules themselves."""

import re
from random import Random
from typing import Any, Final

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from siklus.services.interceptors.validation import must_be_valid
from siklus.workflows.domain.errors import Refusal
from tests.fuzz.methods import Method
from tests.fuzz.patterns import matching
from tests.fuzz.pool import STRANGE, Pool

TRIES: Final = 300
BIGGEST: Final = 2**31 - 1
DEEPEST: Final = 4


class CannotBeMadeError(Exception):
    """No try at a request kept its rules: a rule is new here."""


class Messages:
    """Makes requests from one source of chance; the same source makes the same requests."""

    def __init__(self, random: Random, pool: Pool) -> None:
        self._random = random
        self._pool = pool

    def valid(self, method: Method) -> Any:
        """Return a request that breaks no rule."""
        problem = ""
        for _ in range(TRIES):
            request = method.request()
            self.fill(request, method.answer.DESCRIPTOR)
            try:
                must_be_valid(request)
            except Refusal as refusal:
                problem = refusal.message
            else:
                return request
        raise CannotBeMadeError(f"{method.name}: {problem}")

    def fill(self, message: Any, answer: Any, depth: int = 0) -> None:
        """Give every field that needs a value one, and about half of the others."""
        for field in message.DESCRIPTOR.fields:
            rules = field.GetOptions().Extensions[validate_pb2.field]
            if not _needed(rules) and self._random.random() < 0.5:
                continue
            if field.message_type and field.message_type.GetOptions().map_entry:
                continue
            if field.is_repeated:
                self._fill_list(message, field, rules, answer, depth)
            elif field.message_type:
                self._fill_part(getattr(message, field.name), answer, depth)
            else:
                setattr(message, field.name, self.value(field, rules))

    def _fill_list(
        self, message: Any, field: FieldDescriptor, rules: Any, answer: Any, depth: int
    ) -> None:
        least, most = rules.repeated.min_items, rules.repeated.max_items or 8
        few = self._random.random() < 0.97
        many = self._random.randint(least, max(least, min(most, 3 if few else 60)))
        into, met = getattr(message, field.name), set[object]()
        for _ in range(many):
            if field.message_type:
                part = GetMessageClass(field.message_type)()
                self._fill_part(part, answer, depth)
                key = getattr(part, "id", None) or part.SerializeToString()
            else:
                part = key = self.value(field, rules.repeated.items)
            if key not in met:
                met.add(key)
                into.append(part)

    def _fill_part(self, part: Message, answer: Any, depth: int) -> None:
        if part.DESCRIPTOR.full_name == "google.protobuf.FieldMask":
            paths: Any = part
            shown = [field.name for field in _shown(answer).fields]
            paths.paths.extend(self._random.sample(shown, min(len(shown), 3)))
        elif depth < DEEPEST:
            part.SetInParent()
            self.fill(part, answer, depth + 1)

    def value(self, field: FieldDescriptor, rules: Any) -> Any:
        """Return one value that the rules of a plain field allow."""
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
                return self._text(field, rules.string)
            case FieldDescriptor.CPPTYPE_STRING:
                return self._random.randbytes(self._random.randint(0, 40))
            case FieldDescriptor.CPPTYPE_BOOL:
                return self._random.random() < 0.5
            case FieldDescriptor.CPPTYPE_ENUM:
                return self._choice(field, rules.enum)
            case FieldDescriptor.CPPTYPE_INT32 | FieldDescriptor.CPPTYPE_INT64:
                return self._number(field.name, rules.int32)
        return field.default_value

    def _choice(self, field: FieldDescriptor, rules: Any) -> int:
        assert field.enum_type is not None
        known = [each.number for each in field.enum_type.values]
        allowed = [number for number in known if number not in rules.not_in]
        return self._random.choice(allowed)

    def _number(self, name: str, rules: Any) -> int:
        least = rules.gte if rules.HasField("gte") else rules.gt + 1 if rules.HasField("gt") else 0
        most = rules.lte if rules.HasField("lte") else BIGGEST
        if name.endswith("revision") and self._random.random() < 0.95:
            # What nobody has yet is waited for, two seconds each time.
            return self._random.choice((0, 0, 0, 1, 2))
        ends = (least, most, min(most, least + 1), self._random.randint(least, most))
        near = self._random.randint(least, min(most, least + 20))
        return self._random.choice((*ends, near, near, near, near))

    def _text(self, field: FieldDescriptor, rules: Any) -> str:
        name, pattern = field.name, rules.pattern
        if name == "request_id":
            return f"r{self._random.getrandbits(64):x}"
        if name.endswith("_token") and self._random.random() < 0.9:
            return ""
        real = self._pool.word(name, pattern, self._random)
        if real is not None and self._random.random() < 0.9:
            return real
        if pattern:
            return matching(pattern, self._random)
        return self._words(rules.min_len, rules.max_len or rules.max_bytes // 4 or 200)

    def _words(self, least: int, most: int) -> str:
        text = self._random.choice(STRANGE)
        if self._random.random() < 0.02:
            return "x" * most
        while len(text) < least:
            text += "x"
        return text[:most]


def _needed(rules: Any) -> bool:
    """Tell whether a field without a value would break its rules."""
    string, enum = rules.string, rules.enum
    if string.pattern:
        return not _empty_matches(string.pattern)
    low = rules.int32.HasField("gte") and rules.int32.gte > 0
    return bool(
        string.min_len or 0 in enum.not_in or rules.repeated.min_items or rules.required or low
    )


def _empty_matches(pattern: str) -> bool:

    return re.fullmatch(pattern, "") is not None


def _shown(answer: Any) -> Any:
    """Return what a read mask of the request speaks of: the one thing that the answer holds."""
    for field in answer.fields:
        if field.message_type and field.message_type.full_name.startswith("siklus."):
            return field.message_type
    return answer
