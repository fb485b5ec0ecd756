"""A client of Siklus: fresh tokens, the shipped retries, typed refusals, watches that go on.

Copy it and make it yours.

It needs `grpcio`, `grpcio-status` and the code that is generated from the protos (`siklus.v1`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from siklus.v1 import watch_pb2
from siklus.v1.evaluation_service_pb2_grpc import EvaluationServiceStub

SERVICE_CONFIG = (files("siklus.v1") / "service_config.json").read_text()
SILENCE_SECONDS = 45
"""A watch sends something every 15 seconds; after three times that, nobody is there any more."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """Why a call was refused. Programs look at `reason`; the message is for people.

    `retry_after` is in seconds, None where sending the same call again is of no use.
    """

    def __init__(self, error: grpc.RpcError) -> None:
        called: Any = error
        super().__init__(called.details())
        self.code = called.code()
        info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
        status = rpc_status.from_call(called)
        found = [
            d for d in (status.details if status else ()) for m in (info, bad, retry) if d.Unpack(m)
        ]
        self.reason = info.reason
        self.facts = dict(info.metadata)
        self.fields = {each.field: each.description for each in bad.field_violations}
        delay = retry.retry_delay.ToTimedelta().total_seconds()
        self.retry_after = delay if found and delay else None


class Siklus:
    """One caller; `token` is asked before each call. Raises Refusal."""

    def __init__(self, address: str, token: Callable[[], str], ca: bytes | None = None) -> None:
        options = [("grpc.service_config", SERVICE_CONFIG), ("grpc.keepalive_time_ms", 30_000)]
        self._channel = (
            grpc.secure_channel(address, grpc.ssl_channel_credentials(ca), options)
            if ca
            else grpc.insecure_channel(address, options)
        )
        self._token = token
        self.evaluations: Any = EvaluationServiceStub(self._channel)

    def call(self, method: Any, request: Any) -> Any:
        """Call a method; whoever was too fast waits and goes on."""
        while True:
            try:
                return method(request, metadata=self._metadata())
            except grpc.RpcError as error:
                refusal = Refusal(error)
                if refusal.reason != "RATE_LIMITED":
                    raise refusal from error
                time.sleep(refusal.retry_after or 1)

    def watch(
        self, request: watch_pb2.WatchEvaluationsRequest
    ) -> Iterator[watch_pb2.WatchEvaluationsResponse]:
        """Yield every change once, in order, across restarts of the server.

        Checkpoints are yielded too: keep the last `resume_token` beside what you did.
        """
        wanted = watch_pb2.WatchEvaluationsRequest()
        wanted.CopyFrom(request)
        failures = 0
        while True:
            stream = self.evaluations.WatchEvaluations(
                wanted, metadata=self._metadata(), timeout=None
            )
            heard = _ended_when_silent(stream)
            try:
                for message in stream:
                    heard.set()
                    failures, wanted.resume_token = 0, message.resume_token
                    yield message
            except grpc.RpcError as error:
                refusal = Refusal(error)
                if refusal.code.name not in {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"}:
                    raise refusal from error
                time.sleep(refusal.retry_after or min(0.25 * 2**failures, 10))
                failures += 1
            finally:
                stream.cancel()

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    def _metadata(self) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self._token()}")]


def _ended_when_silent(stream: Any) -> threading.Event:
    """Cancel a stream once the event, to be set at each message, stays unset for too long."""
    heard = threading.Event()

    def listen() -> None:
        while heard.wait(SILENCE_SECONDS):
            heard.clear()
        stream.cancel()

    threading.Thread(target=listen, daemon=True).start()
    return heard
