"""Asks the gRPC server of this container whether it serves: exit code 0 if it does, else 1.

Where the server speaks TLS, its own certificate is the one that is trusted, whatever its name.
Where it asks for one, its own is shown, which the clients' authority must then have signed too.
"""

import os
import sys
from pathlib import Path

import grpc
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_SECONDS = 3.0
# A proxy that the environment names must not be asked for our own address.
OPTIONS = (("grpc.enable_http_proxy", 0),)


def channel(address: str) -> grpc.Channel:
    """Return a channel to the server, in the way that its settings say."""
    certificate, key = os.environ.get("SIKLUS_TLS_CERTIFICATE"), os.environ.get("SIKLUS_TLS_KEY")
    if not certificate or not key:
        return grpc.insecure_channel(address, options=OPTIONS)
    chain = Path(certificate).read_bytes()
    credentials = grpc.ssl_channel_credentials(chain, Path(key).read_bytes(), chain)
    return grpc.secure_channel(
        address,
        credentials,
        options=(*OPTIONS, ("grpc.ssl_target_name_override", _name(chain))),
    )


def _name(chain: bytes) -> str:
    leaf = x509.load_pem_x509_certificates(chain)[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)[0].replace("*", "any", 1)


def serves(address: str) -> bool:
    """Tell whether the server at that address says SERVING in time."""
    with channel(address) as asked:
        try:
            answer = health_pb2_grpc.HealthStub(asked).Check(
                health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(0 if serves(f"127.0.0.1:{os.environ.get('SIKLUS_GRPC_PORT', '50051')}") else 1)
