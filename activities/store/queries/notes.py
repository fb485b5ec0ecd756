"""Notes between employee and supervisor; their texts are sealed elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.values import EvaluationKey, PersonId

COLUMNS: Final = "note, kind, author, other, team, text, written_at"
ADD: Final = f"""
    INSERT INTO feedback_note (agency, cycle, person, segment, {COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""  # noqa: S608 - constants alone
PAGE: Final = f"""
    SELECT {COLUMNS} FROM feedback_note
    WHERE agency = %(agency)s AND cycle = %(cycle)s AND person = %(person)s
        AND segment = %(segment)s AND (written_at, note) < (%(before_at)s, %(before)s)
        AND (author = %(reader)s OR other = %(reader)s OR team AND %(office)s)
    ORDER BY written_at DESC, note DESC LIMIT %(limit)s
"""  # noqa: S608 - constants alone


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One note; `text` is the digest of its text."""

    note: str
    kind: str
    author: PersonId
    other: PersonId
    team: bool
    text: str
    written_at: datetime


async def add(connection: Connection, key: EvaluationKey, row: NoteRow) -> None:
    """Keep a note."""
    given = [getattr(row, name) for name in COLUMNS.split(", ")]
    await connection.execute(ADD, (*key_parts(key), *given))


async def page(
    connection: Connection,
    key: EvaluationKey,
    *,
    reader: PersonId | None,
    office: bool,
    before: tuple[str, str],
    limit: int,
) -> list[NoteRow]:
    """Return the next notes that somebody may read, the newest first.

    `office` tells whether they are of the team or an auditor; `before` is where a page ended.
    """
    values = dict(zip(("agency", "cycle", "person", "segment"), key_parts(key), strict=True))
    values |= {"reader": reader or "", "office": office, "limit": limit}
    values |= {"before_at": before[0], "before": before[1]}
    async with connection.cursor(row_factory=args_row(NoteRow)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()
