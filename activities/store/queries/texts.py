"""Sealed texts and their data keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import EvaluationKey

KEY_OF = """
    SELECT id, keyring_key, wrapped FROM data_key
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s
"""
KEEP_KEY = """
    WITH new AS (
        INSERT INTO data_key (agency, cycle, person, segment, id, keyring_key, wrapped)
        VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        RETURNING id, keyring_key, wrapped
    )
    SELECT id, keyring_key, wrapped FROM new
    UNION ALL SELECT id, keyring_key, wrapped FROM data_key
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s
"""
FORGET_KEY = """
    DELETE FROM data_key
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s RETURNING id
"""
# Only under a key that is still there: a text sealed with an erased one would be lost.
KEEP = """
    WITH key AS (
        SELECT agency, cycle, person, segment, id FROM data_key
        WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s AND id = %s
    ), kept AS (
        INSERT INTO prose (agency, cycle, person, segment, data_key, digest, nonce, ciphertext)
        SELECT key.agency, key.cycle, key.person, key.segment, key.id, new.*
        FROM key, unnest(%s::text[], %s::bytea[], %s::bytea[]) AS new
        ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (SELECT FROM key)
"""
READ = """
    SELECT prose.digest, prose.nonce, prose.ciphertext, key.id, key.keyring_key, key.wrapped
    FROM prose LEFT JOIN data_key AS key
        ON key.agency = prose.agency AND key.cycle = prose.cycle AND key.person = prose.person
        AND key.segment = prose.segment AND key.id = prose.data_key
    WHERE prose.agency = %s AND prose.cycle = %s AND prose.person = %s AND prose.segment = %s
        AND prose.digest = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is stored: useless without the keyring."""

    id: str
    keyring_key: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed text under its digest."""

    digest: str
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A sealed text with its key; without one it was erased."""

    digest: str
    nonce: bytes
    ciphertext: bytes
    key_id: str | None
    keyring_key: str | None
    wrapped: bytes | None


def key_parts(key: EvaluationKey) -> tuple[str, str, str, int]:
    """Return a key in the order of the tables' columns."""
    return key.agency, key.cycle, key.person, key.segment


async def data_key(connection: Connection, key: EvaluationKey) -> WrappedKey | None:
    """Return an evaluation's data key, None if it has none or no longer."""
    async with connection.cursor(row_factory=args_row(WrappedKey)) as cursor:
        return await (await cursor.execute(KEY_OF, key_parts(key))).fetchone()


async def keep_data_key(
    connection: Connection, key: EvaluationKey, new: WrappedKey
) -> WrappedKey | None:
    """Store a data key unless the evaluation has one, and return the one that counts.

    None when somebody else stored one this very moment, which shows to the next statement.
    """
    parts = key_parts(key)
    given = (*parts, new.id, new.keyring_key, new.wrapped, *parts)
    async with connection.cursor(row_factory=args_row(WrappedKey)) as cursor:
        return await (await cursor.execute(KEEP_KEY, given)).fetchone()


async def forget_data_key(connection: Connection, key: EvaluationKey) -> bool:
    """Erase an evaluation's texts for good; tell whether there was a key."""
    cursor = await connection.execute(FORGET_KEY, key_parts(key))
    return await cursor.fetchone() is not None


async def read(
    connection: Connection, key: EvaluationKey, digests: Sequence[str]
) -> list[SealedRow]:
    """Return the sealed texts of those digests, as far as they are stored."""
    async with connection.cursor(row_factory=args_row(SealedRow)) as cursor:
        return await (await cursor.execute(READ, (*key_parts(key), list(digests)))).fetchall()


async def keep(
    connection: Connection, key: EvaluationKey, data_key_id: str, sealed: Sequence[Sealed]
) -> bool:
    """Keep sealed texts, unless the data key that sealed them was erased; tell whether it stood."""
    given = (
        *key_parts(key),
        data_key_id,
        [text.digest for text in sealed],
        [text.nonce for text in sealed],
        [text.ciphertext for text in sealed],
    )
    row = await (await connection.execute(KEEP, given)).fetchone()
    return bool(row and row[0])
