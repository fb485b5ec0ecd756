"""How we speak to Temporal: the client, how payloads and failures are written."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    SerializationContext,
)
from temporalio.service import TLSConfig

from siklus.activities.keyring import Keys
from siklus.services.payloads import PayloadConverter, PayloadSealer, agency_in
from siklus.services.settings import Settings
from siklus.services.tls import TlsFilesError

AGENCIES_KEPT: Final = 4096


@dataclass(frozen=True)
class AgencyConverter(DataConverter):
    """Keeps what the SDK would make anew, from parts, for nearly every payload."""

    _kept: dict[str, Self] = field(init=False, repr=False, compare=False, default_factory=dict)

    def with_context(self, context: SerializationContext) -> Self:
        """Return the converter of the agency that a workflow belongs to."""
        codec, agency = self.payload_codec, agency_in(context)
        kept = self._kept.get(agency)
        if kept is None:
            assert isinstance(codec, PayloadSealer)  # noqa: S101 - given by `data_converter`
            own = codec.of(agency)
            kept = self if own is codec else replace(self, payload_codec=own)
            if len(self._kept) == AGENCIES_KEPT:
                self._kept.clear()
            self._kept[agency] = kept
        return kept


def data_converter(keys: Keys) -> DataConverter:
    """Return the converter that clients, workers and replays must share.

    Messages and stack traces of failures are encrypted like everything else; their types are not.
    """
    return AgencyConverter(
        payload_converter_class=PayloadConverter,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        payload_codec=PayloadSealer(keys),
    )


async def connect(settings: Settings, keys: Keys, *, lazy: bool = False) -> Client:
    """Connect to Temporal; a lazy client is returned at once and connects with its first call.

    Raises RuntimeError or temporalio.service.RPCError when nobody answers, TlsFilesError for a file
    of the settings that is of no use.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(keys),
        lazy=lazy,
        tls=temporal_tls(settings) or False,
        api_key=_secret(settings.temporal_api_key),
    )


def temporal_tls(settings: Settings) -> TLSConfig | None:
    """Return how to speak TLS to Temporal, None for plain text; raises TlsFilesError.

    The files are read once: a client certificate that is replaced counts from the next start.
    """
    certificate, key = settings.temporal_tls_certificate, settings.temporal_tls_key
    if (certificate is None) != (key is None):
        lacking = "SIKLUS_TEMPORAL_TLS_KEY" if key is None else "SIKLUS_TEMPORAL_TLS_CERTIFICATE"
        raise TlsFilesError(f"a client certificate needs its key as well: set {lacking}")
    ca = settings.temporal_tls_ca
    wanted = settings.temporal_tls or ca or certificate or settings.temporal_api_key
    if not wanted:
        return None
    try:
        return TLSConfig(
            server_root_ca_cert=ca.read_bytes() if ca else None,
            client_cert=certificate.read_bytes() if certificate else None,
            client_private_key=key.read_bytes() if key else None,
        )
    except OSError as error:
        raise TlsFilesError(f"{error.filename}: {error.strerror}") from None


def _secret(given: SecretStr | None) -> str | None:
    return given.get_secret_value() if given is not None else None
