"""TLS of the server and to Temporal: who connects, and what becomes of files that change."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import grpc
import pytest
import structlog
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from siklus.activities.keyring import Keyring
from siklus.services.clock import Clock
from siklus.services.local.temporal import LocalTemporal
from siklus.services.server import Parts, running_server
from siklus.services.settings import Settings
from siklus.services.temporal import connect, temporal_tls
from siklus.services.tls import ServerTls, TlsFiles, TlsFilesError

SERVING = health_pb2.HealthCheckResponse.SERVING
HOST = "localhost"
PEM = Encoding.PEM
YEAR = timedelta(days=365)


class Office:
    """Certificates in a folder: the server's, its authority, and that of the clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority, self.clients, self.strangers = trustme.CA(), trustme.CA(), trustme.CA()
        self.clients.cert_pem.write_to_path(folder / "clients.pem")
        self.files = TlsFiles(folder / "server.pem", folder / "server.key")
        self.mutual = TlsFiles(self.files.certificate, self.files.key, folder / "clients.pem")
        self.place(self.authority.issue_cert(HOST))

    def place(self, certificate: trustme.LeafCert, key: bytes | None = None) -> int:
        """Replace both files, each in one step; return the serial number."""
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        replace(self.files.certificate, chain)
        replace(self.files.key, key or certificate.private_key_pem.bytes())
        return x509.load_pem_x509_certificate(chain).serial_number


def replace(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@asynccontextmanager
async def serving(tls: ServerTls | None, **more: Any) -> AsyncIterator[int]:
    """The shipped server; health asks for nothing behind it."""
    broken = MagicMock(spec=())
    parts = Parts(broken, broken, broken, MagicMock(), Clock())
    async with running_server(parts, "127.0.0.1:0", tls=tls, **more) as port:
        yield port


def channel(
    port: int, authority: trustme.CA, certificate: trustme.LeafCert | None = None
) -> grpc.aio.Channel:
    key = chain = None
    if certificate is not None:
        key = certificate.private_key_pem.bytes()
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes(), key, chain)
    # Without a pool of its own, a channel would use the connection of another one.
    options = (("grpc.use_local_subchannel_pool", 1),)
    return grpc.aio.secure_channel(f"{HOST}:{port}", credentials, options=options)


async def health(asked: grpc.aio.Channel, within: float = 5) -> Any:
    stub: Any = health_pb2_grpc.HealthStub(asked)
    return (await stub.Check(health_pb2.HealthCheckRequest(), timeout=within)).status


async def must_not_connect(asked: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await health(asked)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def serial(port: int, office: Office) -> int:
    """The number of the certificate that the next handshake shows."""
    context = ssl.create_default_context(cadata=office.authority.cert_pem.bytes().decode())
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection(HOST, port, ssl=context)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return x509.load_der_x509_certificate(shown).serial_number


async def test_clients_that_know_the_authority_connect_and_others_do_not(office: Office) -> None:
    async with serving(ServerTls(office.files)) as port:
        async with channel(port, office.authority) as ours:
            assert await health(ours) == SERVING
        async with channel(port, office.strangers) as deceived:
            await must_not_connect(deceived)
        async with grpc.aio.insecure_channel(f"{HOST}:{port}") as plain:
            await must_not_connect(plain)


async def test_mutual_tls_asks_for_a_certificate_of_the_clients_authority(office: Office) -> None:
    tls = ServerTls(office.mutual)
    known = office.clients.issue_cert("payroll")
    async with serving(tls) as port:
        assert tls.mutual
        async with channel(port, office.authority, known) as client:
            assert await health(client) == SERVING
        for certificate in (
            None,
            office.strangers.issue_cert("payroll"),
            office.authority.issue_cert("payroll"),
        ):
            async with channel(port, office.authority, certificate) as stranger:
                await must_not_connect(stranger)


async def test_a_certificate_that_is_replaced_counts_from_the_next_handshake(
    office: Office,
) -> None:
    async with serving(ServerTls(office.files)) as port, channel(port, office.authority) as old:
        assert await health(old) == SERVING
        first = await serial(port, office)

        second = office.place(office.authority.issue_cert(HOST))

        assert await serial(port, office) == second != first
        assert await health(old) == SERVING


async def test_the_authority_of_the_clients_may_be_replaced_too(office: Office) -> None:
    tls = ServerTls(office.mutual)
    async with serving(tls) as port:
        assert office.mutual.client_ca is not None
        replace(office.mutual.client_ca, office.strangers.cert_pem.bytes())

        async with channel(port, office.authority, office.strangers.issue_cert("x")) as now_known:
            assert await health(now_known) == SERVING
        async with channel(port, office.authority, office.clients.issue_cert("x")) as withdrawn:
            await must_not_connect(withdrawn)


def half_copied(office: Office) -> None:
    replace(office.files.certificate, office.authority.issue_cert(HOST).cert_chain_pems[0].bytes())


def cut_off(office: Office) -> None:
    replace(office.files.certificate, office.files.certificate.read_bytes()[:200])


def emptied(office: Office) -> None:
    replace(office.files.key, b"")


def deleted(office: Office) -> None:
    office.files.certificate.unlink()


@pytest.mark.parametrize("spoil", [half_copied, cut_off, emptied, deleted])
async def test_broken_files_change_nothing_until_they_are_whole(
    office: Office, spoil: Callable[[Office], None]
) -> None:
    async with serving(ServerTls(office.files)) as port:
        first = await serial(port, office)

        spoil(office)
        with structlog.testing.capture_logs() as logged:
            assert await serial(port, office) == first
            assert await serial(port, office) == first
        told = [line for line in logged if line["event"] == "certificate not reloaded"]
        assert len(told) == 1
        assert "PRIVATE" not in str(told)

        second = office.place(office.authority.issue_cert(HOST))
        assert await serial(port, office) == second


async def test_a_key_that_only_becomes_readable_is_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(ServerTls(office.files)) as port:
        first = await serial(port, office)
        second = office.place(office.authority.issue_cert(HOST))
        with monkeypatch.context() as forbidden:
            forbidden.setattr(Path, "read_bytes", not_permitted)
            assert await serial(port, office) == first

        make_readable(office.files.key)

        assert await serial(port, office) == second


def not_permitted(file: Path) -> bytes:
    """What the system says of another's file; tests may run as somebody who may read them all."""
    raise PermissionError(13, "Permission denied", str(file))


def make_readable(file: Path) -> None:
    """Change the mode alone, once the clock of the file system has gone on."""
    before = file.stat().st_ctime_ns
    while file.stat().st_ctime_ns == before:
        file.chmod(0o640)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024),
    ],
    ids=["secp256k1", "ed448", "rsa1024"],
)
def test_a_key_that_no_handshake_uses_is_told_and_not_silently_passed_over(
    office: Office, key: Any
) -> None:
    replace(office.files.key, key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption()))
    replace(office.files.certificate, self_signed(key))

    with pytest.raises(TlsFilesError, match="of a kind"):
        ServerTls(office.files)


def self_signed(key: Any) -> bytes:
    """A certificate of any key: the authority of the tests makes only usual ones."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + YEAR)
    algorithm = None if isinstance(key, ed448.Ed448PrivateKey) else SHA256()
    return made.sign(key, algorithm).public_bytes(PEM)


def test_files_that_are_of_no_use_are_told_at_the_start(office: Office, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    for files in (
        TlsFiles(absent, office.files.key),
        TlsFiles(office.files.certificate, absent),
        TlsFiles(office.files.certificate, office.files.key, absent),
    ):
        with pytest.raises(TlsFilesError, match="absent"):
            ServerTls(files)
    office.place(office.authority.issue_cert(HOST), office.clients.private_key_pem.bytes())
    with pytest.raises(TlsFilesError, match="not the key of"):
        ServerTls(office.files)


async def test_a_server_is_healthy_when_somebody_can_be_let_in() -> None:
    said: asyncio.Queue[bool] = asyncio.Queue()

    async def usable() -> AsyncIterator[bool]:
        while True:
            yield await said.get()

    said.put_nowait(False)
    async with (
        serving(None, usable=usable()) as port,
        grpc.aio.insecure_channel(f"{HOST}:{port}") as asked,
    ):
        stub: Any = health_pb2_grpc.HealthStub(asked)
        told = aiter(stub.Watch(health_pb2.HealthCheckRequest(), timeout=5))
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        said.put_nowait(True)
        assert (await anext(told)).status == SERVING
        said.put_nowait(False)
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def before(address: str, context: ssl.SSLContext) -> AsyncIterator[str]:
    """Speak TLS in front of a server that does not, as Temporal's frontend does by itself."""
    host, _, port = address.rpartition(":")

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pipe(reader, to), pipe(behind, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_temporal_is_reached_by_tls_with_a_certificate_of_ours(
    temporal_server: LocalTemporal, office: Office
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["h2"])
    context.verify_mode = ssl.CERT_REQUIRED
    office.clients.configure_trust(context)
    office.authority.issue_cert(HOST).configure_cert(context)
    mine = office.clients.issue_cert("siklus")
    folder = office.folder
    office.authority.cert_pem.write_to_path(folder / "ca.pem")
    office.strangers.cert_pem.write_to_path(folder / "strangers.pem")
    mine.cert_chain_pems[0].write_to_path(folder / "mine.pem")
    mine.private_key_pem.write_to_path(folder / "mine.key")
    pair: dict[str, Any] = {
        "temporal_tls_certificate": folder / "mine.pem",
        "temporal_tls_key": folder / "mine.key",
    }

    async with before(temporal_server.address, context) as address:
        right = Settings(temporal_address=address, temporal_tls_ca=folder / "ca.pem", **pair)
        client = await connect(right, Keyring.generate())
        asked = DescribeNamespaceRequest(namespace="default")
        found = await client.workflow_service.describe_namespace(asked)
        assert found.namespace_info.name == "default"

        for wrong in (
            Settings(temporal_address=address),
            Settings(temporal_address=address, temporal_tls_ca=folder / "ca.pem"),
            Settings(temporal_address=address, temporal_tls_ca=folder / "strangers.pem", **pair),
        ):
            with pytest.raises(RuntimeError):
                await connect(wrong, Keyring.generate())


def test_tls_to_temporal_is_whole_or_not_at_all(office: Office) -> None:
    assert temporal_tls(Settings()) is None
    for some in (
        {"temporal_tls": True},
        {"temporal_tls_ca": office.files.certificate},
        {"temporal_api_key": SecretStr("k")},
    ):
        assert temporal_tls(Settings(**some)) is not None
    with pytest.raises(TlsFilesError, match="SIKLUS_TEMPORAL_TLS_KEY"):
        temporal_tls(Settings(temporal_tls_certificate=office.files.certificate))
    with pytest.raises(TlsFilesError, match="SIKLUS_TEMPORAL_TLS_CERTIFICATE"):
        temporal_tls(Settings(temporal_tls_key=office.files.key))
    with pytest.raises(TlsFilesError, match="nowhere"):
        temporal_tls(Settings(temporal_tls_ca=Path("/nowhere")))
