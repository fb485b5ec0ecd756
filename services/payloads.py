"""What Temporal keeps of us: payloads deflated, then encrypted under their agency's key.

An encrypted payload tells the key and the agency in the open, as the workflow ids around it do,
so whoever has the keyring can read it wherever it is found. A workflow that belongs to an agency
takes nothing that was written for another one.
"""

import os
import zlib
from collections.abc import Sequence
from typing import Any, Final, NoReturn, Self

import structlog
from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    EncodingPayloadConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from siklus.activities.keyring import Keys
from siklus.workflows import names

COMPRESSED: Final = b"binary/zlib"
ENCRYPTED: Final = b"binary/encrypted"
KEY: Final = "siklus-key"
AGENCY: Final = "siklus-agency"
"""Metadata of an encrypted payload; without an agency it is the installation's."""
NONCE_BYTES: Final = 12
WORTH_COMPRESSING: Final = 512
"""Payloads below this many bytes are left as they are."""

log = structlog.get_logger("siklus.payloads")


class PayloadUnreadable(Exception):  # noqa: N818 - it says what is so
    """A payload could not be decrypted; the message names its key, the log says why."""


class PayloadSealer(PayloadCodec, WithSerializationContext):
    """Deflates and encrypts; reads whatever was written so, only deflated, or plain.

    What it cannot decrypt passes unchanged, for `Unreadable` to refuse where it is read: an
    exception here would halt everything that waits for the same workflow.
    """

    def __init__(self, keys: Keys, agency: str = "") -> None:
        self._keys = keys
        self._agency = agency
        self._purpose = _purpose(agency)

    def with_context(self, context: SerializationContext) -> Self:
        """Return the codec of the agency that a workflow belongs to."""
        return self.of(agency_in(context))

    def of(self, agency: str) -> Self:
        """Return the codec of an agency."""
        return self if agency == self._agency else type(self)(self._keys, agency)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads, sealed under the current key."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads as they were before `encode`; others pass unchanged."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        key_id = self._keys.current
        nonce = os.urandom(NONCE_BYTES)
        plain = deflated(payload).SerializeToString()
        sealed = self._keys.cipher(key_id, self._purpose).encrypt(
            nonce, plain, _bound(key_id, self._agency)
        )
        metadata = {"encoding": ENCRYPTED, KEY: key_id.encode()}
        if self._agency:
            metadata[AGENCY] = self._agency.encode()
        return Payload(metadata=metadata, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCRYPTED:
            return _inflate(payload)
        key_id = _text(payload, KEY)
        agency = _text(payload, AGENCY)
        if self._agency and agency and agency != self._agency:
            log.error("payload_of_another_agency", agency=self._agency)
            return payload
        try:
            cipher = self._keys.cipher(key_id, _purpose(agency))
        except KeyError:
            log.error("payload_key_missing", key=key_id, agency=agency)
            return payload
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            plain = Payload.FromString(cipher.decrypt(nonce, sealed, _bound(key_id, agency)))
        except (InvalidTag, ValueError, DecodeError):
            log.error("payload_altered", key=key_id, agency=agency)
            return payload
        return _inflate(plain)


class Unreadable(EncodingPayloadConverter):
    """Refuses what is still encrypted where it should be read."""

    @property
    def encoding(self) -> str:
        """The encoding of what is sealed."""
        return ENCRYPTED.decode()

    def to_payload(self, value: Any) -> Payload | None:
        """Leave every value to the other converters."""
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> NoReturn:
        """Raise `PayloadUnreadable`: a task that needs it fails and is tried again."""
        raise PayloadUnreadable(f"a payload under the key {_text(payload, KEY)!r} cannot be read")


class PayloadConverter(CompositePayloadConverter):
    """Pydantic's converter, with a clear word for what could not be decrypted."""

    def __init__(self) -> None:
        super().__init__(*_PYDANTIC.converters.values(), _UNREADABLE)


# Made once: a converter is made anew for each context, and pydantic's holds a cache of types.
_PYDANTIC: Final = PydanticPayloadConverter()
_UNREADABLE: Final = Unreadable()


def agency_in(context: SerializationContext) -> str:
    """Return the agency of the workflow that a payload belongs to, "" for none."""
    if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
        return names.agency_of(context.workflow_id or "") or ""
    return ""


def _purpose(agency: str) -> str:
    return f"payloads of {agency}" if agency else "payloads"


def _bound(key_id: str, agency: str) -> bytes:
    """Return what is authenticated along: all that a payload says in the open."""
    return f"{key_id}/{agency}".encode()


def _text(payload: Payload, name: str) -> str:
    return payload.metadata.get(name, b"").decode(errors="replace")


def deflated(payload: Payload) -> Payload:
    """Return a payload compressed if that is worth it."""
    if payload.ByteSize() < WORTH_COMPRESSING:
        return payload
    packed = zlib.compress(payload.SerializeToString(), level=6)
    return Payload(metadata={"encoding": COMPRESSED}, data=packed)


def _inflate(payload: Payload) -> Payload:
    if payload.metadata.get("encoding") != COMPRESSED:
        return payload
    try:
        return Payload.FromString(zlib.decompress(payload.data))
    except (zlib.error, DecodeError):
        # Not ours after all: whoever reads it refuses it.
        return payload
