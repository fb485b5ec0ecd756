"""What a change of the roster did to each evaluation that it touches."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.changes import ChangeRow
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.roster_changes import Outcome
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What a change did to one evaluation."""

    cycle: str
    person: str
    segment: int
    command: str
    outcome: Outcome
    reason: str | None


# The person's own evaluations, and those in which they ever had a part; the rules tell what of it
# is left. Whatever begins later is seated by the roster as it is then.
TOUCHED = """
    SELECT e.cycle, e.person, e.segment, e.person = %(person)s
    FROM evaluation AS e
    WHERE e.agency = %(agency)s AND NOT e.ended AND e.person = %(person)s
    UNION
    SELECT e.cycle, e.person, e.segment, false
    FROM participant AS p
    JOIN evaluation AS e ON e.agency = p.agency AND e.cycle = p.cycle AND e.person = p.person
        AND e.segment = p.segment
    WHERE %(held)s AND p.agency = %(agency)s AND p.participant = %(person)s
        AND e.person <> %(person)s AND NOT e.ended
    ORDER BY 1, 2, 3 LIMIT %(limit)s
"""
COUNT_TOUCHED = f"SELECT count(*) FROM ({TOUCHED}) AS touched"  # noqa: S608 - constants alone
FREEZE = f"""
    INSERT INTO roster_change_effect (agency, change, cycle, person, segment, command, outcome)
    SELECT %(agency)s, %(change)s, t.cycle, t.person, t.segment,
        CASE WHEN t.own THEN %(own)s ELSE %(other)s END, 'WAITING'
    FROM ({TOUCHED}) AS t (cycle, person, segment, own)
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants alone
EFFECTS = """
    SELECT cycle, person, segment, command, outcome, reason FROM roster_change_effect
    WHERE agency = %(agency)s AND change = %(change)s {}
        AND (cycle, person, segment) > (%(cycle)s, %(person)s, %(segment)s)
    ORDER BY cycle, person, segment LIMIT %(limit)s
"""
ALL_EFFECTS = EFFECTS.format("")
WAITING_EFFECTS = EFFECTS.format("AND outcome = 'WAITING'")
SETTLE = """
    UPDATE roster_change_effect SET outcome = %s, reason = %s, settled_at = %s
    WHERE agency = %s AND change = %s AND cycle = %s AND person = %s AND segment = %s
"""
COUNTS = """
    SELECT outcome, count(*) FROM roster_change_effect
    WHERE agency = %s AND change = %s GROUP BY outcome
"""


RECORDED = """
    SELECT EXISTS (
        SELECT FROM event WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s
            AND request_key = %s
    )
"""


class Touched(NamedTuple):
    """An evaluation that a change touches."""

    cycle: str
    person: str
    segment: int
    own: bool


NOWHERE = ("", "", 0)


async def touched(
    connection: Connection, agency: AgencyId, person: PersonId, *, held: bool, limit: int
) -> list[Touched]:
    """Return running evaluations of somebody; with `held` those with a part for them, too."""
    values = _touching(agency, person, held=held, limit=limit)
    rows = await (await connection.execute(TOUCHED, values)).fetchall()
    return [Touched(*row) for row in rows]


async def count_touched(
    connection: Connection, agency: AgencyId, person: PersonId, *, held: bool
) -> int:
    """Count what `touched` returns without a limit."""
    values = _touching(agency, person, held=held, limit=None)
    row = await (await connection.execute(COUNT_TOUCHED, values)).fetchone()
    return int(row[0]) if row else 0


async def freeze(
    connection: Connection,
    agency: AgencyId,
    row: ChangeRow,
    *,
    own: str,
    other: str | None,
) -> None:
    """Write down every evaluation that a change touches, with the command that goes to it.

    `other` is the command for those in which the person only has a part; None leaves them out.
    """
    values = _touching(agency, row.person, held=other is not None, limit=None)
    await connection.execute(FREEZE, {**values, "change": row.change, "own": own, "other": other})


def _touching(
    agency: AgencyId, person: PersonId, *, held: bool, limit: int | None
) -> dict[str, object]:
    return {"agency": agency, "person": person, "held": held, "limit": limit}


async def page(
    connection: Connection,
    agency: AgencyId,
    change: str,
    *,
    waiting: bool = False,
    after: tuple[str, str, int] = NOWHERE,
    limit: int,
) -> list[EffectRow]:
    """Return the next effects of a change by cycle, person and segment."""
    cycle, person, segment = after
    values = {
        "agency": agency, "change": change, "cycle": cycle, "person": person,
        "segment": segment, "limit": limit,
    }  # fmt: skip
    async with connection.cursor(row_factory=args_row(EffectRow)) as cursor:
        query = WAITING_EFFECTS if waiting else ALL_EFFECTS
        return await (await cursor.execute(query.encode(), values)).fetchall()


async def recorded(connection: Connection, key: EvaluationKey, request_key: str) -> bool:
    """Tell whether the record of an evaluation has that request."""
    row = await (await connection.execute(RECORDED, (*key_parts(key), request_key))).fetchone()
    return bool(row and row[0])


async def settle(
    connection: Connection,
    agency: AgencyId,
    change: str,
    effect: EffectRow,
    outcome: Outcome,
    reason: str | None,
    *,
    at: datetime,
) -> None:
    """Note what became of one evaluation."""
    place = (agency, change, effect.cycle, effect.person, effect.segment)
    await connection.execute(SETTLE, (outcome.value, reason, at, *place))


async def counts(connection: Connection, agency: AgencyId, change: str) -> dict[str, int]:
    """Count a change's evaluations by outcome."""
    rows = await (await connection.execute(COUNTS, (agency, change))).fetchall()
    return {outcome: int(count) for outcome, count in rows}
