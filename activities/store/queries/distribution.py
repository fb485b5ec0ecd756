"""How the ratings of a unit are spread, and what its organisation was rated."""

from dataclasses import dataclass

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.lines import HIGHEST, UNITS_UP
from siklus.workflows.domain.scheme.distribution import Organisation
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, Predicate

LEFT_OUT = ["EXCLUDED", "CANCELLED", "SEGMENT_CLOSED", "INTERIM_RATING"]
"""Stages of evaluations that have no rating of the year, and are of no group."""

ORGANISATION = f"""
    {UNITS_UP}
    SELECT said.predicate FROM organisation_rating AS said LEFT JOIN up ON up.code = said.unit
    WHERE said.agency = %(agency)s AND said.cycle = %(cycle)s
        AND (said.unit = '' OR up.code IS NOT NULL)
    ORDER BY up.level NULLS LAST, said.number DESC LIMIT 1
"""  # noqa: S608 - constants alone
PLACE = """
    SELECT unit, policy, policy_version FROM evaluation
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s
        AND EXISTS (SELECT FROM organisation_rating AS said
            WHERE said.agency = evaluation.agency AND said.cycle = evaluation.cycle)
"""
COUNTS = """
    SELECT predicate, count(*) FROM evaluation
    WHERE agency = %(agency)s AND cycle = %(cycle)s AND unit = %(unit)s
        AND stage <> ALL (%(left_out)s)
        AND (%(person)s::text IS NULL OR (person, segment) <> (%(person)s, %(segment)s))
    GROUP BY predicate
"""
PREDICATE = """
    SELECT predicate FROM evaluation
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an evaluation is counted, and by which policy."""

    unit: str
    policy: str
    policy_version: int


async def place(connection: Connection, key: EvaluationKey) -> Place | None:
    """Return where an evaluation is counted; None where nothing was said of any organisation."""
    parts = (key.agency, key.cycle, key.person, key.segment)
    async with connection.cursor(row_factory=args_row(Place)) as cursor:
        return await (await cursor.execute(PLACE, parts)).fetchone()


async def organisation(
    connection: Connection, agency: AgencyId, cycle: CycleId, unit: str
) -> Organisation | None:
    """Return what the unit's organisation was rated: its own, or the nearest above it."""
    values = {"agency": agency, "cycle": cycle, "unit": unit, "highest": HIGHEST}
    row = await (await connection.execute(ORGANISATION, values)).fetchone()
    return Organisation(row[0]) if row else None


async def counts(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    unit: str,
    *,
    but: EvaluationKey | None = None,
) -> tuple[dict[Predicate, int], int]:
    """Return how many of a unit hold which predicate, and how many none; one may be left out."""
    values = {
        "agency": agency,
        "cycle": cycle,
        "unit": unit,
        "left_out": LEFT_OUT,
        "person": but.person if but else None,
        "segment": but.segment if but else 0,
    }
    found: dict[str | None, int] = dict(await (await connection.execute(COUNTS, values)).fetchall())
    unrated = found.pop(None, 0)
    held = {Predicate(name): count for name, count in found.items() if name is not None}
    return held, unrated


async def predicate(connection: Connection, key: EvaluationKey) -> str | None:
    """Return the predicate that stands for an evaluation, None before it is rated."""
    parts = (key.agency, key.cycle, key.person, key.segment)
    row = await (await connection.execute(PREDICATE, parts)).fetchone()
    return str(row[0]) if row and row[0] is not None else None
