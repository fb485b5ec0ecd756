"""The order of the interceptors, by name, and what the transport itself limits."""

from collections.abc import Sequence
from typing import Final

from siklus.services.interceptors.deadline import LIMIT_SECONDS, Deadline
from siklus.services.interceptors.errors import Errors
from siklus.services.interceptors.identity import Identity, Verify
from siklus.services.interceptors.layer import Layer
from siklus.services.interceptors.logging import Logging
from siklus.services.interceptors.malformed import Malformed
from siklus.services.interceptors.tenancy import Tenancy
from siklus.services.interceptors.validation import Validation

ORDER: Final = (
    "logging",  # outermost: every call has one line, whatever happens to it
    "errors",  # outside all that refuses
    "deadline",
    "identity",  # a stranger learns nothing about the shape of our messages
    "malformed",
    "validation",  # needs no state, so it comes before any lookup
    "tenancy",  # needs a well-formed name and a caller
)

MESSAGE_BYTES: Final = 1024 * 1024
"""Largest request: an import of 1,000 rows takes about a third of it. More than this is answered by
the transport with RESOURCE_EXHAUSTED and no details. Answers may have what clients take unasked."""

SERVER_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", 4 * MESSAGE_BYTES),
)


class WrongOrderError(Exception):
    """The interceptors are not in the order that their promises need."""


def chain(verify: Verify, *, limit_seconds: float = LIMIT_SECONDS) -> list[Layer]:
    """Return the interceptors of a server, outermost first."""
    layers: list[Layer] = [
        Logging(),
        Errors(),
        Deadline(limit_seconds),
        Identity(verify),
        Malformed(),
        Validation(),
        Tenancy(),
    ]
    must_be_in_order(layers)
    return layers


def must_be_in_order(layers: Sequence[Layer]) -> None:
    """Raise WrongOrderError unless these are all the layers, in their order."""
    names = tuple(layer.name for layer in layers)
    if names != ORDER:
        raise WrongOrderError(f"{', '.join(names)} instead of {', '.join(ORDER)}")
