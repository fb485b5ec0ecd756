"""Changes of the roster: recorded, read, applied to people, and what each did to evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.roster_changes import Change, ChangeState, Facts
from siklus.workflows.domain.values import AgencyId, PersonId

COLUMNS = """
    change, person, effective_on, facts::text, reason, state, created_at, created_by, applied_at,
    problem
"""
ADD = """
    INSERT INTO roster_change (agency, change, person, kind, effective_on, facts, reason, state,
        created_at, created_by)
    VALUES (%s, %s, %s, %s, %s, %s, %s, 'PLANNED', %s, %s)
"""
GET = f"SELECT {COLUMNS} FROM roster_change WHERE agency = %s AND change = %s"  # noqa: S608
PAGE = f"""
    SELECT {COLUMNS} FROM roster_change
    WHERE agency = %(agency)s AND (effective_on, change) < (%(effective_on)s, %(change)s)
        AND (%(person)s::text IS NULL OR person = %(person)s)
        AND (%(state)s::text IS NULL OR state = %(state)s)
    ORDER BY effective_on DESC, change DESC LIMIT %(limit)s
"""  # noqa: S608 - constants alone
PLANNED = f"""
    SELECT {COLUMNS} FROM roster_change
    WHERE agency = %s AND person = %s AND state = 'PLANNED'
    ORDER BY effective_on, change
"""  # noqa: S608 - constants alone
# Of a state that had it only: whoever comes second changes nothing.
MARK = """
    UPDATE roster_change SET state = %s, applied_at = coalesce(%s, applied_at), problem = %s
    WHERE agency = %s AND change = %s AND state = ANY(%s)
"""
# A day begins at midnight where the person works.
DUE = """
    SELECT c.change FROM roster_change AS c
    LEFT JOIN person AS p ON p.agency = c.agency AND p.person = c.person
    LEFT JOIN unit AS u ON u.agency = p.agency AND u.code = p.unit
    WHERE c.agency = %(agency)s AND c.state IN ('PLANNED', 'APPLYING')
        AND c.effective_on <= (%(now)s::timestamptz AT TIME ZONE coalesce(u.zone, 'UTC'))::date
    ORDER BY c.effective_on, c.created_at, c.change LIMIT %(limit)s
"""
FOLLOW = """
    UPDATE person SET supervisor = %(successor)s
    WHERE agency = %(agency)s AND supervisor = %(leaving)s AND person <> %(successor)s
"""
APPROVE = """
    UPDATE unit SET approver = %(successor)s WHERE agency = %(agency)s AND approver = %(leaving)s
"""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change, who recorded it and how it stands."""

    change: str
    person: PersonId
    effective_on: date
    facts: str
    reason: str
    state: ChangeState
    created_at: datetime
    created_by: str
    applied_at: datetime | None = None
    problem: str | None = None

    @property
    def says(self) -> Change:
        """What the rule book needs of it."""
        facts: Facts = _FACTS.validate_json(self.facts)
        return Change(person=self.person, effective_on=self.effective_on, facts=facts)


_FACTS: TypeAdapter[Any] = TypeAdapter(Facts)


class Place(NamedTuple):
    """A change's place in a list, to go on after."""

    effective_on: date
    change: str


FIRST = Place(date.max, "")


async def add(
    connection: Connection,
    agency: AgencyId,
    change_id: str,
    change: Change,
    *,
    reason: str,
    at: datetime,
    by: str,
) -> None:
    """Write a change down as planned."""
    facts = change.facts.model_dump_json()
    values = (agency, change_id, change.person, change.facts.kind, change.effective_on, facts)
    await connection.execute(ADD, (*values, reason, at, by))


async def get(connection: Connection, agency: AgencyId, change: str) -> ChangeRow | None:
    """Return one, None if there is none of that id."""
    row = await (await connection.execute(GET, (agency, change))).fetchone()
    return _row(row) if row else None


async def page(
    connection: Connection,
    agency: AgencyId,
    *,
    person: str | None,
    state: str | None,
    after: Place = FIRST,
    limit: int,
) -> list[ChangeRow]:
    """Return the next changes, those that take effect last first."""
    values = {
        "agency": agency, "person": person, "state": state, "limit": limit, **after._asdict()
    }  # fmt: skip
    return [_row(row) for row in await (await connection.execute(PAGE, values)).fetchall()]


async def planned(connection: Connection, agency: AgencyId, person: PersonId) -> list[ChangeRow]:
    """Return what is planned for somebody, soonest first."""
    rows = await (await connection.execute(PLANNED, (agency, person))).fetchall()
    return [_row(row) for row in rows]


async def due(
    connection: Connection, agency: AgencyId, now: datetime, *, limit: int | None = None
) -> list[str]:
    """Return the changes whose day has come where the person works, and those under way."""
    values = {"agency": agency, "now": now, "limit": limit}
    return [change for (change,) in await (await connection.execute(DUE, values)).fetchall()]


async def mark(
    connection: Connection,
    agency: AgencyId,
    change: str,
    state: ChangeState,
    *,
    of: Sequence[ChangeState],
    at: datetime | None = None,
    problem: str | None = None,
) -> bool:
    """Give a change another state, if it has one of those; tell whether it had."""
    values = (state.value, at, problem, agency, change, [each.value for each in of])
    return (await connection.execute(MARK, values)).rowcount == 1


def _row(row: Sequence[Any]) -> ChangeRow:
    change, person, effective_on, facts, reason, state, *rest = row
    return ChangeRow(change, person, effective_on, facts, reason, ChangeState(state), *rest)


async def succeed(
    connection: Connection, agency: AgencyId, leaving: PersonId, successor: PersonId
) -> None:
    """Put the successor over whoever stood under the leaving person, and as units' approver."""
    names = {"agency": agency, "leaving": leaving, "successor": successor}
    await connection.execute(FOLLOW, names)
    await connection.execute(APPROVE, names)
