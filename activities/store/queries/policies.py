"""Published policies: versions that never change."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import days
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.values import AgencyId, Digest

COLUMNS = "name, version, source, compiled::text, digest, published_at, published_by"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('policies of ' || %s, 0))"
GET = f"SELECT {COLUMNS} FROM policy WHERE agency = %s AND name = %s AND version = %s"  # noqa: S608
NEWEST = f"""
    SELECT {COLUMNS} FROM policy WHERE agency = %s AND name = %s ORDER BY version DESC LIMIT 1
"""  # noqa: S608 - constants alone
ADD = """
    INSERT INTO policy (agency, name, version, source, compiled, digest, published_at,
        published_by)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One published version; `source` is the pack as written, `compiled` the rules as JSON."""

    name: str
    version: int
    source: str
    compiled: str
    digest: Digest
    published_at: datetime
    published_by: str

    def rules(self) -> Policy:
        """Return the rules as an evaluation carries them."""
        return Policy.model_validate_json(self.compiled)


class PolicyMissing(LookupError):  # noqa: N818 - it says what is so
    """No such version was published."""


async def publish(
    connection: Connection,
    agency: AgencyId,
    source: str,
    compiled: Callable[[int], Policy],
    *,
    at: datetime,
    by: str,
) -> PolicyRow:
    """Add the next version and return it; the very same source as the newest adds none.

    `compiled` returns the rules of the source with a given version.
    """
    async with connection.transaction():
        await connection.execute(LOCK, (agency,))
        newest = await get(connection, agency, compiled(1).name)
        if newest is not None and newest.source == source:
            return newest
        policy = compiled(newest.version + 1 if newest else 1)
        row = PolicyRow(
            policy.name,
            policy.version,
            source,
            policy.model_dump_json(),
            digest_of(policy),
            at,
            by,
        )
        await connection.execute(
            ADD,
            (agency, row.name, row.version, source, row.compiled, row.digest, at, by),
        )
        return row


async def get(
    connection: Connection, agency: AgencyId, name: str, version: int = 0
) -> PolicyRow | None:
    """Return one version, 0 the newest, or None."""
    async with connection.cursor(row_factory=args_row(PolicyRow)) as cursor:
        if version:
            await cursor.execute(GET, (agency, name, version))
        else:
            await cursor.execute(NEWEST, (agency, name))
        return await cursor.fetchone()


async def compiled(connection: Connection, agency: AgencyId, name: str, version: int) -> Policy:
    """Return the rules of a version, or raise `PolicyMissing`."""
    row = await get(connection, agency, name, version)
    if row is None:
        raise PolicyMissing(f"policy {name} has no version {version}")
    return row.rules()


async def calendar(connection: Connection, agency: AgencyId, digest: Digest) -> Calendar:
    """Return a pinned calendar, or raise `PolicyMissing`."""
    found = await days.calendar(connection, agency, digest)
    if found is None:
        raise PolicyMissing("no calendar was kept under that digest")
    return found
