"""Those to whom notices go: where and how each is told, and on which days they work.

Every function works on a connection that one agency was set on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.notices import URGENT, Channel
from siklus.workflows.domain.quiet import Quiet
from siklus.workflows.domain.values import AgencyId

_CHOSEN: Final = """
    coalesce(own.channel, theirs.channel, 'mail') AS channel,
    CASE WHEN own.quiet_from IS NULL THEN theirs.quiet_from ELSE own.quiet_from END AS quiet_from,
    CASE WHEN own.quiet_from IS NULL THEN theirs.quiet_until ELSE own.quiet_until
        END AS quiet_until
"""

# By whatever the person was last told that could wait: what is urgent uses up nobody's day.
READERS: Final = f"""
SELECT reader.person, reader.name, reader.email, reader.language, reader.active, reader.unit,
    unit.zone, unit.weekdays, {_CHOSEN},
    (
        SELECT max(coalesce(told.sent_at, told.handed_at)) FROM notice AS told
        WHERE told.agency = reader.agency AND told.recipient = reader.person
            AND told.planned_on >= %(since)s AND told.handed_at IS NOT NULL
            AND told.kind <> ALL (%(urgent)s)
    ) AS told_at
FROM person AS reader
JOIN unit ON unit.agency = reader.agency AND unit.code = reader.unit
LEFT JOIN notice_preference AS own
    ON own.agency = reader.agency AND own.person = reader.person
LEFT JOIN notice_preference AS theirs ON theirs.agency = reader.agency AND theirs.person = ''
WHERE reader.agency = %(agency)s AND reader.person = ANY (%(people)s)
"""  # noqa: S608 - constants alone

DAYS_OFF: Final = """
SELECT unit, array_agg(day_on) FROM holiday
WHERE agency = %(agency)s AND unit = ANY (%(units)s) AND day_on BETWEEN %(first)s AND %(last)s
GROUP BY unit
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """A person as a mail needs them."""

    person: str
    name: str
    email: str
    language: str
    active: bool
    unit: str
    zone: str
    weekdays: list[int]
    channel: str
    quiet_from: time | None
    quiet_until: time | None
    told_at: datetime | None
    """When they were last told, or perhaps told, something that could wait."""

    @property
    def quiet(self) -> Quiet:
        """Their quiet hours; the usual ones if nobody has chosen."""
        if self.quiet_from is None or self.quiet_until is None:
            return Quiet()
        return Quiet(begins=self.quiet_from, ends=self.quiet_until)

    @property
    def told_by(self) -> Channel:
        """How they want to be told."""
        return Channel(self.channel)


async def readers(
    connection: Connection, agency: AgencyId, people: Collection[str], *, since: date
) -> dict[str, Reader]:
    """Return those of them whom the roster knows; what was planned before `since` is not seen."""
    given = {"agency": agency, "people": sorted(people), "since": since, "urgent": sorted(URGENT)}
    async with connection.cursor(row_factory=class_row(Reader)) as cursor:
        await cursor.execute(READERS, given)
        return {reader.person: reader for reader in await cursor.fetchall()}


async def days_off(
    connection: Connection, agency: AgencyId, units: Collection[str], first: date, last: date
) -> dict[str, frozenset[date]]:
    """Return the regional days off of these units; '' has those of the whole agency."""
    given = {"agency": agency, "units": ["", *sorted(units)], "first": first, "last": last}
    rows = await (await connection.execute(DAYS_OFF, given)).fetchall()
    return {unit: frozenset(days) for unit, days in rows}
