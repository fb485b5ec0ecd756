"""What followed from final results, and the plans that it opened."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from psycopg import AsyncServerCursor
from psycopg.rows import TupleRow, args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.outcomes.judging import EarlierYear
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId, Predicate

PAGE: Final = 200

RESULTS: Final = """
    SELECT DISTINCT ON (e.person, c.year) e.person, c.year, e.predicate FROM evaluation AS e
    JOIN cycle AS c ON c.agency = e.agency AND c.cycle = e.cycle
    WHERE e.agency = %s AND e.person = ANY(%s) AND e.stage = 'COMPLETED'
        AND e.predicate IS NOT NULL
    ORDER BY e.person, c.year, e.segment DESC, e.cycle
"""
ADD: Final = """
    INSERT INTO outcome (agency, cycle, person, segment, revision, code, kind, unit, document,
        drawn_at)
    SELECT %s, %s, %s, %s, %s, new.code, new.kind, %s, new.document, %s
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS new (code, kind, document)
    ON CONFLICT DO NOTHING
"""
# What was drawn from a result that was reopened since has another number than the evaluation.
# Of one that is completed the next number can only be a request for a reopening, which waits.
STANDING: Final = """
    SELECT DISTINCT ON (o.person, o.segment, o.code)
        o.cycle, o.person, o.segment, o.code, o.kind, o.unit, o.revision, o.document,
        o.drawn_at, i.state
    FROM outcome AS o
    JOIN evaluation AS e ON e.agency = o.agency AND e.cycle = o.cycle AND e.person = o.person
        AND e.segment = o.segment AND e.stage = 'COMPLETED'
        AND o.revision IN (e.revision, e.revision - 1)
    LEFT JOIN improvement_plan AS i ON i.agency = o.agency AND i.cycle = o.cycle
        AND i.person = o.person AND i.segment = o.segment AND i.code = o.code
    WHERE o.agency = %(agency)s AND o.cycle = %(cycle)s
"""
OF_ONE: Final = " AND o.person = %(person)s AND o.segment = %(segment)s"
ORDER: Final = " ORDER BY o.person, o.segment, o.code, o.revision DESC"
LIST: Final = f"""
    {STANDING} {{of_one}}
        AND (%(kind)s::text IS NULL OR o.kind = %(kind)s)
        AND (%(unit)s::text IS NULL OR o.unit = %(unit)s)
        AND (o.person, o.segment, o.code)
            > (%(after_person)s, %(after_segment)s::int, %(after_code)s)
    {ORDER} LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """Something that follows from a result that stands; `document` says what and why."""

    cycle: CycleId
    person: PersonId
    segment: int
    code: str
    kind: str
    unit: str
    revision: int
    document: str
    drawn_at: datetime
    plan_state: str | None


class New(NamedTuple):
    """Something to write down."""

    code: str
    kind: str
    document: str


class Place(NamedTuple):
    """A row of a list, to go on after."""

    person: str
    segment: int
    code: str


FIRST: Final = Place("", 0, "")


async def results(
    connection: Connection, agency: AgencyId, people: Collection[str]
) -> dict[str, dict[int, Predicate]]:
    """Return how the years of these people ended, as it stands now."""
    found: dict[str, dict[int, Predicate]] = {person: {} for person in people}
    if people:
        cursor = await connection.execute(RESULTS, (agency, list(people)))
        for person, year, had in await cursor.fetchall():
            found[person][year] = Predicate(had)
    return found


async def earlier(
    connection: Connection, agency: AgencyId, person: PersonId, *, before: int
) -> tuple[EarlierYear, ...]:
    """Return how the earlier years of a person ended, the latest first."""
    ended = (await results(connection, agency, {person}))[person]
    years = sorted((year for year in ended if year < before), reverse=True)
    return tuple(EarlierYear(year=year, predicate=ended[year]) for year in years)


async def add(
    connection: Connection,
    key: EvaluationKey,
    new: Sequence[New],
    *,
    revision: int,
    unit: str,
    at: datetime,
) -> None:
    """Write down what follows from the result at that revision; a second time changes nothing."""
    columns = [[getattr(each, name) for each in new] for name in New._fields]
    await connection.execute(ADD, (*key_parts(key), revision, unit, at, *columns))


async def page(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    *,
    of: EvaluationKey | None,
    kind: str | None,
    unit: str | None,
    after: Place,
    limit: int,
) -> list[OutcomeRow]:
    """Return the next outcomes that stand, in the order of person, segment and code."""
    values = {
        "agency": agency,
        "cycle": cycle,
        "person": of.person if of else None,
        "segment": of.segment if of else None,
        "kind": kind,
        "unit": unit,
        **{f"after_{name}": part for name, part in after._asdict().items()},
        "limit": limit,
    }
    query = LIST.format(of_one=OF_ONE if of else "")
    async with connection.cursor(row_factory=args_row(OutcomeRow)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()


class Listed:
    """The open list of a cycle; it ends with the transaction."""

    def __init__(self, cursor: AsyncServerCursor[TupleRow]) -> None:
        self._cursor = cursor

    async def next(self) -> list[OutcomeRow]:
        """Return the next rows, none at the end."""
        return [OutcomeRow(*row) for row in await self._cursor.fetchmany(PAGE)]


async def begin(connection: Connection, agency: AgencyId, cycle: CycleId) -> Listed:
    """Open the list of all that follows in a cycle; it needs an open transaction."""
    cursor = connection.cursor("exported_outcomes")
    values = {"agency": agency, "cycle": cycle}
    return Listed(await cursor.execute(f"{STANDING} {ORDER}".encode(), values))


async def titles(connection: Connection, key: EvaluationKey, code: str) -> str | None:
    """Return the document of the outcome that opened a plan, the latest of that code."""
    query = """
        SELECT document FROM outcome
        WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s AND code = %s
        ORDER BY revision DESC LIMIT 1
    """
    row = await (await connection.execute(query, (*key_parts(key), code))).fetchone()
    return str(row[0]) if row else None
