"""News put into the ledger of notices: by the transaction of what it tells of, and once.

Every function works on a connection that one agency was set on.
"""

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.reminders import AT_WORK, Workday, given
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.news import FEEDBACK_NEWS_WITHIN, FEEDBACK_REMINDED_BEFORE, News
from siklus.workflows.domain.values import AgencyId, EvaluationKey

TELL: Final = """
    INSERT INTO notice (agency, cycle, person, segment, due_at, planned_on, channel, state,
        attempts, matter, kind, recipient)
    SELECT %(agency)s, %(cycle)s, %(person)s, %(segment)s, %(due_at)s, %(planned_on)s, 'mail',
        'PLANNED', 0, new.*
    FROM json_to_recordset(%(news)s) AS new (matter text, kind text, recipient text)
    ON CONFLICT (agency, cycle, person, segment, matter, kind, recipient)
        WHERE matter IS NOT NULL DO NOTHING
"""
# To everybody who was asked, whoever answered: a reminder to the others alone would tell the ledger
# and the mail server who answered before it. Not on the day on which they were asked.
REMIND_OF_ROUNDS: Final = f"""
    INSERT INTO notice (agency, cycle, person, segment, due_at, planned_on, channel, state,
        attempts, matter, kind, recipient)
    SELECT open.agency, open.cycle, open.person, open.segment, open.last_second, %(as_of)s, 'mail',
        'PLANNED', 0, open.matter, 'FEEDBACK_REMINDED', reader.person
    FROM (
        SELECT r.agency, r.round, r.cycle, r.person, r.segment, 'feedback.' || r.round AS matter,
            r.closes_at - interval '1 second' AS last_second,
            ((r.closes_at - interval '1 second') AT TIME ZONE e.zone)::date AS last_on
        FROM feedback_round AS r
        JOIN evaluation AS e ON e.agency = r.agency AND e.cycle = r.cycle AND e.person = r.person
            AND e.segment = r.segment
        WHERE r.agency = %(agency)s AND r.closed_at IS NULL
            AND r.closes_at BETWEEN %(as_of)s::date - 2 AND %(as_of)s::date + 7
    ) AS open
    JOIN feedback_invitation AS asked ON asked.agency = open.agency AND asked.round = open.round
    JOIN person AS reader ON reader.agency = open.agency AND reader.person = asked.invitee
    WHERE %(as_of)s BETWEEN open.last_on - %(before)s::int AND open.last_on
        AND {AT_WORK.format(cycle="open.cycle")}
        AND NOT EXISTS (
            SELECT FROM notice AS told
            WHERE told.agency = open.agency AND told.cycle = open.cycle
                AND told.person = open.person AND told.segment = open.segment
                AND told.matter = open.matter AND told.kind = 'FEEDBACK_ASKED'
                AND told.recipient = reader.person AND told.planned_on >= %(as_of)s
        )
    ON CONFLICT (agency, cycle, person, segment, matter, kind, recipient)
        WHERE matter IS NOT NULL DO NOTHING
"""  # noqa: S608 - constants alone
# A round that is closed long after its last day, or once more, is no news.
TELL_OF_CLOSED: Final = """
    INSERT INTO notice (agency, cycle, person, segment, planned_on, channel, state, attempts,
        matter, kind, recipient)
    SELECT r.agency, r.cycle, r.person, r.segment,
        (%(at)s::timestamptz AT TIME ZONE e.zone)::date, 'mail', 'PLANNED', 0,
        'feedback.' || r.round, 'FEEDBACK_CLOSED', told.reader
    FROM feedback_round AS r
    JOIN evaluation AS e ON e.agency = r.agency AND e.cycle = r.cycle AND e.person = r.person
        AND e.segment = r.segment
    CROSS JOIN LATERAL (VALUES (r.person), (e.supervisor)) AS told (reader)
    WHERE r.agency = %(agency)s AND r.round = %(round)s
        AND r.closes_at > %(at)s::timestamptz - %(within)s::interval
    ON CONFLICT (agency, cycle, person, segment, matter, kind, recipient)
        WHERE matter IS NOT NULL DO NOTHING
"""


async def tell(
    connection: Connection,
    key: EvaluationKey,
    news: Collection[News],
    *,
    on: date,
    due_at: datetime | None = None,
) -> None:
    """Let it be told as of that date; what stands in the ledger stays as it is."""
    if not news:
        return
    agency, cycle, person, segment = key_parts(key)
    values = {"agency": agency, "cycle": cycle, "person": person, "segment": segment}
    written = json.dumps([each.model_dump(mode="json") for each in news])
    await connection.execute(TELL, {**values, "news": written, "planned_on": on, "due_at": due_at})


async def remind_of_rounds(connection: Connection, agency: AgencyId, work: Workday) -> int:
    """Remind whoever works on that day of rounds that end soon; return how many notices are new."""
    values = {**given(agency, work), "before": FEEDBACK_REMINDED_BEFORE.days}
    return (await connection.execute(REMIND_OF_ROUNDS, values)).rowcount


async def tell_of_closed(
    connection: Connection, agency: AgencyId, round_: str, at: datetime
) -> None:
    """Tell employee and supervisor that a round has closed, if it did so lately."""
    values = {"agency": agency, "round": round_, "at": at, "within": FEEDBACK_NEWS_WITHIN}
    await connection.execute(TELL_OF_CLOSED, values)
