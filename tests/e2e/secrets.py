"""Marked people and marked words, and a look for them in whatever an operator can look at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import psycopg

from tests.e2e.agency import nip

PERSON: Final = "zvxnama"
MAIL: Final = "@sigi.example"
"""Of every address, as the agency is called sigi."""
WORDS: Final = "zvxkata"
PEOPLE: Final = 6
"""As many as the agency has; each has a number of a civil servant."""
MARKS: Final = (PERSON, MAIL, WORDS, *(nip(number) for number in range(1, PEOPLE + 3)))

COLUMNS: Final = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY table_name, column_name
"""


@dataclass(frozen=True, order=True)
class Found:
    """A mark where it was met."""

    where: str
    mark: str


def marks_in(where: str, text: str | bytes) -> Iterator[Found]:
    """Yield every mark that stands there, in plain letters or in hexadecimal digits."""
    low = (text if isinstance(text, str) else text.decode("latin-1")).lower()
    for mark in MARKS:
        if mark in low or mark.encode().hex() in low:
            yield Found(where, mark)


def marks_in_all(parts: Iterable[tuple[str, str | bytes]]) -> set[Found]:
    """Return every mark in every part."""
    return {found for where, text in parts for found in marks_in(where, text)}


async def columns_with_marks(url: str) -> dict[str, set[str]]:
    """Return the marks in each column of each table, read as the superuser."""
    found: dict[str, set[str]] = {}
    async with await psycopg.AsyncConnection.connect(url) as connection:
        columns = await (await connection.execute(COLUMNS)).fetchall()
        for table, column in columns:
            query = f'SELECT "{column}"::text FROM "{table}" WHERE "{column}" IS NOT NULL'
            rows = await (await connection.execute(query.encode())).fetchall()
            for (text,) in rows:
                for each in marks_in(f"{table}.{column}", text):
                    found.setdefault(each.where, set()).add(each.mark)
    return found
