"""TLS of the gRPC server, whose files may be replaced while it runs.

Each handshake takes the files as they are then; connections that stand keep what they began with.
Files that do not fit together, as between two copies, change nothing until they do.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
RSA_BITS: Final = 2048
Stamp = tuple[tuple[int, ...], ...]
log = structlog.get_logger("siklus.tls")


class TlsFilesError(Exception):
    """A file is missing or broken, or certificate and key do not belong together."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the server's chain, its key, and who signs the certificates of clients.

    With `client_ca` no connection comes about without such a certificate. It opens the door and
    nothing more: who calls, the token says.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def stamp(self) -> Stamp:
        """Return what changes whenever a file is written, replaced or let be read; or OSError."""
        found = (file.stat() for file in (self.certificate, self.key, self.client_ca) if file)
        # The time of change as well: a key that only became readable was not written again.
        return tuple(
            (each.st_mtime_ns, each.st_ctime_ns, each.st_size, each.st_ino) for each in found
        )

    def read(self) -> Any:
        """Return what the files say, as grpc takes it; raises TlsFilesError."""
        try:
            chain, key = self.certificate.read_bytes(), self.key.read_bytes()
            authority = self.client_ca.read_bytes() if self.client_ca else None
        except OSError as error:
            raise TlsFilesError(f"{error.filename}: {error.strerror}") from None
        try:
            public = x509.load_pem_x509_certificates(chain)[0].public_key()
            private = load_pem_private_key(key, password=None)
            if authority is not None:
                x509.load_pem_x509_certificates(authority)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise TlsFilesError("a file does not hold the PEM that it should") from None
        if private.public_key() != public:
            raise TlsFilesError(f"{self.key} is not the key of {self.certificate}")
        if not _may_serve(private):
            # The transport would keep the certificate before, and not say so.
            raise TlsFilesError(f"{self.key} is of a kind that no handshake here uses")
        return grpc.ssl_server_certificate_configuration([(key, chain)], authority)


def valid_until(chain: bytes) -> datetime:
    """Return when the first certificate of a PEM chain ends; raises ValueError for no PEM."""
    return x509.load_pem_x509_certificates(chain)[0].not_valid_after_utc


def _may_serve(key: object) -> bool:
    match key:
        case rsa.RSAPrivateKey():
            return key.key_size >= RSA_BITS
        case ec.EllipticCurvePrivateKey():
            return isinstance(key.curve, CURVES)
        case _:
            return isinstance(key, ed25519.Ed25519PrivateKey)


class ServerTls:
    """Credentials of a server that follow their files."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files; raises TlsFilesError."""
        self._files = files
        self._lock = threading.Lock()
        try:
            # Before the reading: a change in between is then seen as one.
            self._stamp: Stamp | None = files.stamp()
        except OSError as error:
            raise TlsFilesError(f"{error.filename}: {error.strerror}") from None
        self._first = files.read()

    @property
    def mutual(self) -> bool:
        """Tell whether clients must show a certificate."""
        return self._files.client_ca is not None

    def credentials(self) -> grpc.ServerCredentials:
        """Return what `add_secure_port` takes."""
        return grpc.dynamic_ssl_server_credentials(
            self._first, self._newer, require_client_authentication=self.mutual
        )

    def _newer(self) -> Any:
        """Return what the files say when they have changed, else None: it is asked each time.

        It runs in grpc's threads, within the handshake.
        """
        with self._lock:
            stamp = self._look()
            if stamp == self._stamp:
                return None
            # Remembered whatever comes of it: what is wrong is told once, not at each handshake.
            self._stamp = stamp
            try:
                newer = self._files.read()
            except TlsFilesError as error:
                log.error("certificate not reloaded", why=str(error))
                return None
            log.info("certificate reloaded")
            return newer

    def _look(self) -> Stamp | None:
        try:
            return self._files.stamp()
        except OSError:
            return None
