"""How we speak to Temporal: the client, how payloads are written, the workflow sandbox.

Payload encryption has its place here, as one more codec behind the compression.
"""

import dataclasses
import zlib
from collections.abc import Sequence

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from siklus.services.settings import Settings

COMPRESSED = b"binary/zlib"
WORTH_COMPRESSING = 512
"""Payloads below this many bytes are left as they are."""


class CompressionCodec(PayloadCodec):
    """Deflates larger payloads: an evaluation's state travels through several runs a year."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads, each deflated if that is worth it."""
        return [_deflate(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads as they were before `encode`; others pass unchanged."""
        return [_inflate(payload) for payload in payloads]


def _deflate(payload: Payload) -> Payload:
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
        # Not ours after all: whoever reads it refuses it, where an exception here would halt
        # the workflow that it was sent to.
        return payload


def data_converter() -> DataConverter:
    """Return the converter that clients, workers and replays must share."""
    return dataclasses.replace(pydantic_data_converter, payload_codec=CompressionCodec())


def workflow_runner() -> SandboxedWorkflowRunner:
    """Return the sandbox; our own pure modules pass through it, which makes it cheap."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules("siklus", "pydantic")
    return SandboxedWorkflowRunner(restrictions=restrictions)


async def connect(settings: Settings, *, lazy: bool = False) -> Client:
    """Connect to Temporal; a lazy client is returned at once and connects with its first call.

    Raises RuntimeError or temporalio.service.RPCError when nobody answers.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(),
        lazy=lazy,
    )
