"""Whom a server believes and how it is spoken to: half a configuration is refused with its name."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from siklus.services.auth.jwks import RemoteKeys
from siklus.services.auth.keys import PUBLIC_FILE, FixedKeys, ensure_local_key, local_key_file
from siklus.services.cli.output import Fault
from siklus.services.cli.trust import mode, server_tls, token_keys
from siklus.services.settings import Settings

URL = "https://id.palu.go.id/jwks"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """PEM files as an operator has them, and a JWKS file."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "server.key")
    authority.cert_pem.write_to_path(tmp_path / "clients.pem")
    ensure_local_key(tmp_path)
    return {
        "tls_certificate": tmp_path / "server.pem",
        "tls_key": tmp_path / "server.key",
        "tls_client_ca": tmp_path / "clients.pem",
        "token_keys": local_key_file(tmp_path).with_name(PUBLIC_FILE),
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "plain text (SIKLUS_TLS_CERTIFICATE sets up TLS)"),
        (("tls_certificate", "tls_key"), "TLS"),
        (("tls_certificate", "tls_key", "tls_client_ca"), "mutual TLS"),
    ],
)
def test_the_server_says_how_it_is_spoken_to(
    files: dict[str, Path], given: tuple[str, ...], told: str
) -> None:
    chosen: dict[str, Any] = {name: files[name] for name in given}

    assert mode(server_tls(Settings(**chosen))) == told


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        (("tls_certificate",), "SIKLUS_TLS_KEY"),
        (("tls_key",), "SIKLUS_TLS_CERTIFICATE"),
        (("tls_client_ca",), "SIKLUS_TLS_CERTIFICATE and SIKLUS_TLS_KEY"),
        (("tls_certificate", "tls_client_ca"), "SIKLUS_TLS_KEY"),
    ],
)
def test_half_of_tls_is_refused(
    files: dict[str, Path], given: tuple[str, ...], lacking: str
) -> None:
    chosen: dict[str, Any] = {name: files[name] for name in given}

    with pytest.raises(Fault) as refused:
        server_tls(Settings(**chosen))

    assert (refused.value.code, refused.value.message) == (
        "HALF_TLS",
        f"TLS needs {lacking} as well",
    )


def test_a_key_of_another_certificate_is_refused(files: dict[str, Path]) -> None:
    trustme.CA().private_key_pem.write_to_path(files["tls_key"])

    with pytest.raises(Fault, match="is not the key of") as refused:
        server_tls(Settings(tls_certificate=files["tls_certificate"], tls_key=files["tls_key"]))

    assert refused.value.code == "BAD_TLS"


def test_token_keys_have_exactly_one_source(files: dict[str, Path]) -> None:
    assert isinstance(token_keys(Settings(token_keys=files["token_keys"])), FixedKeys)
    assert isinstance(token_keys(Settings(token_jwks_url=URL)), RemoteKeys)
    with pytest.raises(Fault, match="nobody can be let in"):
        token_keys(Settings())
    with pytest.raises(Fault, match="both set"):
        token_keys(Settings(token_keys=files["token_keys"], token_jwks_url=URL))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"token_jwks_url": "http://id.palu.go.id/jwks"}, "without https"),
        ({"token_jwks_url": "https://me:secret@id.palu.go.id/jwks"}, "carries a password"),
        ({"token_jwks_url": "id.palu.go.id"}, "no https URL"),
        ({"token_jwks_url": URL, "token_jwks_ca": Path("/nowhere")}, "/nowhere"),
        ({"token_keys": Path("/nowhere")}, "/nowhere"),
    ],
)
def test_a_source_that_must_not_be_used_is_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(Fault, match=told) as refused:
        token_keys(Settings(**settings))

    assert refused.value.code == "NO_TOKEN_KEYS"
    assert "secret" not in refused.value.message
