"""What there is to call: every method of every service that the server has, by its descriptors."""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import siklus.v1
from siklus.services.server import SERVICES
from siklus.v1 import annotations_pb2


@dataclass(frozen=True)
class Method:
    """One method, its messages, and what the contract says of its callers."""

    path: str
    request: type[Message]
    answer: type[Message]
    streams_in: bool
    streams_out: bool
    rules: annotations_pb2.CallRules

    @property
    def name(self) -> str:
        """Name without its service."""
        return self.path.rpartition("/")[2]


def methods(services: Sequence[str] = SERVICES) -> list[Method]:
    """Return all methods of these services, in the order of the contract."""
    for module in pkgutil.iter_modules(siklus.v1.__path__):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"siklus.v1.{module.name}")
    pool = descriptor_pool.Default()
    found = []
    for service in services:
        described: Any = pool.FindServiceByName(service)
        for method in described.methods:
            found.append(
                Method(
                    path=f"/{service}/{method.name}",
                    request=GetMessageClass(method.input_type),
                    answer=GetMessageClass(method.output_type),
                    streams_in=method.client_streaming,
                    streams_out=method.server_streaming,
                    rules=method.GetOptions().Extensions[annotations_pb2.call],
                )
            )
    return found
