"""Read masks: answering with the fields that were asked for, and with no others."""

from typing import Any, Final, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from siklus.workflows.domain.errors import invalid

Answer = TypeVar("Answer", bound=Message)

EVERYTHING: Final = "*"


def known(mask: FieldMask, answer: type[Message]) -> FieldMask:
    """Return the mask with each path once; an empty one asks for everything.

    Raises FIELD_INVALID with the first path that the message does not have.
    """
    descriptor: Any = answer.DESCRIPTOR
    paths = list(dict.fromkeys(mask.paths))
    for path in paths:
        if path != EVERYTHING and not FieldMask(paths=[path]).IsValidForDescriptor(descriptor):
            raise invalid("read_mask", f"{descriptor.name} has no field {path[:64]!r}")
    return FieldMask() if EVERYTHING in paths else FieldMask(paths=paths)


def masked(answer: Answer, mask: FieldMask) -> Answer:
    """Return the message with the fields of a `known` mask."""
    if not mask.paths:
        return answer
    shown: Any = type(answer)()
    mask.MergeMessage(answer, shown)
    found: Answer = shown
    return found
