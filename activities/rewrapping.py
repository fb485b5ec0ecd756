"""After a rotation: data keys of texts and secrets of webhooks are wrapped by the current key."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from siklus.activities.keyring import Keys
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import data_keys
from siklus.activities.store.queries.data_keys import StoredKey, StoredSecrets
from siklus.activities.store.queries.subscriptions import SealedSecret
from siklus.activities.vault import TextUnreadable, Vault
from siklus.activities.webhooks.signing import SecretBox, SecretUnreadable
from siklus.workflows.domain.values import AgencyId

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What became of the data keys and secrets that older keys had wrapped."""

    wrapped: int
    unreadable: int
    """The keyring does not hold their key, or they were altered; they stay as they are."""


async def agencies(feed_url: str) -> list[AgencyId]:
    """Return every agency that keeps a key, as `siklus_feed`; raises psycopg.Error."""
    async with await Connection.connect(feed_url, autocommit=True) as connection:
        return await data_keys.agencies(connection)


async def counted(store: Store, of: Sequence[AgencyId]) -> Counter[str]:
    """Return how many data keys and secrets need each key. Raises `StoreUnavailable`."""
    total: Counter[str] = Counter()
    for agency in of:
        async with store.agency(agency) as connection:
            total.update(await data_keys.count(connection, agency))
    return total


async def rewrap(
    store: Store,
    keys: Keys,
    of: Sequence[AgencyId],
    tell: Callable[[int], None] = lambda done: None,
) -> Rewrapped:
    """Wrap everything by the current key, page by page; may be stopped and repeated.

    `tell` hears how many each page brought. Raises `StoreUnavailable`.
    """
    vault, box, current = Vault(keys), SecretBox(keys), keys.current
    wrapped = unreadable = 0
    for agency in of:
        async with store.agency(agency) as connection:
            for was in await data_keys.secrets_not_under(connection, agency, current):
                now = _sealed_anew(box, agency, was)
                unreadable += now is None
                if now is not None:
                    wrapped += await data_keys.wrap_secrets(connection, agency, was, now)
                tell(1)
        after = None
        while True:
            async with store.agency(agency) as connection:
                page = await data_keys.not_under(
                    connection, agency, current, after=after, limit=PAGE
                )
                renewed = [each for each in (_renewed(vault, one) for one in page) if each]
                if renewed:
                    wrapped += await data_keys.wrap(connection, agency, renewed)
            unreadable += len(page) - len(renewed)
            tell(len(page))
            if len(page) < PAGE:
                break
            after = page[-1].evaluation
    return Rewrapped(wrapped, unreadable)


def _sealed_anew(box: SecretBox, agency: AgencyId, was: StoredSecrets) -> StoredSecrets | None:
    def anew(key_id: str, secret: bytes) -> SealedSecret:
        plain = box.open(agency, was.subscription, SealedSecret(key_id, secret))
        return box.seal(agency, was.subscription, plain)

    try:
        secret = anew(was.keyring_key, was.secret)
        if was.old_keyring_key is None or was.old_secret is None:
            return StoredSecrets(was.subscription, secret.keyring_key, secret.sealed, None, None)
        old = anew(was.old_keyring_key, was.old_secret)
    except SecretUnreadable:
        return None
    return StoredSecrets(
        was.subscription, secret.keyring_key, secret.sealed, old.keyring_key, old.sealed
    )


def _renewed(vault: Vault, stored: StoredKey) -> StoredKey | None:
    try:
        return StoredKey(stored.evaluation, vault.rewrapped(stored.evaluation, stored.key))
    except TextUnreadable:
        return None
