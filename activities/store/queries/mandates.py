"""Mandates: entered, read, ended, and whose say somebody uses on some days."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.commands import Mandate
from siklus.workflows.domain.mandates import MandateKind
from siklus.workflows.domain.values import AgencyId, PersonId

COLUMNS = """
    mandate, principal, delegate, kind, letter, from_on, to_on, last_on, scope, created_at,
    created_by, ended_at, ended_by, end_reason
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('mandates of ' || %s, 0))"
GET = f"SELECT {COLUMNS} FROM mandate WHERE agency = %s AND mandate = %s"  # noqa: S608
# `last_on` goes before `from_on` in the keys: what has ended long ago is never read.
LENT = "m.mandate, m.principal, m.delegate, m.letter, m.from_on, m.last_on, m.scope"
DAYS = "m.agency = %(agency)s AND m.last_on >= %(first)s AND m.from_on <= %(last)s"
WORKS = """
    AND EXISTS (SELECT FROM person AS p
        WHERE p.agency = m.agency AND p.person = m.delegate AND p.active)
"""
# UNION, not UNION ALL: whoever is reached twice is followed once.
WALK = """
    WITH RECURSIVE lent AS (
        SELECT {lent} FROM mandate AS m WHERE {days} AND m.{at} = %(person)s {works}
        UNION
        SELECT {lent} FROM lent JOIN mandate AS m ON m.{at} = lent.{by} WHERE {days} {works}
    )
    SELECT mandate, principal, delegate, letter, from_on, last_on, scope FROM lent
"""
ABOVE = WALK.format(lent=LENT, days=DAYS, at="delegate", by="principal", works="")
BELOW = WALK.format(lent=LENT, days=DAYS, at="principal", by="delegate", works="")
IN_USE = WALK.format(lent=LENT, days=DAYS, at="delegate", by="principal", works=WORKS)
OF_ONE = """
    SELECT count(*) FROM mandate
    WHERE agency = %(agency)s AND delegate = %(person)s AND last_on >= %(first)s
"""
ADD = f"""
    INSERT INTO mandate (agency, {COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, NULL, NULL, NULL)
"""  # noqa: S608 - constants alone
END = """
    UPDATE mandate SET last_on = %s, ended_at = %s, ended_by = %s, end_reason = %s
    WHERE agency = %s AND mandate = %s
"""
PAGE = f"""
    SELECT {COLUMNS} FROM mandate
    WHERE agency = %(agency)s AND (from_on, mandate) < (%(from_on)s, %(mandate)s)
        AND (%(principal)s::text IS NULL OR principal = %(principal)s)
        AND (%(delegate)s::text IS NULL OR delegate = %(delegate)s)
        AND (%(on)s::date IS NULL OR (from_on <= %(on)s AND last_on >= %(on)s))
    ORDER BY from_on DESC, mandate DESC LIMIT %(limit)s
"""  # noqa: S608 - constants alone
LETTERS = "SELECT mandate, letter FROM mandate WHERE agency = %s AND mandate = ANY(%s)"


class Place(NamedTuple):
    """A mandate's place in a list, to go on after."""

    from_on: date
    mandate: str


FIRST = Place(date.max, "")


@dataclass(frozen=True, slots=True)
class MandateRow:
    """One mandate with who entered it and, if it was ended early, who ended it and why."""

    mandate: str
    principal: PersonId
    delegate: PersonId
    kind: MandateKind
    letter: str
    from_on: date
    to_on: date
    last_on: date
    scope: list[str]
    created_at: datetime
    created_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    end_reason: str | None = None

    @property
    def relied_on(self) -> Mandate:
        """What the rule book needs of it."""
        return Mandate(
            id=self.mandate,
            principal=self.principal,
            delegate=self.delegate,
            letter=self.letter,
            from_on=self.from_on,
            to_on=self.last_on,
            scope=tuple(self.scope),
        )


def _mandate(
    mandate: str,
    principal: PersonId,
    delegate: PersonId,
    letter: str,
    from_on: date,
    last_on: date,
    scope: list[str],
) -> Mandate:
    return Mandate(
        id=mandate,
        principal=principal,
        delegate=delegate,
        letter=letter,
        from_on=from_on,
        to_on=last_on,
        scope=tuple(scope),
    )


async def lock(connection: Connection, agency: AgencyId) -> None:
    """Keep others from entering or ending mandates of the agency until the transaction ends."""
    await connection.execute(LOCK, (agency,))


async def get(connection: Connection, agency: AgencyId, mandate: str) -> MandateRow | None:
    """Return one, None if there is none of that id."""
    async with connection.cursor(row_factory=args_row(MandateRow)) as cursor:
        return await (await cursor.execute(GET, (agency, mandate))).fetchone()


async def page(
    connection: Connection,
    agency: AgencyId,
    *,
    principal: str | None = None,
    delegate: str | None = None,
    on: date | None = None,
    after: Place = FIRST,
    limit: int,
) -> list[MandateRow]:
    """Return the next ones, those that begin last first."""
    values = {
        "agency": agency,
        "principal": principal,
        "delegate": delegate,
        "on": on,
        "from_on": after.from_on,
        "mandate": after.mandate,
        "limit": limit,
    }
    async with connection.cursor(row_factory=args_row(MandateRow)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


async def add(connection: Connection, agency: AgencyId, row: MandateRow) -> None:
    """Enter a mandate."""
    values = (
        row.mandate,
        row.principal,
        row.delegate,
        row.kind,
        row.letter,
        row.from_on,
        row.to_on,
        row.last_on,
        row.scope,
        row.created_at,
        row.created_by,
    )
    await connection.execute(ADD, (agency, *values))


async def end(
    connection: Connection,
    agency: AgencyId,
    mandate: str,
    *,
    last_on: date,
    at: datetime,
    by: str,
    reason: str,
) -> None:
    """End a mandate early, and note who did it, when and why."""
    await connection.execute(END, (last_on, at, by, reason, agency, mandate))


async def leading_up(
    connection: Connection, agency: AgencyId, person: PersonId, first: date, last: date
) -> list[Mandate]:
    """Return by which mandates, one after the other, somebody uses whose say on any of the days."""
    return await _walk(connection, ABOVE, agency, person, first, last)


async def leading_down(
    connection: Connection, agency: AgencyId, person: PersonId, first: date, last: date
) -> list[Mandate]:
    """Return by which mandates, one after the other, who uses somebody's say on any of the days."""
    return await _walk(connection, BELOW, agency, person, first, last)


async def in_use(
    connection: Connection, agency: AgencyId, person: PersonId, first: date, last: date
) -> list[Mandate]:
    """Return what leads up from somebody, over people alone who work there now."""
    return await _walk(connection, IN_USE, agency, person, first, last)


async def count(connection: Connection, agency: AgencyId, delegate: PersonId, today: date) -> int:
    """Count the mandates of a delegate that hold now or are to come."""
    values = {"agency": agency, "person": delegate, "first": today}
    row = await (await connection.execute(OF_ONE, values)).fetchone()
    return int(row[0]) if row else 0


async def letters(
    connection: Connection, agency: AgencyId, mandates: Collection[str]
) -> dict[str, str]:
    """Return the letters of those mandates."""
    if not mandates:
        return {}
    rows = await (await connection.execute(LETTERS, (agency, list(mandates)))).fetchall()
    return dict(rows)


async def _walk(
    connection: Connection,
    query: str,
    agency: AgencyId,
    person: PersonId,
    first: date,
    last: date,
) -> list[Mandate]:
    values = {"agency": agency, "person": person, "first": first, "last": last}
    async with connection.cursor(row_factory=args_row(_mandate)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()
