"""Free texts under lock: a data key per evaluation, wrapped by its agency's key.

Without its data key a text and its salt are gone for good, while digest and chain still verify.
"""

import json
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from siklus.activities.keyring import KEY_BYTES, Keys
from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import texts
from siklus.activities.store.queries.texts import Sealed, SealedRow, WrappedKey
from siklus.workflows.domain.values import EvaluationKey
from siklus.workflows.ports.evaluation import Text

NONCE_BYTES = 12
REMEMBERED = 1024
"""Unwrapped data keys kept in memory."""


@dataclass(frozen=True, slots=True)
class Erased:
    """Stands where a text was whose key was deleted."""


ERASED: Final = Erased()


class TextUnreadable(Exception):  # noqa: N818 - it says what is so
    """A stored text does not fit its key: the keyring is another's, or the row was changed."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """An unwrapped key, ready for use."""

    id: str
    cipher: AESGCM


class Vault:
    """Seals and opens texts; the caller brings the connection."""

    def __init__(self, keyring: Keys) -> None:
        self._keyring = keyring
        self._by_evaluation: OrderedDict[str, DataKey] = OrderedDict()

    async def key_for(self, connection: Connection, key: EvaluationKey) -> DataKey:
        """Return the evaluation's data key, made now if it has none."""
        known = self._by_evaluation.get(str(key))
        if known is not None:
            self._by_evaluation.move_to_end(str(key))
            return known
        stored = await texts.keep_data_key(connection, key, self._new(key))
        # What was committed while we waited for whoever was faster shows only now.
        stored = stored or await texts.data_key(connection, key)
        if stored is None:
            raise TextUnreadable("the data key was erased while a text came in; send it again")
        return self._remember(key, stored)

    def forget(self, key: EvaluationKey) -> None:
        """Drop a data key from memory: the stored one is another now."""
        self._by_evaluation.pop(str(key), None)

    def seal(self, data_key: DataKey, key: EvaluationKey, text: Text) -> Sealed:
        """Return the text, with its salt, so that only the data key opens it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        plain = json.dumps([text.salt, text.fields], ensure_ascii=False).encode()
        bound = f"{key}/{text.digest}".encode()
        return Sealed(text.digest, nonce, data_key.cipher.encrypt(nonce, plain, bound))

    async def open(
        self, connection: Connection, key: EvaluationKey, digests: Sequence[str]
    ) -> dict[str, Text | Erased]:
        """Return the texts by digest; digests without a stored text are left out."""
        rows = await texts.read(connection, key, digests)
        return {row.digest: self._opened(key, row) for row in rows}

    async def erase(self, connection: Connection, key: EvaluationKey) -> bool:
        """Make every text of an evaluation unreadable for good; tell whether it had any."""
        self.forget(key)
        return await texts.forget_data_key(connection, key)

    def _opened(self, key: EvaluationKey, row: SealedRow) -> Text | Erased:
        # The key comes with the row, never from memory alone: another process may have erased it.
        if row.key_id is None or row.keyring_key is None or row.wrapped is None:
            return ERASED
        data_key = self._by_evaluation.get(str(key))
        if data_key is None or data_key.id != row.key_id:
            wrapped = WrappedKey(row.key_id, row.keyring_key, row.wrapped)
            data_key = self._remember(key, wrapped)
        try:
            plain = data_key.cipher.decrypt(
                row.nonce, row.ciphertext, f"{key}/{row.digest}".encode()
            )
        except InvalidTag:
            raise TextUnreadable("a stored text does not fit its key") from None
        salt, fields = json.loads(plain)
        return Text.model_validate({"digest": row.digest, "salt": salt, "fields": fields})

    def rewrapped(self, key: EvaluationKey, stored: WrappedKey) -> WrappedKey:
        """Return a data key as the current key wraps it; raises `TextUnreadable`."""
        return self._wrapped(key, stored.id, self._unwrapped(key, stored))

    def _new(self, key: EvaluationKey) -> WrappedKey:
        return self._wrapped(key, secrets.token_hex(8), secrets.token_bytes(KEY_BYTES))

    def _wrapped(self, key: EvaluationKey, key_id: str, plain: bytes) -> WrappedKey:
        keyring_key, nonce = self._keyring.current, secrets.token_bytes(NONCE_BYTES)
        bound = f"{key}/{key_id}".encode()
        wrapped = self._agency_key(keyring_key, key).encrypt(nonce, plain, bound)
        return WrappedKey(key_id, keyring_key, nonce + wrapped)

    def _unwrapped(self, key: EvaluationKey, stored: WrappedKey) -> bytes:
        nonce, wrapped = stored.wrapped[:NONCE_BYTES], stored.wrapped[NONCE_BYTES:]
        try:
            agency_key = self._agency_key(stored.keyring_key, key)
            return agency_key.decrypt(nonce, wrapped, f"{key}/{stored.id}".encode())
        except (InvalidTag, KeyError, ValueError):
            raise TextUnreadable("the keyring does not hold the key of this text") from None

    def _remember(self, key: EvaluationKey, stored: WrappedKey) -> DataKey:
        data_key = DataKey(stored.id, AESGCM(self._unwrapped(key, stored)))
        self._by_evaluation[str(key)] = data_key
        if len(self._by_evaluation) > REMEMBERED:
            self._by_evaluation.popitem(last=False)
        return data_key

    def _agency_key(self, keyring_key: str, key: EvaluationKey) -> AESGCM:
        return self._keyring.cipher(keyring_key, f"texts of {key.agency}")
