"""Evaluations as they stand: one by its key, pages of many, counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.standing_in import INVOLVED, Lent
from siklus.activities.store.queries.tasks import last_due
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.values import CycleId, EvaluationKey, PersonId

COLUMNS = """
    e.cycle, e.person, e.segment, e.revision, e.stage, e.unit, e.supervisor, e.participants,
    e.next_due_at, e.updated_at, e.document
"""
GET = f"""
    SELECT {COLUMNS} FROM evaluation AS e
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s
"""  # noqa: S608 - constants alone


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One evaluation; `document` is its state as JSON."""

    cycle: CycleId
    person: PersonId
    segment: int
    revision: int
    stage: str
    unit: str
    supervisor: PersonId
    participants: list[PersonId]
    next_due_at: datetime | None
    updated_at: datetime
    document: str

    @property
    def place(self) -> "Place":
        """Where it stands in a list."""
        return Place(self.next_due_at, self.cycle, self.person, self.segment)


class Place(NamedTuple):
    """A row of a list, to go on after; the due time counts in lists of overdue ones alone."""

    due_at: datetime | None
    cycle: str
    person: str
    segment: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which evaluations; what is None does not filter, several must all hold."""

    cycle: str | None = None
    stage: str | None = None
    unit: str | None = None
    supervisor: str | None = None
    person: str | None = None
    participant: str | None = None
    """Somebody who may look at them."""
    lent: Lent | None = None
    """By which mandates the participant may look at those of others, too."""
    overdue_at: datetime | None = None
    """Only those with a task that is late at this instant, longest overdue first."""


async def get(connection: Connection, key: EvaluationKey) -> EvaluationRow | None:
    """Return one evaluation, None if the record has none under that key."""
    cursor = await connection.execute(GET, key_parts(key))
    row = await cursor.fetchone()
    return EvaluationRow(*row) if row else None


async def page(
    connection: Connection, agency: str, wanted: Filter, *, after: Place | None, limit: int
) -> list[EvaluationRow]:
    """Return the next evaluations in the order of cycle, person and segment."""
    conditions, values = _conditions(wanted)
    source, order = "evaluation AS e", "e.cycle, e.person, e.segment"
    whose: Sequence[object] = ()
    if wanted.participant is not None:
        involved, whose = _involved(agency, wanted, after)
        source = f"{involved} JOIN evaluation AS e USING (agency, cycle, person, segment)"
    if wanted.overdue_at is not None:
        order = f"e.next_due_at, {order}"
    if after is not None:
        place = tuple(after) if wanted.overdue_at is not None else after[1:]
        conditions.append(f"({order}) > ({', '.join(['%s'] * len(place))})")
        values += place
    where = " AND ".join(("e.agency = %s", *conditions))
    query = f"SELECT {COLUMNS} FROM {source} WHERE {where} ORDER BY {order} LIMIT %s"  # noqa: S608
    async with connection.cursor(row_factory=args_row(EvaluationRow)) as cursor:
        found = await cursor.execute(query.encode(), (*whose, agency, *values, limit))
        return await found.fetchall()


def _involved(agency: str, wanted: Filter, after: Place | None) -> tuple[str, Sequence[object]]:
    """Return where to find what the participant may look at, and what that takes."""
    lent = wanted.lent
    if lent is None:
        return "participant AS p", ()
    # By due time the place says nothing of the key; else nothing before it is read again.
    by_key = after is not None and wanted.overdue_at is None
    beyond = "AND (p.cycle, p.person, p.segment) > (%s, %s, %s)" if by_key else ""
    place = after[1:] if after is not None and by_key else ()
    whose = (agency, wanted.participant, *place, lent.rows(), agency, *place, lent.as_of)
    return INVOLVED.format(beyond=beyond), whose


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    equal: Sequence[tuple[str, str | None]] = (
        ("e.cycle", wanted.cycle),
        ("e.stage", wanted.stage),
        ("e.unit", wanted.unit),
        ("e.supervisor", wanted.supervisor),
        ("e.person", wanted.person),
        ("p.participant", wanted.participant if wanted.lent is None else None),
    )
    asked = [(column, value) for column, value in equal if value is not None]
    conditions = [f"{column} = %s" for column, _ in asked]
    values: list[object] = [value for _, value in asked]
    if wanted.overdue_at is not None:
        conditions.append("e.next_due_at <= %s")
        values.append(last_due(wanted.overdue_at))
    return conditions, values
