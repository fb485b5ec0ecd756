"""Signing secrets: made, sealed under their agency's key, and signing as Standard Webhooks says."""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from math import floor
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from standardwebhooks import Webhook

from siklus.activities.keyring import Keys
from siklus.activities.store.queries.subscriptions import SealedSecret
from siklus.workflows.domain.values import AgencyId

SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 12
PREFIX: Final = "whsec_"


class SecretUnreadable(Exception):  # noqa: N818 - it says what is so
    """A stored secret does not fit its key: the keyring is another's, or the row was changed."""


def new_secret() -> str:
    """Return a new secret as its receiver keeps it."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class SecretBox:
    """Seals secrets so that only this agency's key, for this subscription, opens them."""

    def __init__(self, keyring: Keys) -> None:
        self._keyring = keyring

    def seal(self, agency: AgencyId, subscription: str, secret: str) -> SealedSecret:
        """Return a secret as it is stored."""
        key_id, nonce = self._keyring.current, secrets.token_bytes(NONCE_BYTES)
        cipher = self._cipher(key_id, agency)
        sealed = cipher.encrypt(nonce, secret.encode(), f"{agency}/{subscription}".encode())
        return SealedSecret(key_id, nonce + sealed)

    def open(self, agency: AgencyId, subscription: str, stored: SealedSecret) -> str:
        """Return a stored secret; raises SecretUnreadable."""
        nonce, sealed = stored.sealed[:NONCE_BYTES], stored.sealed[NONCE_BYTES:]
        try:
            cipher = self._cipher(stored.keyring_key, agency)
            return cipher.decrypt(nonce, sealed, f"{agency}/{subscription}".encode()).decode()
        except (InvalidTag, KeyError):
            raise SecretUnreadable("the keyring does not hold the key of this secret") from None

    def _cipher(self, key_id: str, agency: AgencyId) -> AESGCM:
        return self._keyring.cipher(key_id, f"webhooks of {agency}")


def signed(signers: Sequence[str], message: str, at: datetime, body: str) -> dict[str, str]:
    """Return the three headers of Standard Webhooks: one signature for each secret."""
    at = at.astimezone(UTC)
    signatures = [Webhook(secret).sign(message, at, body) for secret in signers]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(floor(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
