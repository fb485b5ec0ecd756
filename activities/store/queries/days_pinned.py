"""Which running evaluations were started with other days off than are known today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey

RUNS = "SELECT EXISTS (SELECT FROM evaluation WHERE agency = %s AND NOT ended)"
UNITS = """
    SELECT c.cycle, c.policy, c.policy_version, c.year, u.code, u.zone, u.weekdays
    FROM (SELECT DISTINCT cycle, unit FROM evaluation WHERE agency = %(agency)s AND NOT ended) AS e
    JOIN cycle AS c ON c.agency = %(agency)s AND c.cycle = e.cycle
    JOIN unit AS u ON u.agency = %(agency)s AND u.code = e.unit
    ORDER BY c.cycle, u.code
"""
# The first event has the calendar of the start, the document one that replaced it. A zone stays. Of
# a version what follows the plus tells the days, whichever release they came from.
DIFFERING = """
    FROM evaluation AS e
    JOIN unnest(%(cycles)s::text[], %(units)s::text[], %(zones)s::text[], %(days)s::text[])
        AS wanted (cycle, unit, zone, days)
        ON wanted.cycle = e.cycle AND wanted.unit = e.unit AND wanted.zone = e.zone
    JOIN calendar AS c ON c.agency = e.agency AND c.digest = coalesce(
        e.document::jsonb ->> 'calendar_digest', (
            SELECT first.body::jsonb -> 'value' -> 'event' ->> 'calendar_digest'
            FROM event AS first WHERE first.agency = e.agency AND first.cycle = e.cycle
                AND first.person = e.person AND first.segment = e.segment AND first.number = 1
        )
    )
    WHERE e.agency = %(agency)s AND NOT e.ended
        AND split_part(c.snapshot::jsonb ->> 'version', '+', 2) <> wanted.days
"""
FREEZE = f"""
    INSERT INTO operation_item (agency, operation, cycle, person, segment, outcome)
    SELECT e.agency, %(operation)s, e.cycle, e.person, e.segment, 'WAITING' {DIFFERING}
    ON CONFLICT DO NOTHING
"""
WHERE_THEY_ARE = """
    SELECT cycle, person, segment, unit FROM evaluation
    WHERE agency = %s AND (cycle, person, segment) IN (
        SELECT * FROM unnest(%s::text[], %s::text[], %s::int[])
    )
"""


@dataclass(frozen=True, slots=True)
class UnitOfCycle:
    """A unit in which evaluations of a cycle run, with what a calendar of theirs depends on."""

    cycle: CycleId
    policy: str
    policy_version: int
    year: int
    unit: str
    zone: str
    weekdays: list[int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The calendar that evaluations of a unit and a cycle should have."""

    cycle: CycleId
    unit: str
    zone: str
    days: str
    """What tells its days off from others: the last part of its version."""


async def any_runs(connection: Connection, agency: AgencyId) -> bool:
    """Tell whether an evaluation runs."""
    row = await (await connection.execute(RUNS, (agency,))).fetchone()
    return bool(row and row[0])


async def units(connection: Connection, agency: AgencyId) -> list[UnitOfCycle]:
    """Return every unit and cycle in which an evaluation runs."""
    async with connection.cursor(row_factory=args_row(UnitOfCycle)) as cursor:
        return await (await cursor.execute(UNITS, {"agency": agency})).fetchall()


async def freeze(
    connection: Connection, agency: AgencyId, operation: str, wanted: Collection[Wanted]
) -> None:
    """Write the running evaluations with another calendar on an operation's list."""
    values = {**_asked(agency, wanted), "operation": operation}
    await connection.execute(FREEZE.encode(), values)


async def units_of(
    connection: Connection, agency: AgencyId, keys: Sequence[EvaluationKey]
) -> dict[EvaluationKey, str]:
    """Return the unit of each evaluation."""
    parts = [[getattr(key, part) for key in keys] for part in ("cycle", "person", "segment")]
    rows = await (await connection.execute(WHERE_THEY_ARE, (agency, *parts))).fetchall()
    return {
        EvaluationKey(agency=agency, cycle=cycle, person=person, segment=segment): unit
        for cycle, person, segment, unit in rows
    }


def _asked(agency: AgencyId, wanted: Collection[Wanted]) -> dict[str, object]:
    return {
        "agency": agency,
        "cycles": [each.cycle for each in wanted],
        "units": [each.unit for each in wanted],
        "zones": [each.zone for each in wanted],
        "days": [each.days for each in wanted],
    }
