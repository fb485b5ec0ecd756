"""What citizens said of service contacts: kept, counted, listed, moderated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.feedback.contacts import CommentState, Scores, scores_of
from siklus.workflows.domain.values import AgencyId, Digest, PersonId

COLUMNS: Final = """
    rating, person, unit, service, served_on, score, rated_on, comment, comment_state,
    moderated_by, moderated_at, moderation_reason, moderated_because
"""
ADD: Final = f"""
    INSERT INTO contact_rating (agency, {COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""  # noqa: S608 - constants alone
GET: Final = f"""
    SELECT {COLUMNS} FROM contact_rating
    WHERE agency = %s AND rating = %s AND comment IS NOT NULL
"""  # noqa: S608 - constants alone
COUNTED: Final = """
    SELECT service, score, count(*), min(served_on), max(served_on) FROM contact_rating
    WHERE agency = %s AND person = %s AND served_on BETWEEN %s AND %s AND rated_on < %s
    GROUP BY service, score
"""
STATES: Final = """
    SELECT comment_state, count(*) FROM contact_rating
    WHERE agency = %s AND person = %s AND served_on BETWEEN %s AND %s AND rated_on < %s
        AND comment IS NOT NULL
    GROUP BY comment_state
"""
PUBLISHED: Final = f"""
    SELECT {COLUMNS} FROM contact_rating
    WHERE agency = %s AND person = %s AND served_on BETWEEN %s AND %s AND rated_on < %s
        AND comment_state = 'PUBLISHED'
    ORDER BY rated_on DESC, rating DESC LIMIT %s
"""  # noqa: S608 - constants alone
PAGE: Final = f"""
    SELECT {COLUMNS} FROM contact_rating
    WHERE agency = %(agency)s AND comment IS NOT NULL
        AND (rated_on, rating) < (%(before_on)s, %(before)s)
        AND (%(state)s::text IS NULL OR comment_state = %(state)s)
        AND (%(person)s::text IS NULL OR person = %(person)s)
    ORDER BY rated_on DESC, rating DESC LIMIT %(limit)s
"""  # noqa: S608 - constants alone
MODERATE: Final = """
    UPDATE contact_rating
    SET comment_state = %s, moderated_by = %s, moderated_at = %s, moderated_because = %s,
        moderation_reason = NULL
    WHERE agency = %s AND rating = %s
"""
PLAIN: Final = """
    SELECT rating, person, moderation_reason FROM contact_rating
    WHERE agency = %s AND moderation_reason IS NOT NULL ORDER BY rating LIMIT 500 FOR UPDATE
"""
SEAL: Final = """
    UPDATE contact_rating SET moderated_because = %s, moderation_reason = NULL
    WHERE agency = %s AND rating = %s
"""
FORGET: Final = """
    UPDATE contact_rating SET moderation_reason = NULL
    WHERE agency = %s AND person = %s AND moderation_reason IS NOT NULL
"""
# Reasons outlived erasures once, and a row that is written anew meanwhile is not met by `FORGET`.
FORGET_ERASED: Final = """
    UPDATE contact_rating AS c SET moderation_reason = NULL
    FROM erasure AS e
    WHERE c.agency = %s AND c.moderation_reason IS NOT NULL
        AND e.agency = c.agency AND e.person = c.person AND e.erased_at >= c.moderated_at
"""


@dataclass(frozen=True, slots=True)
class RatingRow:
    """One rated contact; `comment` and `moderated_because` are digests of texts."""

    rating: str
    person: PersonId
    unit: str
    service: str
    served_on: date
    score: int
    rated_on: date
    comment: str | None = None
    comment_state: str | None = None
    moderated_by: str | None = None
    moderated_at: datetime | None = None
    moderation_reason: str | None = None
    """In plain text, of a reason that the upkeep has not sealed yet."""
    moderated_because: str | None = None


class Place(NamedTuple):
    """Where a page of comments ended."""

    rated_on: date
    rating: str


FIRST: Final = Place(date.max, "")


class Stretch(NamedTuple):
    """The contacts with one person on these days, both included, as far as they were rated."""

    agency: AgencyId
    person: PersonId
    from_on: date
    to_on: date
    rated_before: date


async def add(connection: Connection, agency: AgencyId, row: RatingRow) -> None:
    """Keep a rating."""
    values = [getattr(row, name.strip()) for name in COLUMNS.split(",")]
    await connection.execute(ADD, (agency, *values))


async def get(connection: Connection, agency: AgencyId, rating: str) -> RatingRow | None:
    """Return a rating that came with a comment."""
    async with connection.cursor(row_factory=args_row(RatingRow)) as cursor:
        return await (await cursor.execute(GET, (agency, rating))).fetchone()


async def counted(connection: Connection, stretch: Stretch) -> dict[str, Scores]:
    """Return how the contacts were rated, by service."""
    found: dict[str, tuple[dict[int, int], list[date]]] = {}
    for service, score, many, first, last in await (
        await connection.execute(COUNTED, stretch)
    ).fetchall():
        spread, days = found.setdefault(service, ({}, []))
        spread[score] = many
        days += [first, last]
    return {
        service: scores_of(spread, min(days), max(days))
        for service, (spread, days) in found.items()
    }


async def states(connection: Connection, stretch: Stretch) -> dict[CommentState, int]:
    """Return how many comments are in each state."""
    rows = await (await connection.execute(STATES, stretch)).fetchall()
    return {CommentState(state): many for state, many in rows}


async def published(connection: Connection, stretch: Stretch, *, limit: int) -> list[RatingRow]:
    """Return the newest comments that the people concerned may see."""
    async with connection.cursor(row_factory=args_row(RatingRow)) as cursor:
        return await (await cursor.execute(PUBLISHED, (*stretch, limit))).fetchall()


async def page(
    connection: Connection,
    agency: AgencyId,
    *,
    state: CommentState | None,
    person: str | None,
    before: Place,
    limit: int,
) -> Sequence[RatingRow]:
    """Return the next comments, those that came last first."""
    values = {
        "agency": agency,
        "state": state,
        "person": person,
        "before_on": before.rated_on,
        "before": before.rating,
        "limit": limit,
    }
    async with connection.cursor(row_factory=args_row(RatingRow)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


async def moderate(
    connection: Connection,
    agency: AgencyId,
    rating: str,
    *,
    state: CommentState,
    by: str,
    at: datetime,
    because: Digest | None,
) -> None:
    """Note who decided that a comment is shown or hidden, and why."""
    given = (state, by, at, because, agency, rating)
    if not (await connection.execute(MODERATE, given)).rowcount:
        # It was written anew while we waited for it: the next statement meets the new row.
        await connection.execute(MODERATE, given)


async def plain_reasons(
    connection: Connection, agency: AgencyId
) -> list[tuple[str, PersonId, str]]:
    """Return ratings with a reason in plain text, with whom they speak of; nobody takes them else.

    Until the transaction's end.
    """
    return await (await connection.execute(PLAIN, (agency,))).fetchall()


async def seal_reason(
    connection: Connection, agency: AgencyId, rating: str, because: Digest
) -> None:
    """Put a digest in the place of a reason in plain text."""
    await connection.execute(SEAL, (because, agency, rating))


async def forget_reasons(connection: Connection, agency: AgencyId, person: PersonId) -> None:
    """Erase the plain reasons at what was said of somebody."""
    await connection.execute(FORGET, (agency, person))


async def forget_erased_reasons(connection: Connection, agency: AgencyId) -> None:
    """Erase the plain reasons that are older than an erasure of the person's texts."""
    await connection.execute(FORGET_ERASED, (agency,))
