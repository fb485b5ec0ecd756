"""Rounds in which colleagues are asked: who, whether they answered, and apart from it what.

Every function works on a connection that one agency was set on; those that change something, inside
its transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import news
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.feedback.colleagues import Answer, Group, Round
from siklus.workflows.domain.news import news_of_round
from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.values import AgencyId, Digest, EvaluationKey, PersonId

UNDER: Final = """
    SELECT person FROM person
    WHERE agency = %s AND active AND supervisor = %s AND person <> %s ORDER BY person
"""
OPEN: Final = """
    INSERT INTO feedback_round (agency, round, cycle, person, segment, grouping, anonymous,
        invited, min_answers, invited_by, closes_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING round
"""
INVITE: Final = """
    INSERT INTO feedback_invitation (agency, round, invitee, answered)
    SELECT %s, %s, invitee, false FROM unnest(%s::text[]) AS invitee
"""
COLUMNS: Final = "round, person, grouping, anonymous, invited, min_answers, closes_at, closed_at"
# Shared by those who answer at once; whoever closes it waits for them, and they for it.
GET: Final = f"SELECT {COLUMNS} FROM feedback_round WHERE agency = %s AND round = %s FOR SHARE"  # noqa: S608
OF: Final = f"""
    SELECT {COLUMNS} FROM feedback_round
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s ORDER BY grouping
"""  # noqa: S608 - constants alone
MINE: Final = """
    SELECT r.round, r.person, r.grouping, r.anonymous, r.invited, r.min_answers, r.closes_at,
        r.closed_at, i.answered
    FROM feedback_invitation AS i
    JOIN feedback_round AS r ON r.agency = i.agency AND r.round = i.round
    WHERE i.agency = %s AND i.invitee = %s AND r.closes_at > %s
        AND (i.answered, r.closes_at, r.round) > (%s, %s, %s)
    ORDER BY i.answered, r.closes_at, r.round LIMIT %s
"""
INVITED: Final = """
    SELECT answered, request_mark FROM feedback_invitation
    WHERE agency = %s AND round = %s AND invitee = %s FOR UPDATE
"""
ANSWERED: Final = """
    UPDATE feedback_invitation SET answered = true, request_mark = %s
    WHERE agency = %s AND round = %s AND invitee = %s
"""
ADD: Final = """
    INSERT INTO feedback_answer (agency, answer, round, score, week_on, comment, author)
    VALUES (%s, gen_random_uuid()::text, %s, %s, %s, %s, %s)
"""
ANSWERS: Final = """
    SELECT score, comment, author FROM feedback_answer WHERE agency = %s AND round = %s
"""


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One round as it is stored."""

    round: str
    person: PersonId
    grouping: Group
    anonymous: bool
    invited: int
    min_answers: int
    closes_at: datetime
    closed_at: datetime | None = None
    answered: bool = False
    """Whether the one whose invitations were asked for answered."""

    @property
    def last_second(self) -> datetime:
        """When it can be answered last."""
        return self.closes_at - timedelta(seconds=1)

    @property
    def known(self) -> Round:
        """The round as the rules speak of it."""
        return Round(
            person=self.person,
            group=Group(self.grouping),
            anonymous=self.anonymous,
            invited=self.invited,
            min_answers=self.min_answers,
            closes_at=self.closes_at,
        )


class Place(NamedTuple):
    """Where a page of invitations ended."""

    answered: bool
    closes_at: datetime
    round: str


async def group(
    connection: Connection, agency: AgencyId, group: Group, person: PersonId, supervisor: PersonId
) -> list[PersonId]:
    """Return who works there now and is in that group of somebody's."""
    of = supervisor if group is Group.PEERS else person
    rows = await (await connection.execute(UNDER, (agency, of, person))).fetchall()
    return [PersonId(each) for (each,) in rows]


async def open_round(
    connection: Connection,
    key: EvaluationKey,
    row: RoundRow,
    invitees: Collection[PersonId],
    *,
    by: str,
    on: date,
) -> bool:
    """Ask them, and tell them so; False if that group was asked before."""
    given = (row.grouping, row.anonymous, row.invited, row.min_answers, by, row.closes_at)
    _, *parts = key_parts(key)
    made = await connection.execute(OPEN, (key.agency, row.round, *parts, *given))
    if await made.fetchone() is None:
        return False
    await connection.execute(INVITE, (key.agency, row.round, list(invitees)))
    told = news_of_round(row.round, NoticeKind.FEEDBACK_ASKED, invitees)
    await news.tell(connection, key, told, on=on, due_at=row.last_second)
    return True


async def get(connection: Connection, agency: AgencyId, round_: str) -> RoundRow | None:
    """Return a round, which nobody closes until the transaction's end; None if unknown."""
    async with connection.cursor(row_factory=args_row(RoundRow)) as cursor:
        return await (await cursor.execute(GET, (agency, round_))).fetchone()


async def of(connection: Connection, key: EvaluationKey) -> list[RoundRow]:
    """Return the rounds of an evaluation."""
    async with connection.cursor(row_factory=args_row(RoundRow)) as cursor:
        return await (await cursor.execute(OF, key_parts(key))).fetchall()


async def mine(
    connection: Connection,
    agency: AgencyId,
    invitee: PersonId,
    now: datetime,
    *,
    after: Place | None = None,
    limit: int,
) -> list[RoundRow]:
    """Return the next open rounds in which somebody is asked, those first that wait for them."""
    given = (agency, invitee, now, *(after or Place(False, now, "")), limit)
    async with connection.cursor(row_factory=args_row(RoundRow)) as cursor:
        return await (await cursor.execute(MINE, given)).fetchall()


async def invitation(
    connection: Connection, agency: AgencyId, round_: str, invitee: PersonId
) -> tuple[bool, str | None] | None:
    """Return whether somebody answered, and by which request; None if they were not asked."""
    row = await (await connection.execute(INVITED, (agency, round_, invitee))).fetchone()
    return (row[0], row[1]) if row else None


async def add(
    connection: Connection,
    agency: AgencyId,
    round_: str,
    answer: Answer,
    *,
    invitee: PersonId,
    mark: Digest,
    week_on: date,
) -> None:
    """Keep an answer, and apart from it that somebody answered."""
    await connection.execute(ANSWERED, (mark, agency, round_, invitee))
    given = (answer.score, week_on, answer.comment, answer.author)
    await connection.execute(ADD, (agency, round_, *given))


async def answers(connection: Connection, agency: AgencyId, round_: str) -> list[Answer]:
    """Return the answers of a round; comments by their digests."""
    rows = await (await connection.execute(ANSWERS, (agency, round_))).fetchall()
    return [Answer(score=score, comment=comment, author=author) for score, comment, author in rows]
