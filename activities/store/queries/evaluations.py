"""Evaluations as they stand: one by its key, pages of many, counts."""

from collections.abc import Mapping, Sequence
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
KEY = "e.cycle, e.person, e.segment"
BEYOND = """
    AND (cycle, person, segment) > (%(after_cycle)s, %(after_person)s, %(after_segment)s)
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
    order = KEY if wanted.overdue_at is None else f"e.next_due_at, {KEY}"
    if after is not None:
        place = after if wanted.overdue_at is not None else after[1:]
        values |= {f"after_{name}": value for name, value in after._asdict().items()}
        names = [f"%(after_{name})s" for name in Place._fields[-len(place) :]]
        conditions.append(f"({order}) > ({', '.join(names)})")
    values |= {"agency": agency, "limit": limit}
    if wanted.participant is not None and wanted.lent is not None:
        query, more = _involved(wanted, wanted.participant, wanted.lent, conditions, order, after)
        values |= more
    else:
        query = _listed(wanted, conditions, order)
    async with connection.cursor(row_factory=args_row(EvaluationRow)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()


def _listed(wanted: Filter, conditions: Sequence[str], order: str) -> str:
    source = "evaluation AS e"
    if wanted.participant is not None:
        source = "participant AS p JOIN evaluation AS e USING (agency, cycle, person, segment)"
        conditions = ("p.participant = %(participant)s", *conditions)
    where = " AND ".join(("e.agency = %(agency)s", *conditions))
    return f"SELECT {COLUMNS} FROM {source} WHERE {where} ORDER BY {order} LIMIT %(limit)s"  # noqa: S608


def _involved(
    wanted: Filter,
    participant: str,
    lent: Lent,
    conditions: Sequence[str],
    order: str,
    after: Place | None,
) -> tuple[str, dict[str, object]]:
    narrowed = BEYOND if after is not None and wanted.overdue_at is None else ""
    if wanted.cycle is not None:
        narrowed += " AND cycle = %(cycle)s"
    query = INVOLVED.format(
        columns=COLUMNS,
        conditions="".join(f" AND {condition}" for condition in conditions),
        order=order,
        inner_order=order.replace(KEY, "p.cycle, p.person, p.segment"),
        beyond=narrowed,
    )
    return query, {"lent": lent.rows(own=participant), "as_of": lent.as_of}


def _conditions(wanted: Filter) -> tuple[list[str], dict[str, object]]:
    equal: Mapping[str, str | None] = {
        "cycle": wanted.cycle,
        "stage": wanted.stage,
        "unit": wanted.unit,
        "supervisor": wanted.supervisor,
        "person": wanted.person,
    }
    asked = {column: value for column, value in equal.items() if value is not None}
    conditions = [f"e.{column} = %({column})s" for column in asked]
    values: dict[str, object] = {**asked, "participant": wanted.participant}
    if wanted.overdue_at is not None:
        conditions.append("e.next_due_at <= %(last_due)s")
        values["last_due"] = last_due(wanted.overdue_at)
    return conditions, values
