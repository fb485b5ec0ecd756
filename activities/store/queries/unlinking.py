"""What people said, written anew, so that the rows do not tell whose it is.

PostgreSQL keeps with each row which transaction wrote it, and rows lie in the order in which they
came: so a word and the act of whoever said it could be joined. Here all that was said in one round,
or on one day, is written anew by one transaction, in an order of ids and digests that chance made.
Every function works on a connection that one agency was set on, inside its transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import news
from siklus.activities.store.queries.contacts import COLUMNS as RATED
from siklus.workflows.domain.feedback.colleagues import week_of
from siklus.workflows.domain.feedback.texts import NO_CYCLE
from siklus.workflows.domain.values import AgencyId

DUE: Final = """
    SELECT round FROM feedback_round
    WHERE agency = %s AND closed_at IS NULL AND closes_at <= %s ORDER BY closes_at, round LIMIT %s
"""
CLOSE: Final = """
    UPDATE feedback_round SET closed_at = %s
    WHERE agency = %s AND round = %s AND closed_at IS NULL RETURNING closes_at
"""
# Each sorts what it took away, which it found in whatever order: mostly that in which it came.
INVITATIONS: Final = """
    WITH gone AS (
        DELETE FROM feedback_invitation WHERE agency = %s AND round = %s
        RETURNING agency, round, invitee, answered
    )
    INSERT INTO feedback_invitation (agency, round, invitee, answered)
    SELECT agency, round, invitee, answered FROM gone ORDER BY invitee
"""
ANSWERS: Final = """
    WITH gone AS (
        DELETE FROM feedback_answer WHERE agency = %s AND round = %s
        RETURNING agency, gen_random_uuid()::text AS answer, round, score, comment, author
    )
    INSERT INTO feedback_answer (agency, answer, round, score, week_on, comment, author)
    SELECT agency, answer, round, score, %s, comment, author FROM gone ORDER BY answer
"""
SEALED: Final = "agency, cycle, person, segment, data_key, digest, nonce, ciphertext"
# A digest is of chance: the salt in it is.
TEXTS: Final = f"""
    WITH said AS (
        SELECT r.person, a.comment FROM feedback_round AS r
        JOIN feedback_answer AS a ON a.agency = r.agency AND a.round = r.round
        WHERE r.agency = %(agency)s AND r.round = %(round)s AND a.comment IS NOT NULL
        UNION ALL
        SELECT person, comment FROM contact_rating
        WHERE agency = %(agency)s AND rated_on = %(day)s AND comment IS NOT NULL
    ), gone AS (
        DELETE FROM prose AS p USING said
        WHERE p.agency = %(agency)s AND p.cycle = '{NO_CYCLE}' AND p.segment = 1
            AND p.person = said.person AND p.digest = said.comment
        RETURNING p.*
    )
    INSERT INTO prose ({SEALED}) SELECT {SEALED} FROM gone ORDER BY digest
"""  # noqa: S608 - constants alone
OLDEST_DAY: Final = """
    SELECT min(used_on) FROM service_ticket
    WHERE agency = %s AND used_on < %s AND request_digest IS NOT NULL
"""
# Changed where they lie: somebody who waits for one of them must find it, used.
TICKETS: Final = """
    UPDATE service_ticket SET request_digest = NULL
    WHERE agency = %s AND used_on = %s AND request_digest IS NOT NULL RETURNING used_on
"""
RATINGS: Final = f"""
    WITH gone AS (
        DELETE FROM contact_rating WHERE agency = %s AND rated_on = %s RETURNING *
    )
    INSERT INTO contact_rating (agency, {RATED})
    SELECT agency, {RATED} FROM gone ORDER BY rating
"""  # noqa: S608 - constants alone


async def due(
    connection: Connection, agency: AgencyId, now: datetime, *, limit: int
) -> Sequence[str]:
    """Return rounds whose time is over and that are not closed."""
    rows = await (await connection.execute(DUE, (agency, now, limit))).fetchall()
    return [round_ for (round_,) in rows]


async def close_round(connection: Connection, agency: AgencyId, round_: str, at: datetime) -> bool:
    """Take away what could lead from an answer to its author, once; tell whether it was now.

    Of the time of an answer remains the week in which the round closed. Both sides are told.
    """
    closed = await (await connection.execute(CLOSE, (at, agency, round_))).fetchone()
    if closed is None:
        return False
    await connection.execute(INVITATIONS, (agency, round_))
    await connection.execute(TEXTS, {"agency": agency, "round": round_, "day": None})
    await connection.execute(ANSWERS, (agency, round_, week_of(closed[0].date())))
    await news.tell_of_closed(connection, agency, round_, at)
    return True


async def unlink_oldest_day(connection: Connection, agency: AgencyId, before: date) -> bool:
    """Part the tickets that were used on a day from what was said with them; False for none left.

    Takes the first day for which that was not done, of those before the given one.
    """
    row = await (await connection.execute(OLDEST_DAY, (agency, before))).fetchone()
    day: date | None = row[0] if row else None
    if day is None:
        return False
    used = await connection.execute(TICKETS, (agency, day))
    if await used.fetchone() is not None:
        # Else another worker did it while we waited for the tickets.
        await connection.execute(TEXTS, {"agency": agency, "round": None, "day": day})
        await connection.execute(RATINGS, (agency, day))
    return True
