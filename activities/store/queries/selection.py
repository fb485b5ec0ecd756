"""Which evaluations an operation is about: counted, paged through and written down."""

from collections.abc import Sequence
from typing import NamedTuple

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.evaluations import COLUMNS, EvaluationRow
from siklus.activities.store.queries.tasks import last_due
from siklus.workflows.domain.values import AgencyId, CycleId, Instant, PersonId, Value

UNITS = """
    e.unit IN (
        WITH RECURSIVE inside AS (
            SELECT code FROM unit WHERE agency = %(agency)s AND code = ANY(%(units)s)
            UNION
            SELECT unit.code FROM unit JOIN inside ON unit.parent = inside.code
            WHERE unit.agency = %(agency)s
        )
        SELECT code FROM inside
    )
"""
KEY = "(e.cycle, e.person, e.segment)"
TASKS = f"""
    {KEY} IN (
        SELECT t.cycle, t.person, t.segment FROM task AS t
        WHERE t.agency = %(agency)s AND t.kind = ANY(%(tasks)s)
    )
"""  # noqa: S608 - constants alone
HOLDER = f"""
    {KEY} IN (
        SELECT a.cycle, a.person, a.segment FROM task_actor AS a
        WHERE a.agency = %(agency)s AND a.actor = %(holder)s
    )
"""  # noqa: S608 - constants alone
# Somebody has a part in it, or stands further up in the line that an escalation would climb.
INVOLVED = f"""
    ({KEY} IN (
        SELECT p.cycle, p.person, p.segment FROM participant AS p
        WHERE p.agency = %(agency)s AND p.participant = %(involved)s
    ) OR (e.supervisor IN (
        WITH RECURSIVE below AS (
            SELECT person FROM person WHERE agency = %(agency)s AND supervisor = %(involved)s
            UNION
            SELECT person.person FROM person JOIN below ON person.supervisor = below.person
            WHERE person.agency = %(agency)s
        )
        SELECT person FROM below
    ) AND strpos(e.document, %(named)s) > 0))
"""  # noqa: S608 - constants alone
COUNT = "SELECT count(*) FROM evaluation AS e WHERE {}"
PAGE = """
    SELECT {columns} FROM evaluation AS e
    WHERE {matching} AND (e.cycle, e.person, e.segment) > (%(cycle_)s, %(person_)s, %(segment_)s)
    ORDER BY e.cycle, e.person, e.segment LIMIT %(limit)s
"""
FREEZE = """
    INSERT INTO operation_item (agency, operation, cycle, person, segment, outcome)
    SELECT e.agency, %(operation)s, e.cycle, e.person, e.segment, 'WAITING'
    FROM evaluation AS e WHERE {} ON CONFLICT DO NOTHING
"""


class Selection(Value):
    """Which evaluations of an agency; what is empty does not filter, several must all hold."""

    cycle: CycleId | None = None
    ended: bool = False
    """Those that have ended, instead of those that run."""
    units: tuple[str, ...] = ()
    """Units below them included."""
    unit: str = ""
    """This unit alone, without those below it."""
    people: tuple[PersonId, ...] = ()
    stages: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    holder: PersonId | None = None
    """Somebody in whose inbox something of it is."""
    supervisor: PersonId | None = None
    involved: PersonId | None = None
    """Somebody who has a part in it, or stands in the line above its supervisor."""
    late_at: Instant | None = None
    """Only those with a task that is late at this instant."""

    def where(self, agency: AgencyId) -> tuple[str, dict[str, object]]:
        """Return the condition on `evaluation AS e`, and its values."""
        conditions = ["e.agency = %(agency)s", "e.ended = %(ended)s"]
        values: dict[str, object] = {"agency": agency, "ended": self.ended}
        optional: Sequence[tuple[str, str, object]] = (
            ("cycle", "e.cycle = %(cycle)s", self.cycle),
            ("units", UNITS, list(self.units)),
            ("unit", "e.unit = %(unit)s", self.unit),
            ("people", "e.person = ANY(%(people)s)", list(self.people)),
            ("stages", "e.stage = ANY(%(stages)s)", list(self.stages)),
            ("tasks", TASKS, list(self.tasks)),
            ("holder", HOLDER, self.holder),
            ("supervisor", "e.supervisor = %(supervisor)s", self.supervisor),
            ("involved", INVOLVED, self.involved),
            ("late", "e.next_due_at <= %(late)s", self.late_at and last_due(self.late_at)),
        )
        for name, condition, value in optional:
            if value:
                conditions.append(condition)
                values[name] = value
        values["named"] = f'"{self.involved}"'
        return " AND ".join(conditions), values


class Place(NamedTuple):
    """Where a page ended."""

    cycle: str
    person: str
    segment: int


FIRST = Place("", "", 0)


async def count(connection: Connection, agency: AgencyId, selection: Selection) -> int:
    """Count the evaluations that match now."""
    matching, values = selection.where(agency)
    row = await (await connection.execute(COUNT.format(matching).encode(), values)).fetchone()
    return int(row[0]) if row else 0


async def page(
    connection: Connection, agency: AgencyId, selection: Selection, *, after: Place, limit: int
) -> list[EvaluationRow]:
    """Return the next evaluations in the order of cycle, person and segment."""
    matching, values = selection.where(agency)
    place = {"cycle_": after.cycle, "person_": after.person, "segment_": after.segment}
    query = PAGE.format(columns=COLUMNS, matching=matching).encode()
    rows = await connection.execute(query, {**values, **place, "limit": limit})
    return [EvaluationRow(*row) for row in await rows.fetchall()]


async def freeze(
    connection: Connection, agency: AgencyId, operation: str, selection: Selection
) -> None:
    """Write the evaluations that match now on an operation's list."""
    matching, values = selection.where(agency)
    await connection.execute(FREEZE.format(matching).encode(), {**values, "operation": operation})
