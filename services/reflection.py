"""Server reflection under both names: the library knows v1alpha alone, newer tools ask for v1.

The two are the same on the wire.
"""

from collections.abc import Sequence
from typing import Any, Final

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

V1: Final = "grpc.reflection.v1.ServerReflection"
V1ALPHA: Final = reflection.SERVICE_NAME


def enable_reflection(server: grpc.aio.Server, services: Sequence[str]) -> None:
    """Let tools ask the server what it offers."""
    listed = (*services, V1, V1ALPHA)
    reflection.enable_server_reflection(listed, server)
    servicer: Any = reflection.aio.ReflectionServicer(listed)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(V1, {"ServerReflectionInfo": handler}),)
    )
