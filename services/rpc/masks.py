"""Read masks: answering with the fields that were asked for, and with no others."""

from typing import Any, Final, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from siklus.workflows.domain.errors import invalid

Answer = TypeVar("Answer", bound=Message)

EVERYTHING: Final = "*"


def must_know(mask: FieldMask, answer: type[Message]) -> None:
    """Raise FIELD_INVALID with the first path that the message does not have."""
    descriptor: Any = answer.DESCRIPTOR
    for path in mask.paths:
        if path != EVERYTHING and not FieldMask(paths=[path]).IsValidForDescriptor(descriptor):
            raise invalid("read_mask", f"{descriptor.name} has no field {path[:64]!r}")


def masked(answer: Answer, mask: FieldMask) -> Answer:
    """Return the message with the fields of the mask; an empty mask asks for all of them."""
    if not mask.paths or EVERYTHING in mask.paths:
        return answer
    must_know(mask, type(answer))
    shown: Any = type(answer)()
    mask.MergeMessage(answer, shown)
    found: Answer = shown
    return found
