"""What an operator may set, from the environment or one TOML file, read once at start."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

Port = Annotated[int, Field(ge=1, le=65535)]
Language = Literal["id", "en"]


def _unambiguous(url: SecretStr) -> SecretStr:
    """Refuse a URL of which drivers would take a part of the password for something else.

    They tell that part: as a host that nobody knows, or as a port that is no number.
    """
    written = url.get_secret_value()
    try:
        whole = written.count("@") < 2 and not re.search("%(?![0-9A-Fa-f]{2})", written)
        # Several hosts have several ports.
        _ = "," in written or urlsplit(written).port
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(
            "this is no URL; write @ : / ? # % in a password as %40 %3A %2F %3F %23 %25"
        )
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_unambiguous)]

CONFIG_VARIABLE = "SIKLUS_CONFIG"
CONFIG_FILE = Path("siklus.toml")


class Settings(BaseSettings):
    """Settings of one process: arguments win over `SIKLUS_*`, those over the TOML file.

    The file is the one `SIKLUS_CONFIG` names, else `siklus.toml` in the current folder if it
    is there. A key the file gives and nobody knows is an error, so a typing mistake is seen.
    """

    model_config = SettingsConfigDict(
        env_prefix="SIKLUS_", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    database_url: DatabaseUrl = SecretStr("postgresql://siklus_app@127.0.0.1:5432/siklus")
    """PostgreSQL as `siklus_app`: what services and workers use; row-level security applies."""

    owner_database_url: DatabaseUrl = SecretStr("postgresql://siklus_owner@127.0.0.1:5432/siklus")
    """PostgreSQL as `siklus_owner`: migrations alone."""

    feed_database_url: DatabaseUrl = SecretStr("postgresql://siklus_feed@127.0.0.1:5432/siklus")
    """PostgreSQL as `siklus_feed`: the sequencer and the doctor, which look across agencies."""

    temporal_address: str = "127.0.0.1:7233"
    """Host and port of the Temporal frontend."""

    temporal_namespace: str = "default"
    """Temporal namespace that holds every workflow of this installation."""

    temporal_tls: bool = False
    """Speak TLS to Temporal; any of the four settings below does as well."""

    temporal_tls_ca: Path | None = None
    """PEM file of the authority that signed Temporal's certificate, if not a known one."""

    temporal_tls_certificate: Path | None = None
    """PEM file of the certificate that Temporal asks of its clients."""

    temporal_tls_key: Path | None = None
    """PEM file with the private key of that certificate."""

    temporal_api_key: SecretStr | None = None
    """Key that Temporal asks of its clients in place of a certificate."""

    grpc_host: str = "127.0.0.1"
    """Address the gRPC server listens on."""

    grpc_port: Port = 50051
    """Port of the gRPC server."""

    rate_per_second: Annotated[float, Field(ge=0)] = 50
    """Calls a second that one caller may begin, on the average; 0 limits nothing at all."""

    rate_burst: Annotated[int, Field(ge=1)] = 100
    """Calls that a caller may begin at once after a rest."""

    web_host: str = "127.0.0.1"
    """Address the web pages listen on."""

    web_port: Port = 8080
    """Port of the web pages."""

    metrics_host: str = "127.0.0.1"
    """Address on which a worker answers Prometheus."""

    metrics_port: Port = 9464
    """Port that answers Prometheus."""

    smtp_host: str = "127.0.0.1"
    """Mail server that takes the reminders."""

    smtp_port: Port = 25
    """Port of the mail server."""

    smtp_from: str = "siklus@localhost"
    """Sender of every mail."""

    smtp_username: str | None = None
    """Account at the mail server; without one, no login is tried."""

    smtp_password: SecretStr | None = None
    """Password of that account."""

    smtp_starttls: bool = False
    """Refuse to hand over mail unless the connection is encrypted by STARTTLS."""

    token_keys: Path | None = None
    """JWKS file: public keys verify tokens; a private key also lets `siklus token` sign them."""

    token_jwks_url: str | None = None
    """URL of the identity provider's JWKS, in place of the file: https, or http on this machine."""

    token_jwks_ca: Path | None = None
    """PEM file of the authority behind the identity provider's certificate, if not a known one."""

    token_jwks_refresh_seconds: Annotated[float, Field(ge=30, le=86400)] = 600
    """How often the keys behind the URL are fetched; a shorter `max-age` of theirs wins."""

    token_jwks_keep_seconds: Annotated[float, Field(ge=0, le=30 * 86400)] = 86400
    """How long the last keys count while the identity provider does not answer."""

    tls_certificate: Path | None = None
    """PEM file with the chain of the gRPC server; without one it serves plain text."""

    tls_key: Path | None = None
    """PEM file with the private key of that certificate."""

    tls_client_ca: Path | None = None
    """PEM file of the authorities whose certificates clients must show (mutual TLS)."""

    token_issuer: str = "siklus"  # noqa: S105 - a name
    """The only `iss` a token may carry."""

    token_audience: str = "siklus"  # noqa: S105 - a name
    """The `aud` a token must carry."""

    text_keys: Path | None = None
    """Keyring file whose keys encrypt payloads in Temporal and wrap the data keys of texts."""

    checkpoint_keys: Path | None = None
    """JWKS file of Ed25519 keys: the first private one signs audit files, others signed before."""

    webhook_allowed_targets: str = ""
    """Networks and addresses, with commas between, that webhooks may reach though they are not
    public, and by http as well; others are reached by https at public addresses alone."""

    data_dir: Path = Path(".siklus")
    """Folder of the embedded stack: database, Temporal, mailbox and local keys."""

    clock_offset_seconds: float = 0
    """Seconds added to the wall clock. Local mode only: a production process must refuse it."""

    default_language: Language = "id"
    """Language of mails and pages for people who chose none."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, TOML file."""
        return (init_settings, env_settings, _config_file(settings_cls))


class ConfigFileMissingError(Exception):
    """`SIKLUS_CONFIG` names a file that is not there."""


def _config_file(settings: type[BaseSettings]) -> TomlConfigSettingsSource:
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise ConfigFileMissingError(f"{CONFIG_VARIABLE} names {named}, which is not a file")
    return TomlConfigSettingsSource(settings, toml_file=named or CONFIG_FILE)
