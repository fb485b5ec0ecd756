"""`siklus audit export`: how it speaks to the API, and what it says before it does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import trustme

from siklus.services.cli import run
from siklus.v1 import audit_service_pb2 as pb
from siklus.v1 import audit_service_pb2_grpc
from tests.partial_servicers import partial

CYCLE = "agencies/dinas/cycles/2026"


class _Audit(audit_service_pb2_grpc.AuditServiceServicer):
    """Sends one short file to whoever may connect."""

    def ExportAudit(  # noqa: N802 - named by the contract
        self, request: pb.ExportAuditRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportAuditResponse]:
        yield pb.ExportAuditResponse(chunk=b"{}\n", evaluations=1, evaluations_total=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[list[str]]:
    """What `export` needs to know of a server that asks for a certificate, but for ours."""
    authority, clients = trustme.CA(), trustme.CA()
    own, ours = authority.issue_cert("localhost"), clients.issue_cert("auditor")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "ours.pem")
    ours.private_key_pem.write_to_path(tmp_path / "ours.key")
    serving = grpc.server(ThreadPoolExecutor(1))
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(partial(_Audit), serving)
    pair = (own.private_key_pem.bytes(), own.cert_chain_pems[0].bytes())
    credentials = grpc.ssl_server_credentials([pair], clients.cert_pem.bytes(), True)
    port = serving.add_secure_port("localhost:0", credentials)
    serving.start()
    yield ["--server", f"localhost:{port}", "--ca", str(tmp_path / "ca.pem")]
    serving.stop(None).wait()


def export(folder: Path, *more: str, token: str = "t") -> int:
    return run(
        ["audit", "export", CYCLE, "-o", str(folder / "2026.jsonl"), "--token", token, *more]
    )


def test_mutual_tls_is_spoken_with_a_certificate_and_refused_without(
    server: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = ("--certificate", str(tmp_path / "ours.pem"), "--key", str(tmp_path / "ours.key"))

    assert export(tmp_path, *server) == 2
    assert "does not answer" in capsys.readouterr().err
    assert export(tmp_path, *server, *pair) == 0
    assert (tmp_path / "2026.jsonl").read_bytes() == b"{}\n"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--certificate", "ours.pem"), "mutual TLS needs --key as well"),
        (("--key", "ours.key"), "mutual TLS needs --certificate as well"),
        (("--ca", "/nowhere/ca.pem"), "/nowhere/ca.pem cannot be read"),
        (("--token", ""), "give it by --token"),
    ],
)
def test_what_is_lacking_is_told_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], told: str
) -> None:
    assert export(tmp_path, "--server", "127.0.0.1:1", *more) == 2

    assert told in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []
