"""The rows of an import while it is decided: in temporary tables of a connection of its own.

Nothing of it is seen by anybody else, and all of it goes with the connection. `place` is a row's
place among the people of the import, from 0; `row` is its number as its writer counts.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg.rows import class_row, kwargs_row

from siklus.activities.store.pool import BECOME, Connection
from siklus.activities.store.queries.roster import PERSON
from siklus.workflows.domain.roster import RowProblem
from siklus.workflows.domain.roster_people import Directory, Person
from siklus.workflows.domain.values import AgencyId

# Nobody gathers statistics of temporary tables while they fill, and every question asked of them
# here is one for an index.
SETTINGS: Final = """
    SET temp_buffers = '64MB';
    SET enable_seqscan = off;
    SET jit = off
"""
TABLES: Final = """
    CREATE TEMP TABLE import_row (
        place integer PRIMARY KEY, row integer NOT NULL, written bytea NOT NULL);
    CREATE TEMP TABLE import_person (
        place integer PRIMARY KEY, row integer NOT NULL, id text NOT NULL,
        person text NOT NULL, nip text NOT NULL, name text NOT NULL, email text NOT NULL,
        unit text NOT NULL, position text NOT NULL, top boolean NOT NULL, language text NOT NULL,
        joined_on date, ref text, named text NOT NULL, accepted boolean NOT NULL,
        fresh boolean NOT NULL, same boolean NOT NULL, before_under text);
    CREATE INDEX ON import_person (person);
    CREATE INDEX ON import_person (nip);
    CREATE INDEX ON import_person (ref);
    CREATE TEMP TABLE import_key (
        name text, key text, row integer NOT NULL, PRIMARY KEY (key, name));
    CREATE TEMP TABLE import_problem (
        place integer, nth integer, field text NOT NULL, code text NOT NULL, message text NOT NULL,
        PRIMARY KEY (place, nth));
    CREATE TEMP TABLE import_above (place integer PRIMARY KEY, supervisor text NOT NULL);
    CREATE INDEX ON import_above (supervisor);
    CREATE TEMP TABLE import_fallen (
        place integer PRIMARY KEY, person text NOT NULL, round integer NOT NULL);
    CREATE INDEX ON import_fallen (round)
"""
FORGET: Final = """
    TRUNCATE import_person, import_key, import_problem, import_above, import_fallen
"""
ANALYZE: Final = "ANALYZE import_person, import_above, import_fallen"
STAGE: Final = "COPY import_row (place, row, written) FROM STDIN"
WRITTEN: Final = """
    SELECT row, written FROM import_row WHERE place >= %s AND place < %s ORDER BY place
"""
FIRST: Final = """
    SELECT name, key, row FROM import_key
    WHERE key = ANY(ARRAY(SELECT json_array_elements_text(%s::json)))
"""
PUT_KEYS: Final = """
    INSERT INTO import_key
    SELECT row ->> 0, row ->> 1, (row ->> 2)::int FROM json_array_elements(%s::json) AS row
    ON CONFLICT DO NOTHING
"""
_READ_COLUMNS: Final = """place, row, id, person, nip, name, email, unit, position, top, language,
    joined_on, ref, named, accepted, fresh, same, before_under"""
PUT_READ: Final = f"COPY import_person ({_READ_COLUMNS}) FROM STDIN"
PUT_PROBLEMS: Final = """
    INSERT INTO import_problem
    SELECT (row ->> 0)::int, (row ->> 1)::int, row ->> 2, row ->> 3, row ->> 4
    FROM json_array_elements(%s::json) AS row
"""
# As JSON: the driver takes longer to write a list than the server to use it.
_LISTED: Final = "ARRAY(SELECT json_array_elements_text(%({})s::json))"
_KEYS: Final = _LISTED.format("keys")
ABOUT: Final = f"""
    SELECT {PERSON} FROM person WHERE agency = %(agency)s
        AND (person = ANY({_KEYS}) OR nip = ANY({_KEYS}) OR ref = ANY({_KEYS}))
"""  # noqa: S608 - constants alone
STANDS: Final = """accepted AND NOT EXISTS (SELECT FROM import_fallen AS gone
    WHERE gone.place = import_person.place AND gone.round < %(round)s)"""
"""Of a row: it was not refused before this round of settling."""
_AS_PERSON: Final = """
    person, nip, name, email, unit, position, NULL AS supervisor, top, language, joined_on, ref,
    true AS active
"""
STANDING: Final = f"""
    SELECT {_AS_PERSON} FROM import_person
    WHERE {STANDS} AND (person = ANY({_LISTED.format("people")})
        OR nip = ANY({_KEYS}) OR ref = ANY({_KEYS}))
    ORDER BY place
"""  # noqa: S608 - constants alone
SPOKEN_OF: Final = f"""
    SELECT {_AS_PERSON} FROM import_person
    WHERE person = ANY({_KEYS}) OR nip = ANY({_KEYS}) OR ref = ANY({_KEYS}) ORDER BY place
"""  # noqa: S608 - constants alone


@dataclass(frozen=True, slots=True)
class Staged:
    """One row as it was sent."""

    row: int
    written: bytes


async def prepare(connection: Connection, agency: AgencyId, *, seconds: float) -> None:
    """Make the connection the agency's, with empty tables; no statement takes longer than that."""
    await connection.execute(BECOME, (agency, f"{seconds * 1000:.0f}"))
    await connection.execute(SETTINGS.encode())
    await connection.execute(TABLES.encode())


async def stage(connection: Connection, first: int, rows: Iterable[tuple[int, bytes]]) -> None:
    """Keep the next rows as they were sent: number and bytes; `first` is the place of the first."""
    async with connection.cursor() as cursor, cursor.copy(STAGE) as copy:
        for place, (row, written) in enumerate(rows, start=first):
            await copy.write_row((place, row, written))


async def staged(connection: Connection, places: range) -> list[Staged]:
    """Return the rows of these places as they were sent."""
    async with connection.cursor(row_factory=class_row(Staged)) as cursor:
        return await (await cursor.execute(WRITTEN, (places.start, places.stop))).fetchall()


async def forget(connection: Connection) -> None:
    """Forget what was decided, and nothing of what was sent."""
    await connection.execute(FORGET)


async def analyze(connection: Connection) -> None:
    """Let the server see how large the tables have become; nobody does that for temporary ones."""
    await connection.execute(ANALYZE)


async def about(connection: Connection, agency: AgencyId, keys: Collection[str]) -> Directory:
    """Return everybody on the roster who has one of the keys as id, NIP or ref."""
    return Directory(
        await _people(connection, ABOUT, {"agency": agency, "keys": json.dumps(list(keys))})
    )


async def first_rows(
    connection: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return the keys that earlier rows have, with the numbers of these rows."""
    written = {(name, _as_text(key)): (name, key) for name, key in keys}
    asked = json.dumps(list({key for _, key in written}))
    found = await (await connection.execute(FIRST, (asked,))).fetchall()
    return {written[name, key]: row for name, key, row in found if (name, key) in written}


async def put_keys(connection: Connection, keys: dict[tuple[str, str], int]) -> None:
    """Note the keys of rows; those that are noted already stay as they are."""
    rows = [(name, _as_text(key), row) for (name, key), row in keys.items()]
    await connection.execute(PUT_KEYS, (json.dumps(rows),))


async def put_read(connection: Connection, rows: Iterable[Sequence[object]]) -> None:
    """Keep what rows say: the columns of `import_person` in their order."""
    async with connection.cursor() as cursor, cursor.copy(PUT_READ) as copy:
        for row in rows:
            await copy.write_row(row)


async def put_problems(
    connection: Connection, problems: Iterable[tuple[int, int, RowProblem]]
) -> None:
    """Keep why rows are refused: place, which problem of the row, and the problem."""
    rows = [(place, nth, p.field, p.code, p.message) for place, nth, p in problems]
    if rows:
        await connection.execute(PUT_PROBLEMS, (json.dumps(rows),))


async def everybody(
    connection: Connection, agency: AgencyId, keys: Collection[str], *, round_: int
) -> Directory:
    """Return who has one of the keys while all that stood before the round is thought applied."""
    known = await _people(connection, ABOUT, {"agency": agency, "keys": json.dumps(list(keys))})
    people = {*keys, *(person.person for person in known)}
    values = {
        "keys": json.dumps(list(keys)),
        "people": json.dumps(list(people)),
        "round": round_,
    }
    return Directory([*known, *await _people(connection, STANDING, values)])


async def spoken_of(connection: Connection, keys: Collection[str]) -> Directory:
    """Return who has one of the keys by any row, refused ones too."""
    return Directory(await _people(connection, SPOKEN_OF, {"keys": json.dumps(list(keys))}))


async def _people(connection: Connection, query: str, values: dict[str, object]) -> list[Person]:
    async with connection.cursor(row_factory=kwargs_row(Person)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()


def _as_text(key: str) -> str:
    """Return a key so that the store takes it: no text there has a NUL."""
    return key.replace("\\", "\\\\").replace("\x00", "\\0")
