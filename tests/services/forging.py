"""Tokens as somebody would forge them, or as a careless issuer would make them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from siklus.services.auth.tokens import TokenVerifier
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.workflows.domain.values import AgencyId, PersonId

NOW = datetime(2026, 1, 30, 9, tzinfo=UTC)
AT = int(NOW.timestamp())
HOUR = timedelta(hours=1)
PALU, SARI = AgencyId("palu"), PersonId("p-sari")
ED, EC, RSA = (
    OKPKey.generate_key("Ed25519", {"kid": "ed"}),
    ECKey.generate_key("P-256", {"kid": "ec"}),
    RSAKey.generate_key(2048, {"kid": "rsa"}),
)
PUBLIC = KeySet.import_key_set(KeySet([ED, EC, RSA]).as_dict(private=False))
CLAIMS = {
    "iss": "siklus",
    "aud": "siklus",
    "sub": "p-sari",
    "agency": "palu",
    "roles": ["employee"],
    "exp": AT + 3600,
}
INVALID = ServiceReason.TOKEN_INVALID


def signed(
    payload: bytes | None = None, header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A token that our own key has signed, whatever stands in it; no library would make some."""
    body = json.dumps({**CLAIMS, **claims}).encode() if payload is None else payload
    private: Any = ED.private_key
    signing = f"{part({'alg': 'Ed25519', 'kid': 'ed', **(header or {})})}.{part(body)}"
    return f"{signing}.{part(private.sign(signing.encode()))}"


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(verifier: TokenVerifier, token: str) -> ServiceReason:
    with pytest.raises(ServiceRefusal) as refusal:
        verifier.verify(token)
    said = f"{refusal.value.message} {refusal.value.details} {refusal.value.fields}"
    assert token not in said
    assert isinstance(refusal.value.reason, ServiceReason)
    return refusal.value.reason
