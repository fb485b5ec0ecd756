"""How a command reaches the API: where it is, who asks, and what is believed of the other side."""

import base64
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import grpc

from siklus.services.auth.keys import local_key_file
from siklus.services.cli.output import Fault
from siklus.services.settings import Settings

PATIENT: Final = (files("siklus.v1") / "service_config.json").read_text()
"""What the contract tells a careful client to try again."""
CHANNEL_OPTIONS: Final = (
    ("grpc.service_config", PATIENT),
    ("grpc.max_receive_message_length", 8 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 200),
    # A long import or watch ends when the server's machine is gone without a word.
    ("grpc.keepalive_time_ms", 30_000),
)


@dataclass(frozen=True)
class Connection:
    """What the options of a command say about its calls."""

    server: str
    token: str
    token_file: Path | None
    agency: str
    tls: bool
    tls_ca: Path | None
    tls_certificate: Path | None
    tls_key: Path | None
    timeout: float

    def channel(self) -> grpc.aio.Channel:
        """Return a new channel, which the caller closes; raises `Fault` for TLS files."""
        credentials = tls_credentials(self.tls_ca, self.tls_certificate, self.tls_key, tls=self.tls)
        if credentials is None:
            return grpc.aio.insecure_channel(self.server, options=CHANNEL_OPTIONS)
        return grpc.aio.secure_channel(self.server, credentials, options=CHANNEL_OPTIONS)

    def bearer(self) -> str:
        """Return the token that was given one way or another; raises `Fault` without one."""
        token = self.token or (_read(self.token_file, "NO_TOKEN_FILE") if self.token_file else b"")
        text = token if isinstance(token, str) else token.decode("ascii", "replace")
        if not text.strip():
            hint = f"give it by --token, SIKLUS_TOKEN or --token-file{_where_to_get_one()}"
            raise Fault("TOKEN_MISSING", "the API lets nobody in without a token", hint)
        if len(text.split()) > 1 or not text.isascii():
            raise Fault("TOKEN_INVALID", "this is no token", "a token is one word, as ey...")
        return text.strip()


def agency_of(token: str) -> str:
    """Return the agency for which a token speaks; the server alone tells whether it may.

    Raises `Fault` for a token that does not say.
    """
    try:
        written = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))
        agency = claims["agency"]
    except (IndexError, ValueError, KeyError, TypeError):
        agency = None
    if not isinstance(agency, str) or not agency:
        raise Fault("TOKEN_INVALID", "the token names no agency", "give another, or add --agency")
    return agency


def tls_credentials(
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    *,
    tls: bool,
    options: str = "--tls-",
) -> grpc.ChannelCredentials | None:
    """Return what TLS needs, None for plain text; raises `Fault` for half of a pair.

    `options` is with what the names of the command's options begin.
    """
    if (certificate is None) != (key is None):
        lacking = "key" if key is None else "certificate"
        raise Fault("HALF_TLS", f"mutual TLS needs {options}{lacking} as well")
    if not tls and ca is None and certificate is None:
        return None
    roots, chain, private = (
        None if file is None else _read(file, "NO_TLS_FILE") for file in (ca, certificate, key)
    )
    return grpc.ssl_channel_credentials(roots, private, chain)


def _read(file: Path, code: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Fault(code, f"{file} cannot be read: {error.strerror}") from None


def _where_to_get_one() -> str:
    """Tell of the embedded stack, whose key lies on this machine."""
    try:
        data_dir = Settings().data_dir
        there = local_key_file(data_dir).exists()
    except (ValueError, OSError):
        return ""
    if not there:
        return ""
    return "; `siklus token --agency AGENCY --person ID --role agency_admin` prints one of here"
