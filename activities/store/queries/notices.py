"""The ledger of notices: what waits, taken up as mails, and what became of each.

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
from siklus.activities.store.queries.standing_in import LENT_WITH, LETS_DO
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.notices import Channel
from siklus.workflows.domain.values import AgencyId

_WAITING = """
    agency = %(agency)s AND state = 'PLANNED'
    AND (held_until IS NULL OR held_until <= %(now)s)
"""
_RIPE = f"{_WAITING} AND (not_before IS NULL OR not_before <= %(now)s)"

ANY_WAITING: Final = f"SELECT EXISTS (SELECT 1 FROM notice WHERE {_RIPE})"  # noqa: S608

READERS: Final = f"""
SELECT recipient FROM notice WHERE {_RIPE}
GROUP BY recipient ORDER BY recipient LIMIT %(people)s
"""  # noqa: S608

LOCK: Final = f"""
SELECT notice FROM notice WHERE {_WAITING} AND recipient = ANY (%(readers)s)
FOR UPDATE SKIP LOCKED
"""  # noqa: S608

_ITS_TASK: Final = """
LEFT JOIN task
    ON task.agency = notice.agency AND task.cycle = notice.cycle AND task.person = notice.person
    AND task.segment = notice.segment AND task.task = notice.task
    AND task.opened_at = notice.task_opened_at
"""
READ: Final = f"""
SELECT notice.notice, notice.recipient, notice.kind, notice.planned_on, notice.mail_key,
       notice.attempts, notice.repeats, notice.handed_at, notice.channel, notice.cycle,
       notice.person, notice.segment, notice.number, notice.task, notice.rung, notice.due_on,
       coalesce(cycle.title, notice.cycle) AS title,
       CASE WHEN notice.person <> notice.recipient THEN employee.name END AS about,
       task.kind AS task_kind, coalesce(task.number, 0) AS period,
       coalesce(task.zone, evaluation.zone) AS zone, coalesce(task.due_at, notice.due_at) AS due_at,
       policy.compiled -> 'languages' AS languages
FROM notice
LEFT JOIN person AS employee
    ON employee.agency = notice.agency AND employee.person = notice.person
LEFT JOIN cycle ON cycle.agency = notice.agency AND cycle.cycle = notice.cycle
LEFT JOIN policy ON policy.agency = cycle.agency AND policy.name = cycle.policy
    AND policy.version = cycle.policy_version
LEFT JOIN evaluation
    ON evaluation.agency = notice.agency AND evaluation.cycle = notice.cycle
    AND evaluation.person = notice.person AND evaluation.segment = notice.segment
{_ITS_TASK}WHERE notice.agency = %(agency)s AND notice.notice = ANY (%(notices)s)
ORDER BY notice.recipient, notice.due_at, notice.number, notice.notice
"""  # noqa: S608 - constants alone

# A reminder whose task is done, or is no longer the reader's, or is due on another day, is not
# wanted any more; nor is it that a task has climbed to somebody who has nothing to do there now.
# A task is also a delegate's, on the days of the mandate. What followed from a result that was
# reopened since is told no more, nor that a round may be answered which is over.
WANTED: Final = f"""
SELECT notice.notice FROM notice
{_ITS_TASK}
WHERE notice.agency = %(agency)s AND notice.notice = ANY (%(notices)s) AND
    CASE
        WHEN notice.task IS NOT NULL THEN
            coalesce(notice.recipient = ANY (task.may_act) OR EXISTS (
                SELECT FROM mandate AS lent
                WHERE lent.delegate = notice.recipient
                    AND {LETS_DO.format(day="(%(now)s AT TIME ZONE task.zone)::date")}
            ), false)
            AND coalesce(notice.due_on = task.due_on, true)
        WHEN notice.kind = 'ESCALATED' THEN EXISTS (
            SELECT FROM task AS theirs
            WHERE theirs.agency = notice.agency AND theirs.cycle = notice.cycle
                AND theirs.person = notice.person AND theirs.segment = notice.segment
                AND notice.recipient = ANY (theirs.may_act)
        )
        WHEN notice.kind = 'OUTCOMES_DRAWN' THEN EXISTS (
            SELECT FROM evaluation AS final
            WHERE final.agency = notice.agency AND final.cycle = notice.cycle
                AND final.person = notice.person AND final.segment = notice.segment
                AND final.stage = 'COMPLETED' AND notice.matter IN
                    ('outcomes.' || final.revision, 'outcomes.' || (final.revision - 1))
        )
        WHEN notice.kind IN ('FEEDBACK_ASKED', 'FEEDBACK_REMINDED') THEN notice.due_at >= %(now)s
        ELSE true
    END
"""  # noqa: S608 - constants alone

HOLD: Final = """
UPDATE notice
SET mail_key = mail.key, channel = mail.channel, attempts = attempts + 1, held_until = %(until)s,
    not_before = NULL
FROM unnest(%(notices)s::uuid[], %(keys)s::text[], %(channels)s::text[])
    AS mail (notice, key, channel)
WHERE notice.agency = %(agency)s AND notice.notice = mail.notice
"""

DEFER: Final = """
UPDATE notice SET not_before = later.at
FROM unnest(%(notices)s::uuid[], %(instants)s::timestamptz[]) AS later (notice, at)
WHERE notice.agency = %(agency)s AND notice.notice = later.notice
"""

HAND_OVER: Final = """
UPDATE notice
SET repeats = repeats + CASE WHEN handed_at IS NULL THEN 0 ELSE 1 END, handed_at = %(at)s
WHERE agency = %(agency)s AND notice = ANY (%(notices)s) AND state = 'PLANNED'
"""

SENT: Final = """
UPDATE notice
SET state = 'SENT', sent_at = %(at)s, held_until = NULL, last_error_code = NULL,
    failed_since = NULL
WHERE agency = %(agency)s AND notice = ANY (%(notices)s) AND state = 'PLANNED'
"""

FAILED: Final = """
UPDATE notice
SET last_error_code = %(code)s, held_until = %(until)s,
    failed_since = coalesce(failed_since, %(at)s),
    mail_key = CASE WHEN %(keep_key)s THEN mail_key END,
    handed_at = CASE WHEN %(keep_key)s THEN handed_at END,
    state = CASE WHEN %(until)s::timestamptz IS NULL THEN 'FAILED' ELSE 'PLANNED' END
WHERE agency = %(agency)s AND notice = ANY (%(notices)s) AND state = 'PLANNED'
"""

DROP: Final = """
UPDATE notice
SET state = 'DROPPED', last_error_code = %(code)s, held_until = NULL, failed_since = NULL
WHERE agency = %(agency)s AND notice = ANY (%(notices)s) AND state = 'PLANNED'
"""

PUT_BACK: Final = """
UPDATE notice
SET attempts = attempts - 1, held_until = NULL, mail_key = before.key,
    handed_at = before.handed_at, repeats = before.repeats
FROM unnest(%(notices)s::uuid[], %(keys)s::text[], %(handed)s::timestamptz[], %(repeats)s::int[])
    AS before (notice, key, handed_at, repeats)
WHERE notice.agency = %(agency)s AND notice.notice = before.notice AND notice.state = 'PLANNED'
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that waits, with what its mail says of it."""

    notice: UUID
    recipient: str
    kind: str
    planned_on: date
    mail_key: str | None
    attempts: int
    repeats: int
    handed_at: datetime | None
    channel: str
    cycle: str
    person: str
    segment: int
    number: int | None
    task: str | None
    rung: int | None
    due_on: date | None
    title: str
    about: str | None
    task_kind: str | None
    period: int
    zone: str | None
    due_at: datetime | None
    languages: list[Language] | None
    """Of the cycle's policy; None for all."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What goes to one person in one piece: under a key, over a channel."""

    key: str
    channel: Channel
    notices: list[Waiting]

    @property
    def perhaps_sent(self) -> bool:
        """Tell whether it was handed over before and nobody knows what came of it."""
        return any(row.handed_at for row in self.notices)

    @property
    def ids(self) -> list[UUID]:
        """The notices in it."""
        return [row.notice for row in self.notices]


async def any_waiting(connection: Connection, agency: AgencyId, now: datetime) -> bool:
    """Tell whether a notice waits that may be sent now."""
    found = await (await connection.execute(ANY_WAITING, {"agency": agency, "now": now})).fetchone()
    return bool(found and found[0])


async def waiting(
    connection: Connection, agency: AgencyId, people: int, now: datetime
) -> list[Waiting]:
    """Return what waits for so many people of whom something may be sent now, and lock it.

    What waits for the morning comes along: it may be part of a digest that goes now.
    """
    # Step by step, because in one statement the planner guesses wrong on a freshly filled ledger.
    given = {"agency": agency, "people": people, "now": now}
    readers = [row[0] for row in await _rows(connection, READERS, given)]
    taken = [row[0] for row in await _rows(connection, LOCK, {**given, "readers": readers})]
    async with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        await cursor.execute(READ, {"notices": taken, **given})
        return await cursor.fetchall()


async def wanted(
    connection: Connection, agency: AgencyId, notices: Iterable[UUID], now: datetime
) -> set[UUID]:
    """Return those of them that are not too late to be told."""
    given = {"agency": agency, "notices": list(notices), "now": now, "lent_with": LENT_WITH}
    return {row[0] for row in await _rows(connection, WANTED, given)}


async def take_up(
    connection: Connection, agency: AgencyId, mails: Iterable[Mail], until: datetime
) -> None:
    """Take them up as these mails: nobody else does before `until`."""
    parts = [(row.notice, mail.key, mail.channel.value) for mail in mails for row in mail.notices]
    notices, keys, channels = _columns(parts, 3)
    given = {"notices": notices, "keys": keys, "channels": channels}
    await connection.execute(HOLD, {"agency": agency, "until": until, **given})


async def defer(
    connection: Connection, agency: AgencyId, later: Sequence[tuple[UUID, datetime]]
) -> None:
    """Let each wait for its instant, or for a digest that goes before."""
    notices, instants = _columns(later, 2)
    await connection.execute(DEFER, {"agency": agency, "notices": notices, "instants": instants})


async def hand_over(
    connection: Connection, agency: AgencyId, notices: Iterable[UUID], at: datetime
) -> None:
    """Note, before it is so, that their mail is handed over; count it if it was before."""
    await connection.execute(HAND_OVER, {"agency": agency, "notices": list(notices), "at": at})


async def mark_sent(
    connection: Connection, agency: AgencyId, notices: Iterable[UUID], at: datetime
) -> None:
    """Note that their mail was taken."""
    await connection.execute(SENT, {"agency": agency, "notices": list(notices), "at": at})


async def mark_failed(
    connection: Connection,
    agency: AgencyId,
    notices: Iterable[UUID],
    code: str,
    *,
    at: datetime,
    until: datetime | None,
    keep_key: bool = False,
) -> None:
    """Note why they were not sent and when to try again; `until` None gives up.

    `keep_key` says that the mail may have gone out nevertheless.
    """
    given = {"notices": list(notices), "code": code, "until": until, "keep_key": keep_key}
    await connection.execute(FAILED, {"agency": agency, "at": at, **given})


async def drop(
    connection: Connection, agency: AgencyId, notices: Iterable[UUID], code: str
) -> None:
    """Note why they are no longer wanted."""
    await connection.execute(DROP, {"agency": agency, "notices": list(notices), "code": code})


async def put_back(connection: Connection, agency: AgencyId, untried: Iterable[Waiting]) -> None:
    """Let others take up what was taken up and not tried, as it was before."""
    rows = [(row.notice, row.mail_key, row.handed_at, row.repeats) for row in untried]
    notices, keys, handed, repeats = _columns(rows, 4)
    given = {"notices": notices, "keys": keys, "handed": handed, "repeats": repeats}
    await connection.execute(PUT_BACK, {"agency": agency, **given})


async def _rows(
    connection: Connection, statement: str, given: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(statement, given)).fetchall()


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Turn rows around: each column is one parameter."""
    return [[row[column] for row in rows] for column in range(width)]


def mail_key(agency: AgencyId, recipient: str, notices: Iterable[UUID]) -> str:
    """Return the key of a mail: the same for the same notices, and for no others."""
    parts = (agency, recipient, *sorted(map(str, notices)))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
