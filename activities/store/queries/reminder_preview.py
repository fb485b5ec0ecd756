"""Whom the reminders of a date would reach: by reader, a block of people at a time.

Every function works on a connection that one agency was set on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.reminders import DUE, NOT_TOLD, Workday, given
from siklus.workflows.domain.values import AgencyId

PEOPLE_AT_ONCE: Final = 1_000
"""In one block, however few of them are due."""
MOST_TASKS: Final = 10_000
"""Of one inbox, the soonest due first (our decision): a page is answered while somebody waits."""

_BLOCK: Final = """
SELECT max(person), count(*) FROM (
    SELECT person FROM person WHERE agency = %(agency)s AND person > %(after)s
    ORDER BY person LIMIT %(people)s
) AS block
"""
# What stands in the inboxes that are open to a person: the shared text decides of what is there.
_OPEN_TO: Final = """
    (
        SELECT DISTINCT task.* FROM (
            SELECT block.person AS actor
            UNION
            SELECT lent.principal FROM mandate AS lent
            WHERE lent.agency = %(agency)s AND lent.delegate = block.person
              AND %(as_of)s BETWEEN lent.from_on AND lent.last_on
        ) AS who
        CROSS JOIN LATERAL (
            SELECT cycle, person, segment, task FROM task_actor
            WHERE agency = %(agency)s AND actor = who.actor
            ORDER BY due_at, cycle, person, segment, task LIMIT %(most)s
        ) AS inbox
        JOIN task ON task.agency = %(agency)s AND task.cycle = inbox.cycle
            AND task.person = inbox.person AND task.segment = inbox.segment
            AND task.task = inbox.task
    )
"""
PREVIEW: Final = f"""
SELECT block.person, block.name, coalesce(own.channel, theirs.channel, 'mail'), found.reminders,
    found.first
FROM (
    SELECT person, name FROM person
    WHERE agency = %(agency)s AND person > %(after)s AND person <= %(until)s AND active
    ORDER BY person
) AS block
CROSS JOIN LATERAL (
    SELECT count(*) AS reminders,
        (array_agg(
            jsonb_build_array(task.cycle, task.person, task.segment, task.task, due.rung,
                task.due_on)
            ORDER BY task.due_on, task.cycle, task.person, task.segment, task.task
        ))[1:%(shown)s] AS first
    {DUE.format(tasks=_OPEN_TO)}
      AND reader.person = block.person
      AND {NOT_TOLD}
) AS found
LEFT JOIN notice_preference AS own ON own.agency = %(agency)s AND own.person = block.person
LEFT JOIN notice_preference AS theirs ON theirs.agency = %(agency)s AND theirs.person = ''
WHERE found.reminders > 0
ORDER BY block.person
LIMIT %(limit)s
"""  # noqa: S608 - constants alone


class PlannedReminder(NamedTuple):
    """One reminder that a run would plan."""

    cycle: str
    person: str
    segment: int
    task: str
    rung: int
    due_on: str


@dataclass(frozen=True, slots=True)
class PlannedDigest:
    """What one person would be sent."""

    reader: str
    name: str
    channel: str
    reminders: int
    first: Sequence[PlannedReminder]


async def preview(
    connection: Connection,
    agency: AgencyId,
    work: Workday,
    *,
    after: str,
    limit: int,
    shown: int,
    people: int = PEOPLE_AT_ONCE,
) -> tuple[list[PlannedDigest], str | None]:
    """Return what `plan` would write for the next people, at most `limit`; writes nothing.

    The second part is whom it looked at last, None when nobody is left: somebody is looked at
    whether or not anything is due, so a call may find few or none and not be at the end.
    """
    page = {"after": after, "limit": limit, "shown": shown, "people": people, "most": MOST_TASKS}
    values = {**given(agency, work), **page}
    block = await (await connection.execute(_BLOCK, values)).fetchone()
    until, size = block or (None, 0)
    if until is None:
        return [], None
    rows = await (await connection.execute(PREVIEW, {**values, "until": until})).fetchall()
    found = [
        PlannedDigest(reader, name, channel, count, [PlannedReminder(*each) for each in first])
        for reader, name, channel, count, first in rows
    ]
    if len(found) == limit:
        return found, found[-1].reader
    return found, until if size == people else None
