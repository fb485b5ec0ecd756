"""Inboxes: the open tasks of one or more actors, soonest due first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.standing_in import OPEN_TO, WHO, Lent
from siklus.workflows.domain.values import CycleId, PersonId

# Each inbox is read by itself, as its index has it, and no further than the page needs.
# The instant `infinity`, of tasks without a due time, is a text on the way: no datetime holds it.
INBOX = """
    SELECT t.cycle, t.person, t.segment, t.task, t.kind, t.number, t.unit, t.zone, t.holder,
        t.may_act, t.opened_at, t.due_at, t.due_on, t.rule, t.flagged, found.actors,
        found.places, found.due_at::text, e.stage, e.revision, p.name, c.year
    FROM (
        SELECT due_at, cycle, person, segment, task, array_agg(actor ORDER BY place) AS actors,
            array_agg(place ORDER BY place) AS places
        FROM {who}
        CROSS JOIN LATERAL (
            SELECT due_at, cycle, person, segment, task FROM task_actor AS a
            WHERE agency = %(agency)s AND actor = who.actor
                AND (%(cycle)s::text IS NULL OR cycle = %(cycle)s)
                AND (%(kind)s::text IS NULL OR kind = %(kind)s)
                AND due_at <= coalesce(%(last_due)s::timestamptz, 'infinity')
                AND (due_at, cycle, person, segment, task) > (%(due_at)s::timestamptz,
                    %(after_cycle)s, %(person)s, %(segment)s::int, %(task)s)
                {open_to}
            ORDER BY due_at, cycle, person, segment, task LIMIT %(limit)s
        ) AS inbox
        GROUP BY due_at, cycle, person, segment, task
        ORDER BY due_at, cycle, person, segment, task LIMIT %(limit)s
    ) AS found
    JOIN task AS t ON t.agency = %(agency)s AND t.cycle = found.cycle
        AND t.person = found.person AND t.segment = found.segment AND t.task = found.task
    JOIN evaluation AS e ON e.agency = %(agency)s AND e.cycle = found.cycle
        AND e.person = found.person AND e.segment = found.segment
    LEFT JOIN person AS p ON p.agency = %(agency)s AND p.person = found.person
    LEFT JOIN cycle AS c ON c.agency = %(agency)s AND c.cycle = found.cycle
    ORDER BY found.due_at, found.cycle, found.person, found.segment, found.task
"""
OWN = "unnest(%(actors)s::text[]) WITH ORDINALITY AS who (actor, place)"
INBOX_OWN = INBOX.format(who=OWN, open_to="")
INBOX_LENT = INBOX.format(who=WHO, open_to=OPEN_TO)
COUNTS = """
    SELECT kind, count(*), count(*) FILTER (WHERE due_at <= %(last_due)s) FROM (
        SELECT {each} kind, due_at, cycle, person, segment, task FROM task_actor
        WHERE agency = %(agency)s AND actor = ANY(%(actors)s)
            AND (%(cycle)s::text IS NULL OR cycle = %(cycle)s)
    ) AS waiting
    GROUP BY kind ORDER BY kind
"""
COUNT_ONE = COUNTS.format(each="")
"""One inbox holds no task twice, and the team's may be long."""
COUNT_SEVERAL = COUNTS.format(each="DISTINCT")
# OFFSET 0 keeps the planner from reading all inboxes to find the few that are asked for.
COUNT_LENT = f"""
    SELECT kind, count(*), count(*) FILTER (WHERE due_at <= %(last_due)s) FROM (
        SELECT DISTINCT a.kind, a.due_at, a.cycle, a.person, a.segment, a.task
        FROM {WHO}
        CROSS JOIN LATERAL (
            SELECT * FROM task_actor
            WHERE agency = %(agency)s AND actor = who.actor
                AND (%(cycle)s::text IS NULL OR cycle = %(cycle)s)
            OFFSET 0
        ) AS a
        WHERE true {OPEN_TO}
    ) AS waiting
    GROUP BY kind ORDER BY kind
"""  # noqa: S608 - constants alone
BEGINNING = "-infinity"


class Place(NamedTuple):
    """A task's place in an inbox, to go on after; `due_at` in the form the store gave it."""

    due_at: str
    cycle: str
    person: str
    segment: int
    task: str


FIRST = Place(BEGINNING, "", "", 0, "")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks; what is None does not filter, several must all hold."""

    cycle: str | None = None
    kind: str | None = None
    overdue_at: datetime | None = None
    """Only those that are late at this instant."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An open task with what is needed to recognise it; names are personal data."""

    cycle: CycleId
    person: PersonId
    segment: int
    task: str
    kind: str
    number: int
    unit: str
    zone: str
    holder: PersonId | None
    may_act: list[PersonId]
    """The holder, if any, and whom it was escalated to."""
    opened_at: datetime
    due_at: datetime | None
    due_on: date | None
    rule: str | None
    flagged: bool
    actors: list[str]
    """In whose inboxes of those asked for it stands, in the order asked."""
    places: list[int]
    """Their places in that order, from 1; chains are counted on after the actors."""
    order: str
    stage: str
    revision: int
    name: str | None
    year: int | None

    @property
    def place(self) -> Place:
        """Where it stands in the inbox."""
        return Place(self.order, self.cycle, self.person, self.segment, self.task)


@dataclass(frozen=True, slots=True)
class Count:
    """Open tasks of one kind; the overdue ones are among them."""

    kind: str
    count: int
    overdue: int


def _whose(actors: Sequence[str], lent: Lent | None) -> dict[str, object]:
    own: dict[str, object] = {"actors": list(actors)}
    if lent is None:
        return own
    return {**own, "lent": lent.rows(first=len(actors) + 1), "as_of": lent.as_of}


def last_due(as_of: datetime) -> datetime:
    """Return the latest due time that is late at an instant: its own last second still counts."""
    return as_of - timedelta(seconds=1)


async def inbox(
    connection: Connection,
    agency: str,
    actors: Sequence[str],
    wanted: Filter,
    *,
    lent: Lent | None = None,
    after: Place = FIRST,
    limit: int,
) -> list[InboxRow]:
    """Return the next tasks of all those actors together, each once.

    An actor is a person or `@team`. Soonest due first, those without a due time last.
    """
    values = {
        "agency": agency,
        **_whose(actors, lent),
        "cycle": wanted.cycle,
        "kind": wanted.kind,
        "last_due": last_due(wanted.overdue_at) if wanted.overdue_at else None,
        "due_at": after.due_at,
        "after_cycle": after.cycle,
        "person": after.person,
        "segment": after.segment,
        "task": after.task,
        "limit": limit,
    }
    async with connection.cursor(row_factory=args_row(InboxRow)) as cursor:
        query = INBOX_LENT if lent else INBOX_OWN
        return await (await cursor.execute(query.encode(), values)).fetchall()


async def counts(
    connection: Connection,
    agency: str,
    actors: Sequence[str],
    *,
    lent: Lent | None = None,
    cycle: str | None = None,
    as_of: datetime,
) -> list[Count]:
    """Count the tasks of all those actors together by kind, each once."""
    values = {
        "agency": agency,
        **_whose(actors, lent),
        "cycle": cycle,
        "last_due": last_due(as_of),
    }
    own = COUNT_ONE if len(set(actors)) == 1 else COUNT_SEVERAL
    query = COUNT_LENT if lent else own
    async with connection.cursor(row_factory=args_row(Count)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()
