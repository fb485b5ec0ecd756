"""Bringing a database to a version of the schema: a command, never part of a server's start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from siklus.activities.store.tables import METADATA

SCRIPTS = Path(__file__).with_name("migrations")
VERSION_TABLE = "schema_version"
LOCK = 0x51_4B_4C_55_53
"""Of PostgreSQL's advisory locks: one migration at a time."""


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Migrate up; a second process that starts meanwhile waits and then finds nothing to do.

    Raises `RoleNotReady` with a message for the operator when the database lacks the roles.
    """
    with _locked(owner_url) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(owner_url: str, revision: str) -> None:
    """Migrate down; `base` drops everything."""
    with _locked(owner_url) as connection:
        command.downgrade(_config(connection), revision)


def current(owner_url: str) -> str | None:
    """Return the schema's version, None for a database without one."""
    with _connected(owner_url) as connection:
        return _context(connection).get_current_revision()


def newest() -> str | None:
    """Return the version that this program expects."""
    return ScriptDirectory(str(SCRIPTS)).get_current_head()


def differences(owner_url: str) -> list[object]:
    """Return what the database has otherwise than the table definitions; empty when equal."""
    with _connected(owner_url) as connection:
        return list(compare_metadata(_context(connection), METADATA))


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(
        connection,
        opts={
            "version_table": VERSION_TABLE,
            "compare_type": True,
            "compare_server_default": True,
        },
    )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(owner_url: str) -> Iterator[Connection]:
    engine = create_engine(
        make_url(owner_url).set(drivername="postgresql+psycopg"), poolclass=NullPool
    )
    with engine.connect() as connection:
        yield connection


@contextmanager
def _locked(owner_url: str) -> Iterator[Connection]:
    with _connected(owner_url) as connection, connection.begin():
        # Held to the transaction's end; the whole migration is that one transaction.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        yield connection
