"""Everything that an audit file of one cycle holds, in its order, within one snapshot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from psycopg import AsyncServerCursor
from psycopg.rows import TupleRow, args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.audit_file import (
    ChainedEvent,
    Erasure,
    PinnedPolicy,
    SupersededEvent,
    UsedMandate,
)
from siklus.workflows.domain.values import AgencyId, CycleId

Item = TypeVar("Item")

AT_ONCE = 500
"""Rows of a page."""

USED = """
    SELECT mandate, kind, principal, delegate, letter, from_on, last_on FROM mandate
    WHERE agency = %(agency)s AND mandate IN (SELECT mandate FROM event
        WHERE agency = %(agency)s AND cycle = %(cycle)s AND mandate IS NOT NULL)
"""
EXISTS = "SELECT EXISTS (SELECT FROM cycle WHERE agency = %s AND cycle = %s)"
USED_SORTED = f'{USED} ORDER BY mandate COLLATE "C"'
# From the events and not from the rows that show them: what is exported is what is chained.
COUNTS = f"""
    SELECT
        (SELECT count(*) FROM (SELECT DISTINCT person, segment FROM event
            WHERE agency = %(agency)s AND cycle = %(cycle)s) AS chain),
        (SELECT count(*) FROM event WHERE agency = %(agency)s AND cycle = %(cycle)s),
        (SELECT count(*) FROM superseded WHERE agency = %(agency)s AND cycle = %(cycle)s),
        (SELECT count(*) FROM erasure WHERE agency = %(agency)s AND person IN
            (SELECT person FROM evaluation WHERE agency = %(agency)s AND cycle = %(cycle)s)),
        (SELECT count(*) FROM ({USED}) AS used)
"""  # noqa: S608 - constants alone
# By its one form and not as JSON: a body that somebody broke must not keep the rest from auditors.
PINNED = """
    SELECT DISTINCT substring(body FROM '"policy":"([^"]*)"'),
        substring(body FROM '"policy_version":([0-9]{1,9})[,}]')::int,
        substring(body FROM '"policy_digest":"([^"]*)"'),
        substring(body FROM '"calendar_digest":"([^"]*)"')
    FROM event WHERE agency = %s AND cycle = %s AND number = 1
"""
# Sorted as bytes, whatever language the database sorts by: readers check the order.
CHAINS = """
    SELECT person, segment, count(*) FROM event WHERE agency = %s AND cycle = %s
    GROUP BY person, segment ORDER BY person COLLATE "C", segment
"""
# An inner order, so that each evaluation's events are looked up in the index and none is scanned.
EVENTS = """
    SELECT wanted.person, wanted.segment, chained.* FROM
        unnest(%s::text[], %s::int[]) WITH ORDINALITY AS wanted (person, segment, place)
    CROSS JOIN LATERAL (
        SELECT number, body, hash FROM event WHERE agency = %s AND cycle = %s
            AND person = wanted.person AND segment = wanted.segment ORDER BY number OFFSET 0
    ) AS chained
    ORDER BY wanted.place, chained.number
"""
SUPERSEDED = """
    SELECT person, segment, number, body, hash, superseded_at FROM superseded
    WHERE agency = %s AND cycle = %s
    ORDER BY person COLLATE "C", segment, number, superseded_at, hash
"""
ERASURES = """
    SELECT person, evaluations, actor, erased_at FROM erasure
    WHERE agency = %s AND person IN
        (SELECT person FROM evaluation WHERE agency = %s AND cycle = %s)
    ORDER BY erased_at, person COLLATE "C", erasure
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """One evaluation, and how many events it has."""

    person: str
    segment: int
    events: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of each kind."""

    evaluations: int
    events: int
    superseded: int
    erasures: int
    mandates: int


async def cycle_exists(connection: Connection, agency: AgencyId, cycle: CycleId) -> bool:
    """Tell whether the agency has such a cycle."""
    row = await (await connection.execute(EXISTS, (agency, cycle))).fetchone()
    return bool(row and row[0])


async def counts(connection: Connection, agency: AgencyId, cycle: CycleId) -> Counts:
    """Count what a cycle has."""
    async with connection.cursor(row_factory=args_row(Counts)) as cursor:
        values = {"agency": agency, "cycle": cycle}
        counted = await (await cursor.execute(COUNTS.encode(), values)).fetchone()
    return counted or Counts(0, 0, 0, 0, 0)


async def pinned(
    connection: Connection, agency: AgencyId, cycle: CycleId
) -> tuple[list[PinnedPolicy], list[str]]:
    """Return the policies and the digests of calendars that the cycle's evaluations began with."""
    rows = await (await connection.execute(PINNED, (agency, cycle))).fetchall()
    read = [row for row in rows if None not in row]
    policies = sorted({(name, version, digest) for name, version, digest, _ in read})
    return [PinnedPolicy(*each) for each in policies], sorted({row[3] for row in read})


class Pages(Generic[Item]):
    """Rows of one statement, handed over page by page; it needs an open transaction."""

    def __init__(self, cursor: AsyncServerCursor[TupleRow], make: Callable[..., Item]) -> None:
        self._cursor = cursor
        self._make = make

    async def next(self) -> list[Item]:
        """Return the next rows, none at the end."""
        return [self._make(*row) for row in await self._cursor.fetchmany(AT_ONCE)]


async def chains(connection: Connection, agency: AgencyId, cycle: CycleId) -> Pages[Chain]:
    """Return the cycle's evaluations in the order of the file."""
    cursor = connection.cursor("chains")
    return Pages(await cursor.execute(CHAINS, (agency, cycle)), Chain)


async def superseded(
    connection: Connection, agency: AgencyId, cycle: CycleId
) -> Pages[SupersededEvent]:
    """Return what stepped aside."""
    cursor = connection.cursor("superseded_events")
    return Pages(await cursor.execute(SUPERSEDED, (agency, cycle)), _superseded)


def _superseded(
    person: str, segment: int, number: int, body: str, link: str, at: datetime
) -> SupersededEvent:
    return SupersededEvent(person, segment, ChainedEvent(number, body, link), at)


async def events(
    connection: Connection, agency: AgencyId, cycle: CycleId, wanted: Sequence[Chain]
) -> list[tuple[str, int, ChainedEvent]]:
    """Return all events of those evaluations, in their order."""
    people, segments = [each.person for each in wanted], [each.segment for each in wanted]
    rows = await connection.execute(EVENTS, (people, segments, agency, cycle))
    return [
        (person, segment, ChainedEvent(*event)) for person, segment, *event in await rows.fetchall()
    ]


async def erasures(connection: Connection, agency: AgencyId, cycle: CycleId) -> list[Erasure]:
    """Return the erasures of people of the cycle, oldest first."""
    async with connection.cursor(row_factory=args_row(Erasure)) as cursor:
        return await (await cursor.execute(ERASURES, (agency, agency, cycle))).fetchall()


async def mandates(connection: Connection, agency: AgencyId, cycle: CycleId) -> Pages[UsedMandate]:
    """Return the mandates that the cycle's events name, as the roster has them."""
    cursor = connection.cursor("mandates")
    values = {"agency": agency, "cycle": cycle}
    return Pages(await cursor.execute(USED_SORTED.encode(), values), UsedMandate)
