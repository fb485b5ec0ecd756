"""After a rotation: the data keys of texts are wrapped anew, under the current key."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import data_keys
from siklus.activities.store.queries.data_keys import StoredKey
from siklus.activities.vault import TextUnreadable, Vault
from siklus.workflows.domain.values import AgencyId

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What became of the data keys that older keys had wrapped."""

    wrapped: int
    unreadable: int
    """The keyring does not hold their key, or they were altered; they stay as they are."""


async def agencies(feed_url: str) -> list[AgencyId]:
    """Return every agency with a record, as `siklus_feed`; raises psycopg.Error."""
    async with await Connection.connect(feed_url, autocommit=True) as connection:
        return await data_keys.agencies(connection)


async def counted(store: Store, of: Sequence[AgencyId]) -> Counter[str]:
    """Return how many data keys each key of the keyring wraps. Raises `StoreUnavailable`."""
    total: Counter[str] = Counter()
    for agency in of:
        async with store.agency(agency) as connection:
            total.update(await data_keys.count(connection, agency))
    return total


async def rewrap(
    store: Store,
    vault: Vault,
    of: Sequence[AgencyId],
    current: str,
    tell: Callable[[int], None] = lambda done: None,
) -> Rewrapped:
    """Wrap all data keys under the current key, page by page; may be stopped and repeated.

    `tell` hears how many each page brought. Raises `StoreUnavailable`.
    """
    wrapped = unreadable = 0
    for agency in of:
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


def _renewed(vault: Vault, stored: StoredKey) -> StoredKey | None:
    try:
        return StoredKey(stored.evaluation, vault.rewrapped(stored.evaluation, stored.key))
    except TextUnreadable:
        return None
