"""Who of an import stands under whom, and what is written of it in the end.

A round of settling sees what was refused before it, and refuses on that ground.
"""

import json
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.roster import PERSON
from siklus.activities.store.queries.staging import STANDS
from siklus.workflows.domain.roster import RowProblem
from siklus.workflows.domain.values import AgencyId


class Waiting(NamedTuple):
    """A row that names a supervisor."""

    place: int
    person: str
    named: str


class Above(NamedTuple):
    """On what a row rests: on the row at a place, or else on somebody whom no row is about."""

    place: int
    above: int | None
    supervisor: str


class Outsider(NamedTuple):
    """Somebody whom no row is about, and on whom they rest."""

    person: str
    supervisor: str
    above: int | None


class Result(NamedTuple):
    """What became of a row."""

    place: int
    row: int
    id: str
    person: str
    outcome: str


WAITING: Final = f"""
    SELECT place, person, named FROM import_person
    WHERE place >= %(start)s AND place < %(stop)s AND {STANDS} AND NOT top ORDER BY place
"""  # noqa: S608 - constants alone
BELOW: Final = f"""
    SELECT import_person.place, import_person.person, named
    FROM import_fallen JOIN import_above ON import_above.supervisor = import_fallen.person
    JOIN import_person ON import_person.place = import_above.place
    WHERE import_fallen.round = %(round)s - 1 AND import_person.place > %(after)s AND {STANDS}
    ORDER BY import_person.place LIMIT %(limit)s
"""  # noqa: S608 - constants alone
PUT_ABOVE: Final = """
    INSERT INTO import_above
    SELECT (row ->> 0)::int, row ->> 1 FROM json_array_elements(%s::json) AS row
    ON CONFLICT (place) DO UPDATE SET supervisor = excluded.supervisor
"""
PUT_FALLEN: Final = """
    INSERT INTO import_fallen
    SELECT place, person, %s FROM import_person WHERE place = ANY(%s)
"""
ABOVE: Final = f"""
    SELECT import_person.place, above.place,
        CASE WHEN above.place IS NULL THEN supervisor ELSE '' END
    FROM import_person JOIN import_above USING (place) LEFT JOIN LATERAL (
        SELECT place FROM import_person WHERE person = supervisor AND {STANDS}
    ) AS above ON true
    WHERE import_person.place >= %(start)s AND import_person.place < %(stop)s AND {STANDS}
"""  # noqa: S608 - constants alone
# UNION, not UNION ALL: a line that loops is walked once.
OUTSIDE: Final = f"""
    WITH RECURSIVE standing AS MATERIALIZED (
        SELECT place, person FROM import_person WHERE {STANDS}
    ), up AS (
        SELECT person, supervisor FROM person WHERE agency = %(agency)s AND person = ANY(%(who)s)
        UNION
        SELECT above.person, above.supervisor FROM up
        JOIN person AS above ON above.agency = %(agency)s AND above.person = up.supervisor
        WHERE NOT EXISTS (SELECT FROM standing WHERE standing.person = up.supervisor)
    )
    SELECT up.person, up.supervisor, place
    FROM up LEFT JOIN standing ON standing.person = up.supervisor
    WHERE up.supervisor IS NOT NULL
"""  # noqa: S608 - constants alone
_OUTCOME: Final = """
    CASE WHEN NOT accepted OR import_fallen.place IS NOT NULL THEN 'REFUSED'
        WHEN fresh THEN 'CREATED'
        WHEN same AND import_above.supervisor IS NOT DISTINCT FROM before_under THEN 'UNCHANGED'
        ELSE 'CHANGED' END
"""
_DECIDED: Final = """
    import_person LEFT JOIN import_fallen USING (place) LEFT JOIN import_above USING (place)
"""
WRITE: Final = f"""
    INSERT INTO person (agency, {PERSON})
    SELECT %(agency)s, import_person.person, nip, name, email, unit, position,
        import_above.supervisor, top, language, joined_on, ref, true
    FROM {_DECIDED}
    WHERE import_person.place >= %(start)s AND import_person.place < %(stop)s
        AND {_OUTCOME} IN ('CREATED', 'CHANGED')
    ON CONFLICT (agency, person) DO UPDATE SET nip = excluded.nip, name = excluded.name,
        email = excluded.email, unit = excluded.unit, position = excluded.position,
        supervisor = excluded.supervisor, top = excluded.top, language = excluded.language,
        joined_on = excluded.joined_on, ref = excluded.ref, active = excluded.active
"""  # noqa: S608 - constants alone
RESULTS: Final = f"""
    SELECT place, row, id, import_person.person, {_OUTCOME} FROM {_DECIDED}
    WHERE place >= %s AND place < %s ORDER BY place
"""  # noqa: S608 - constants alone
PROBLEMS: Final = """
    SELECT place, field, code, message FROM import_problem
    WHERE place >= %s AND place < %s ORDER BY place, nth
"""


async def waiting(connection: Connection, places: range, *, round_: int) -> list[Waiting]:
    """Return the rows of these places that stand and name a supervisor."""
    values = {"start": places.start, "stop": places.stop, "round": round_}
    rows = await (await connection.execute(WAITING.encode(), values)).fetchall()
    return [Waiting(*row) for row in rows]


async def below(connection: Connection, *, round_: int, after: int, limit: int) -> list[Waiting]:
    """Return the next rows that stand, and rested on what the round before refused."""
    values = {"round": round_, "after": after, "limit": limit}
    rows = await (await connection.execute(BELOW.encode(), values)).fetchall()
    return [Waiting(*row) for row in rows]


async def put_above(connection: Connection, found: Sequence[tuple[int, str]]) -> None:
    """Note on whom rows rest."""
    await connection.execute(PUT_ABOVE, (json.dumps(found),))


async def put_fallen(connection: Connection, places: Sequence[int], *, round_: int) -> None:
    """Note that rows were refused in this round."""
    await connection.execute(PUT_FALLEN, (round_, list(places)))


async def above(connection: Connection, places: range, *, round_: int) -> list[Above]:
    """Return of the rows of these places that stand and rest on somebody, on whom."""
    values = {"start": places.start, "stop": places.stop, "round": round_}
    rows = await (await connection.execute(ABOVE.encode(), values)).fetchall()
    return [Above(*row) for row in rows]


async def outsiders(
    connection: Connection, agency: AgencyId, who: Collection[str], *, round_: int
) -> list[Outsider]:
    """Return on whom people rest whom no row is about, and so on up to somebody in a row."""
    values = {"agency": agency, "who": list(who), "round": round_}
    rows = await (await connection.execute(OUTSIDE.encode(), values)).fetchall()
    return [Outsider(*row) for row in rows]


async def write(connection: Connection, agency: AgencyId, places: range) -> None:
    """Put what is new or changed in these places on the roster."""
    values = {"agency": agency, "start": places.start, "stop": places.stop}
    await connection.execute(WRITE.encode(), values)


async def results(connection: Connection, places: range) -> list[Result]:
    """Return what became of the rows of these places, in their order."""
    rows = await connection.execute(RESULTS.encode(), (places.start, places.stop))
    return [Result(*row) for row in await rows.fetchall()]


async def problems(connection: Connection, places: range) -> list[tuple[int, RowProblem]]:
    """Return why rows of these places were refused, each with its place, in their order."""
    found = await connection.execute(PROBLEMS, (places.start, places.stop))
    return [
        (place, RowProblem(field=field, code=code, message=message))
        for place, field, code, message in await found.fetchall()
    ]
