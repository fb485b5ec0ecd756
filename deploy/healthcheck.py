"""Asks the gRPC server of this container whether it serves: exit code 0 if it does, else 1."""

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_SECONDS = 3.0
# A proxy that the environment names must not be asked for our own address.
OPTIONS = (("grpc.enable_http_proxy", 0),)


def serves(address: str) -> bool:
    """Tell whether the server at that address says SERVING in time."""
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(0 if serves(f"127.0.0.1:{os.environ.get('SIKLUS_GRPC_PORT', '50051')}") else 1)
