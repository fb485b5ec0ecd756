"""The three roles and the one database of Siklus, with passwords kept beside the data."""

import json
import os
import secrets
from pathlib import Path

import psycopg
from psycopg import sql

DATABASE = "siklus"
SUPERUSER = "postgres"
OWNER = "siklus_owner"
APP = "siklus_app"
FEED = "siklus_feed"


def passwords(file: Path) -> dict[str, str]:
    """Return the password of every role; made on first use in a file only we may read."""
    if file.exists():
        kept: dict[str, str] = json.loads(file.read_text())
        return kept
    made = {role: secrets.token_hex(24) for role in (SUPERUSER, OWNER, APP, FEED)}
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        json.dump(made, written)
    new.rename(file)
    return made


async def establish(superuser: psycopg.AsyncConnection, passwords: dict[str, str]) -> None:
    """Create what is missing of the roles and the database; safe to repeat.

    `superuser` must be in autocommit mode. No role is superuser, and none bypasses
    row-level security, so what works here works with the roles of a production server.
    """
    present = await _names(superuser, "SELECT rolname FROM pg_roles")
    for role in (OWNER, APP, FEED):
        if role not in present:
            await superuser.execute(
                sql.SQL(
                    "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
                    " PASSWORD {}"
                ).format(sql.Identifier(role), sql.Literal(passwords[role]))
            )
    if DATABASE in await _names(superuser, "SELECT datname FROM pg_database"):
        return
    await superuser.execute(
        sql.SQL("CREATE DATABASE {} OWNER {}").format(
            sql.Identifier(DATABASE), sql.Identifier(OWNER)
        )
    )


async def _names(connection: psycopg.AsyncConnection, query: str) -> set[str]:
    rows = await (await connection.execute(query.encode())).fetchall()
    return {name for (name,) in rows}
