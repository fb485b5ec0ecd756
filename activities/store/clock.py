"""The database's clock, to be compared with one's own; never a rule's."""

from datetime import datetime

import psycopg

CONNECT_SECONDS = 5


def now(url: str) -> datetime:
    """Return the instant by the clock of the database's machine; raises psycopg.Error."""
    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - it has one row
    at: datetime = row[0]
    return at
