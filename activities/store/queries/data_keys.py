"""Which keys of the keyring the stored data keys and secrets need, and wrapping them anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.texts import WrappedKey
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

# Each step looks up the next agency in the index: no key is read.
AGENCIES = """
    WITH RECURSIVE found AS (
        (SELECT agency FROM data_key ORDER BY agency LIMIT 1)
        UNION ALL
        SELECT (
            SELECT agency FROM data_key WHERE data_key.agency > found.agency
            ORDER BY agency LIMIT 1
        )
        FROM found WHERE found.agency IS NOT NULL
    )
    SELECT agency FROM found WHERE agency IS NOT NULL
    UNION SELECT agency FROM subscription_turn ORDER BY agency
"""
COUNT = """
    SELECT keyring_key, sum(uses)::bigint FROM (
        SELECT keyring_key, count(*) AS uses FROM data_key
        WHERE agency = %(agency)s GROUP BY keyring_key
        UNION ALL SELECT keyring_key, 1 FROM subscription WHERE agency = %(agency)s
        UNION ALL SELECT old_keyring_key, 1 FROM subscription
        WHERE agency = %(agency)s AND old_keyring_key IS NOT NULL
    ) AS used GROUP BY keyring_key
"""
# In the order of the key, so that one that cannot be opened is passed and not met again.
NOT_UNDER = """
    SELECT cycle, person, segment, id, keyring_key, wrapped FROM data_key
    WHERE agency = %s AND keyring_key <> %s AND (cycle, person, segment) > (%s, %s, %s)
    ORDER BY cycle, person, segment LIMIT %s
"""
# Not where it was erased meanwhile, or made anew.
WRAP = """
    UPDATE data_key SET keyring_key = new.keyring_key, wrapped = new.wrapped
    FROM unnest(%s::text[], %s::text[], %s::int[], %s::text[], %s::text[], %s::bytea[])
        AS new (cycle, person, segment, id, keyring_key, wrapped)
    WHERE data_key.agency = %s AND data_key.cycle = new.cycle AND data_key.person = new.person
        AND data_key.segment = new.segment AND data_key.id = new.id
"""
SECRETS_NOT_UNDER = """
    SELECT subscription, keyring_key, secret, old_keyring_key, old_secret FROM subscription
    WHERE agency = %s AND (keyring_key <> %s OR old_keyring_key <> %s) ORDER BY subscription
"""
# Not where it was given another one meanwhile.
WRAP_SECRETS = """
    UPDATE subscription
    SET keyring_key = %s, secret = %s, old_keyring_key = %s, old_secret = %s
    WHERE agency = %s AND subscription = %s
        AND secret = %s AND old_secret IS NOT DISTINCT FROM %s
"""


@dataclass(frozen=True, slots=True)
class StoredSecrets:
    """What signs for a receiver of webhooks, as it is sealed."""

    subscription: str
    keyring_key: str
    secret: bytes
    old_keyring_key: str | None
    old_secret: bytes | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A data key and whose it is."""

    evaluation: EvaluationKey
    key: WrappedKey


@dataclass(frozen=True, slots=True)
class _Row:
    cycle: str
    person: str
    segment: int
    id: str
    keyring_key: str
    wrapped: bytes


async def agencies(connection: Connection) -> list[AgencyId]:
    """Return every agency with a data key or a webhook; for `siklus_feed`, which sees them all."""
    rows = await (await connection.execute(AGENCIES)).fetchall()
    return [AgencyId(agency) for (agency,) in rows]


async def count(connection: Connection, agency: AgencyId) -> dict[str, int]:
    """Return how many data keys and secrets of an agency each key of the keyring seals."""
    return dict(await (await connection.execute(COUNT, {"agency": agency})).fetchall())


async def not_under(
    connection: Connection,
    agency: AgencyId,
    keyring_key: str,
    *,
    after: EvaluationKey | None,
    limit: int,
) -> list[StoredKey]:
    """Return data keys that another key of the keyring wraps, in the order of their evaluations."""
    start = (after.cycle, after.person, after.segment) if after else ("", "", 0)
    async with connection.cursor(row_factory=args_row(_Row)) as cursor:
        await cursor.execute(NOT_UNDER, (agency, keyring_key, *start, limit))
        return [_stored(agency, row) for row in await cursor.fetchall()]


async def wrap(connection: Connection, agency: AgencyId, wrapped: Sequence[StoredKey]) -> int:
    """Store data keys as they are wrapped now; return how many of them were still there."""
    columns = zip(
        *(
            (
                each.evaluation.cycle,
                each.evaluation.person,
                each.evaluation.segment,
                each.key.id,
                each.key.keyring_key,
                each.key.wrapped,
            )
            for each in wrapped
        ),
        strict=True,
    )
    cursor = await connection.execute(WRAP, (*map(list, columns), agency))
    return cursor.rowcount


async def secrets_not_under(
    connection: Connection, agency: AgencyId, keyring_key: str
) -> list[StoredSecrets]:
    """Return the secrets of webhooks that another key of the keyring seals; they are few."""
    async with connection.cursor(row_factory=args_row(StoredSecrets)) as cursor:
        await cursor.execute(SECRETS_NOT_UNDER, (agency, keyring_key, keyring_key))
        return await cursor.fetchall()


async def wrap_secrets(
    connection: Connection, agency: AgencyId, was: StoredSecrets, now: StoredSecrets
) -> bool:
    """Store secrets as they are sealed now; False if they are others by now."""
    given = (now.keyring_key, now.secret, now.old_keyring_key, now.old_secret)
    which = (agency, was.subscription, was.secret, was.old_secret)
    return (await connection.execute(WRAP_SECRETS, (*given, *which))).rowcount == 1


def _stored(agency: AgencyId, row: _Row) -> StoredKey:
    key = EvaluationKey(
        agency=agency, cycle=CycleId(row.cycle), person=PersonId(row.person), segment=row.segment
    )
    return StoredKey(key, WrappedKey(row.id, row.keyring_key, row.wrapped))
