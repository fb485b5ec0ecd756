"""How each person is told: chosen by them, else by their agency.

Every function works on a connection that one agency was set on.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from psycopg.rows import class_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.notices import Channel
from siklus.workflows.domain.quiet import Quiet
from siklus.workflows.domain.values import AgencyId

AGENCY: Final = ""
"""Who stands for whoever has not chosen; no person's id is empty."""


@dataclass(frozen=True, slots=True)
class Preference:
    """What was chosen; None is not chosen."""

    channel: str | None = None
    quiet_from: time | None = None
    quiet_until: time | None = None

    def over(self, other: "Preference") -> "Preference":
        """Return what holds where `other` holds for what is not chosen here."""
        hours = self if self.quiet_from is not None else other
        return Preference(self.channel or other.channel, hours.quiet_from, hours.quiet_until)


USUAL: Final = Preference(Channel.MAIL.value, Quiet().begins, Quiet().ends)
"""What holds where nobody has chosen."""

GET: Final = """
    SELECT channel, quiet_from, quiet_until FROM notice_preference
    WHERE agency = %s AND person = %s
"""
PUT: Final = """
    INSERT INTO notice_preference (agency, person, channel, quiet_from, quiet_until, changed_at)
    VALUES (%(agency)s, %(person)s, %(channel)s, %(quiet_from)s, %(quiet_until)s, %(at)s)
    ON CONFLICT (agency, person) DO UPDATE SET channel = excluded.channel,
        quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
        changed_at = excluded.changed_at
"""
# What waits for an hour that no longer counts is looked at anew by the next run.
LOOK_AGAIN: Final = """
    UPDATE notice SET not_before = NULL
    WHERE agency = %(agency)s AND state = 'PLANNED' AND not_before IS NOT NULL
        AND (%(person)s = '' OR recipient = %(person)s)
"""


async def get(connection: Connection, agency: AgencyId, who: str) -> Preference:
    """Return what a person, or the agency, has chosen."""
    async with connection.cursor(row_factory=class_row(Preference)) as cursor:
        found = await (await cursor.execute(GET, (agency, who))).fetchone()
    return found or Preference()


async def put(
    connection: Connection, agency: AgencyId, who: str, chosen: Preference, *, at: datetime
) -> None:
    """Replace what a person, or the agency, has chosen."""
    given = {
        "agency": agency,
        "person": who,
        "channel": chosen.channel,
        "quiet_from": chosen.quiet_from,
        "quiet_until": chosen.quiet_until,
    }
    await connection.execute(PUT, {**given, "at": at})
    await connection.execute(LOOK_AGAIN, {"agency": agency, "person": who})
