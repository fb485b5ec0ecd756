"""The ledger of notices as people read it: what was told, whom nothing reaches, and trying again.

Every function works on a connection that one agency was set on.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.news import CONFIDENTIAL
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId


class LedgerPlace(NamedTuple):
    """A row of the ledger, to go on after."""

    planned_on: date
    notice: UUID


LATEST: Final = LedgerPlace(date.max, UUID(int=2**128 - 1))
"""Before the first row."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One thing told to one person."""

    notice: UUID
    kind: str
    cycle: str
    person: str
    segment: int
    task: str | None
    rung: int | None
    due_on: date | None
    number: int | None
    recipient: str
    name: str | None
    channel: str
    state: str
    planned_on: date
    sent_at: datetime | None
    repeats: int
    last_error_code: str | None

    @property
    def place(self) -> LedgerPlace:
        """Where it stands in the ledger."""
        return LedgerPlace(self.planned_on, self.notice)


@dataclass(frozen=True, slots=True)
class Unreached:
    """One person whom notices do not reach over one channel."""

    recipient: str
    channel: str
    name: str | None
    email: str | None
    code: str
    since: datetime
    waiting: int
    given_up: int
    next_attempt_at: datetime | None


_COLUMNS: Final = """
    notice.notice, notice.kind, notice.cycle, notice.person, notice.segment, notice.task,
    notice.rung, notice.due_on, notice.number, notice.recipient, reader.name, notice.channel,
    notice.state, notice.planned_on, notice.sent_at, notice.repeats, notice.last_error_code
"""
_NEXT: Final = """
    LEFT JOIN person AS reader
        ON reader.agency = notice.agency AND reader.person = notice.recipient
    WHERE (notice.planned_on, notice.notice) < (%(planned_on)s, %(notice)s)
    ORDER BY notice.planned_on DESC, notice.notice DESC LIMIT %(limit)s
"""
_OF_EVALUATION: Final = """
    SELECT * FROM notice WHERE agency = %(agency)s AND cycle = %(cycle)s
        AND person = %(person)s AND segment = %(segment)s
"""
# Each part has its index; together they would have none. Who is asked for feedback is confidential.
EVALUATION: Final = f"""
    SELECT {_COLUMNS} FROM (
        {_OF_EVALUATION} AND task IS NOT NULL
        UNION ALL
        {_OF_EVALUATION} AND number IS NOT NULL
        UNION ALL
        {_OF_EVALUATION} AND matter IS NOT NULL AND kind <> ALL (%(confidential)s)
    ) AS notice {_NEXT}
"""  # noqa: S608 - constants alone
PERSON: Final = f"""
    SELECT {_COLUMNS} FROM (
        SELECT * FROM notice WHERE agency = %(agency)s AND recipient = %(recipient)s
    ) AS notice {_NEXT}
"""  # noqa: S608 - constants alone
UNREACHED: Final = """
    SELECT found.recipient, found.channel, reader.name, reader.email, found.code, found.since,
        found.waiting, found.given_up, found.next_attempt_at
    FROM (
        SELECT recipient, channel, min(failed_since) AS since,
            (array_agg(last_error_code ORDER BY failed_since DESC, notice))[1] AS code,
            count(*) FILTER (WHERE state = 'PLANNED') AS waiting,
            count(*) FILTER (WHERE state = 'FAILED') AS given_up,
            min(greatest(held_until, not_before)) FILTER (WHERE state = 'PLANNED')
                AS next_attempt_at
        FROM notice
        WHERE agency = %(agency)s AND failed_since IS NOT NULL
            AND (recipient, channel) > (%(recipient)s, %(channel)s)
        GROUP BY recipient, channel
        ORDER BY recipient, channel LIMIT %(limit)s
    ) AS found
    LEFT JOIN person AS reader
        ON reader.agency = %(agency)s AND reader.person = found.recipient
    ORDER BY found.recipient, found.channel
"""
# What is under way, or was perhaps sent and is tried again by itself, has its key: let alone.
RETRY: Final = """
    UPDATE notice
    SET state = 'PLANNED', attempts = 0, held_until = NULL, not_before = NULL, mail_key = NULL,
        handed_at = NULL, last_error_code = NULL, failed_since = NULL
    WHERE agency = %(agency)s AND recipient = %(recipient)s AND failed_since IS NOT NULL
        AND (state = 'FAILED' OR mail_key IS NULL)
    RETURNING notice
"""


async def of_evaluation(
    connection: Connection, key: EvaluationKey, *, after: LedgerPlace, limit: int
) -> list[NoticeRow]:
    """Return the next notices about an evaluation, the latest planned first."""
    agency, cycle, person, segment = key_parts(key)
    given: dict[str, object] = {"agency": agency, "cycle": cycle, "person": person}
    given |= {"segment": segment, "confidential": sorted(CONFIDENTIAL)}
    async with connection.cursor(row_factory=class_row(NoticeRow)) as cursor:
        await cursor.execute(EVALUATION, {**given, **after._asdict(), "limit": limit})
        return await cursor.fetchall()


async def of_person(
    connection: Connection, agency: AgencyId, who: PersonId, *, after: LedgerPlace, limit: int
) -> list[NoticeRow]:
    """Return the next notices to a person, the latest planned first."""
    given = {"agency": agency, "recipient": who}
    async with connection.cursor(row_factory=class_row(NoticeRow)) as cursor:
        await cursor.execute(PERSON, {**given, **after._asdict(), "limit": limit})
        return await cursor.fetchall()


async def unreached(
    connection: Connection, agency: AgencyId, *, after: tuple[str, str], limit: int
) -> list[Unreached]:
    """Return the next people whom notices do not reach, by person and channel."""
    recipient, channel = after
    given = {"agency": agency, "recipient": recipient, "channel": channel, "limit": limit}
    async with connection.cursor(row_factory=class_row(Unreached)) as cursor:
        await cursor.execute(UNREACHED, given)
        return await cursor.fetchall()


async def retry(connection: Connection, agency: AgencyId, who: PersonId) -> int:
    """Begin anew with what did not reach a person; return how many wait again."""
    given = {"agency": agency, "recipient": who}
    return len(await (await connection.execute(RETRY, given)).fetchall())
