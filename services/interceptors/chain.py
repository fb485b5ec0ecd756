"""The order of the interceptors, by name, and what the transport itself limits."""

from collections.abc import Sequence
from typing import Final

from siklus.services.interceptors.deadline import LIMIT_SECONDS, Deadline
from siklus.services.interceptors.errors import Errors
from siklus.services.interceptors.identity import Identity, Verify
from siklus.services.interceptors.layer import Layer
from siklus.services.interceptors.logging import Logging
from siklus.services.interceptors.malformed import Malformed
from siklus.services.interceptors.rate import Rate
from siklus.services.interceptors.tenancy import Tenancy
from siklus.services.interceptors.validation import Validation
from siklus.services.rpc.pace import UNLIMITED, Pace

ORDER: Final = (
    "logging",  # outermost: every call has one line, whatever happens to it
    "errors",  # outside all that refuses
    "deadline",
    "identity",  # a stranger learns nothing about the shape of our messages
    "rate",  # counts callers, so it comes after who they are and before any work for them
    "malformed",
    "validation",  # needs no state, so it comes before any lookup
    "tenancy",  # needs a well-formed name and a caller
)

MESSAGE_BYTES: Final = 1024 * 1024
"""Largest request: an import of 1,000 rows takes about a third of it. More than this is answered by
the transport with RESOURCE_EXHAUSTED and no details. Answers may have what clients take unasked."""

METADATA_BYTES: Final = 16 * 1024
"""Most that all metadata of a call may take: twice the longest token. Unset, the transport would
begin at half of that to refuse calls by chance. More is answered by it as a larger message is."""

CONNECTION_AGE_SECONDS: Final = 30 * 60
"""Then a client is told to connect anew for its next call, so that new servers get their share."""
CONNECTION_GRACE_SECONDS: Final = 10 * 60
"""What is under way then may still end; a watch that does not is resumed by its token."""
PING_SECONDS: Final = 60
"""A client that is gone without a word is found out after so long, and a third of it more."""
CLIENT_PING_SECONDS: Final = 10
"""A client may ask as often whether we are there; one that asks more often is cut off."""

SERVER_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", 4 * MESSAGE_BYTES),
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
    ("grpc.max_connection_age_ms", CONNECTION_AGE_SECONDS * 1000),
    ("grpc.max_connection_age_grace_ms", CONNECTION_GRACE_SECONDS * 1000),
    ("grpc.keepalive_time_ms", PING_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", PING_SECONDS * 1000 // 3),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", CLIENT_PING_SECONDS * 1000),
)


class WrongOrderError(Exception):
    """The interceptors are not in the order that their promises need."""


def chain(
    verify: Verify, *, pace: Pace = UNLIMITED, limit_seconds: float = LIMIT_SECONDS
) -> list[Layer]:
    """Return the interceptors of a server, outermost first."""
    layers: list[Layer] = [
        Logging(),
        Errors(),
        Deadline(limit_seconds),
        Identity(verify),
        Rate(pace),
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
