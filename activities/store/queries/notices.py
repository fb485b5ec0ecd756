"""The ledger of notices: taking mails up, and noting what became of them.

Every function works on a connection that one agency was set on, inside its transaction.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId

_WAITING = """
    agency = %(agency)s AND state = 'PLANNED' AND channel = 'mail'
    AND (held_until IS NULL OR held_until <= %(now)s)
"""

ANY_WAITING: Final = f"SELECT EXISTS (SELECT 1 FROM notice WHERE {_WAITING})"  # noqa: S608

READERS: Final = f"""
SELECT recipient FROM notice WHERE {_WAITING}
GROUP BY recipient ORDER BY recipient LIMIT %(people)s
"""  # noqa: S608

LOCK: Final = f"""
SELECT notice FROM notice WHERE {_WAITING} AND recipient = ANY (%(readers)s)
FOR UPDATE SKIP LOCKED
"""  # noqa: S608

# A reminder whose task is done, or is no longer the reader's, is not wanted any more.
READ: Final = """
SELECT notice.notice, notice.recipient, notice.kind, notice.planned_on, notice.mail_key,
       notice.attempts, coalesce(cycle.title, notice.cycle) AS cycle,
       CASE WHEN notice.person <> notice.recipient THEN employee.name END AS about,
       task.kind AS task_kind, coalesce(task.number, 0) AS period, task.zone,
       CASE WHEN notice.task IS NOT NULL THEN coalesce(task.due_at, notice.due_at) END AS due_at,
       notice.task IS NULL OR coalesce(notice.recipient = ANY (task.may_act), false) AS wanted,
       coalesce(reader.active, false) AS active, coalesce(reader.name, '') AS name,
       coalesce(reader.email, '') AS email, coalesce(reader.language, '') AS language,
       unit.zone AS reader_zone
FROM notice
LEFT JOIN person AS reader
    ON reader.agency = notice.agency AND reader.person = notice.recipient
LEFT JOIN unit ON unit.agency = reader.agency AND unit.code = reader.unit
LEFT JOIN person AS employee
    ON employee.agency = notice.agency AND employee.person = notice.person
LEFT JOIN cycle ON cycle.agency = notice.agency AND cycle.cycle = notice.cycle
LEFT JOIN task
    ON task.agency = notice.agency AND task.cycle = notice.cycle AND task.person = notice.person
    AND task.segment = notice.segment AND task.task = notice.task
    AND task.opened_at = notice.task_opened_at
WHERE notice.agency = %(agency)s AND notice.notice = ANY (%(notices)s)
ORDER BY notice.recipient, notice.due_at, notice.number, notice.notice
"""

HOLD: Final = """
UPDATE notice
SET mail_key = mail.key, attempts = attempts + 1, held_until = %(until)s
FROM unnest(%(notices)s::uuid[], %(keys)s::text[]) AS mail (notice, key)
WHERE notice.agency = %(agency)s AND notice.notice = mail.notice
"""

SENT: Final = """
UPDATE notice
SET state = 'SENT', sent_at = %(at)s, held_until = NULL, last_error_code = NULL
WHERE agency = %(agency)s AND notice = ANY (%(notices)s) AND state = 'PLANNED'
"""

FAILED: Final = """
UPDATE notice
SET last_error_code = %(code)s, held_until = %(until)s,
    mail_key = CASE WHEN %(keep_key)s THEN mail_key END,
    state = CASE WHEN %(until)s::timestamptz IS NULL THEN 'FAILED' ELSE 'PLANNED' END
WHERE agency = %(agency)s AND notice = ANY (%(notices)s) AND state = 'PLANNED'
"""

PUT_BACK: Final = """
UPDATE notice
SET attempts = attempts - 1, held_until = NULL,
    mail_key = CASE WHEN notice = ANY (%(fresh)s) THEN NULL ELSE mail_key END
WHERE agency = %(agency)s AND notice = ANY (%(notices)s) AND state = 'PLANNED'
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that was taken up, with what its mail says of it and of its reader."""

    notice: UUID
    recipient: str
    kind: str
    planned_on: date
    mail_key: str | None
    attempts: int
    cycle: str
    about: str | None
    task_kind: str | None
    period: int
    zone: str | None
    due_at: datetime | None
    wanted: bool
    active: bool
    name: str
    email: str
    language: str
    reader_zone: str | None


async def any_waiting(connection: Connection, agency: AgencyId, now: datetime) -> bool:
    """Tell whether a notice waits that may be sent now."""
    found = await (await connection.execute(ANY_WAITING, {"agency": agency, "now": now})).fetchone()
    return bool(found and found[0])


async def take(
    connection: Connection, agency: AgencyId, people: int, now: datetime, until: datetime
) -> dict[str, list[Waiting]]:
    """Take up the waiting notices of so many people, as mails under their keys.

    Nobody else takes them up before `until`. A mail that was perhaps sent keeps its key and its
    notices, so that a repeat is the same mail; everything else of one reader is one mail.
    """
    # Step by step, because in one statement the planner guesses wrong on a freshly filled ledger.
    given = {"agency": agency, "people": people, "now": now}
    readers = [row[0] for row in await _rows(connection, READERS, given)]
    taken = [row[0] for row in await _rows(connection, LOCK, {**given, "readers": readers})]
    async with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        await cursor.execute(READ, {"agency": agency, "notices": taken})
        rows = await cursor.fetchall()
    mails = _mails(agency, rows)
    pairs = [(row.notice, key) for key, mail in mails.items() for row in mail]
    await connection.execute(
        HOLD,
        {
            "agency": agency,
            "notices": [notice for notice, _ in pairs],
            "keys": [key for _, key in pairs],
            "until": until,
        },
    )
    return mails


async def mark_sent(
    connection: Connection, agency: AgencyId, notices: Iterable[UUID], at: datetime
) -> None:
    """Note that their mail was handed over."""
    await connection.execute(SENT, {"agency": agency, "notices": list(notices), "at": at})


async def mark_failed(
    connection: Connection,
    agency: AgencyId,
    notices: Iterable[UUID],
    code: str,
    *,
    until: datetime | None,
    keep_key: bool = False,
) -> None:
    """Note why they were not sent and when to try again; `until` None gives up.

    `keep_key` says that the mail may have gone out nevertheless.
    """
    await connection.execute(
        FAILED,
        {
            "agency": agency,
            "notices": list(notices),
            "code": code,
            "until": until,
            "keep_key": keep_key,
        },
    )


async def put_back(connection: Connection, agency: AgencyId, untried: Iterable[Waiting]) -> None:
    """Let others take up what was taken up and not tried, as the mails that they were before."""
    notices = {row.notice: row.mail_key for row in untried}
    fresh = [notice for notice, key in notices.items() if key is None]
    await connection.execute(PUT_BACK, {"agency": agency, "notices": list(notices), "fresh": fresh})


async def _rows(
    connection: Connection, statement: str, given: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(statement, given)).fetchall()


def _mails(agency: AgencyId, rows: Sequence[Waiting]) -> dict[str, list[Waiting]]:
    fresh: dict[str, list[Waiting]] = {}
    mails: dict[str, list[Waiting]] = {}
    for row in rows:
        if row.mail_key is None:
            fresh.setdefault(row.recipient, []).append(row)
        else:
            mails.setdefault(row.mail_key, []).append(row)
    for recipient, mail in fresh.items():
        parts = (agency, recipient, *sorted(str(row.notice) for row in mail))
        mails[hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]] = mail
    return mails
