"""The embedded PostgreSQL: its roles, its manners, and what survives kill -9."""

import os
import shutil
import stat
from pathlib import Path

import psycopg
import pytest

from siklus.services.local import postgres_files
from siklus.services.local.postgres import DataInUseError, LocalPostgres
from siklus.services.local.processes import LocalServerError, PortTakenError
from tests.local.killing import folder_anyone_may_enter, gone, start_and_kill_the_parent


async def fetch(url: str, query: str) -> tuple[object, ...]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute(query.encode())).fetchone()
    assert row is not None
    return row


async def test_is_version_18_in_utf8(postgres: LocalPostgres) -> None:
    version, encoding = await fetch(
        postgres.app_url,
        "SELECT current_setting('server_version'), current_setting('server_encoding')",
    )

    assert str(version).startswith("18.")
    assert encoding == "UTF8"


@pytest.mark.parametrize("role", ["siklus_owner", "siklus_app", "siklus_feed"])
async def test_no_role_passes_row_level_security(postgres: LocalPostgres, role: str) -> None:
    query = (
        "SELECT current_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
        " FROM pg_roles WHERE rolname = current_user"
    )

    assert await fetch(postgres.url(role), query) == (role, False, False, False, False)


async def test_the_owner_owns_the_database_and_the_app_creates_nothing(
    postgres: LocalPostgres,
) -> None:
    query = "SELECT has_schema_privilege('public', 'CREATE')"

    assert await fetch(postgres.owner_url, query) == (True,)
    assert await fetch(postgres.app_url, query) == (False,)
    assert await fetch(postgres.feed_url, query) == (False,)


async def test_a_wrong_password_is_refused(postgres: LocalPostgres) -> None:
    url = f"postgresql://siklus_app:guess@127.0.0.1:{postgres.port}/siklus"

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await psycopg.AsyncConnection.connect(url)


async def test_keeps_its_rows_and_passwords_between_runs() -> None:
    with folder_anyone_may_enter() as folder:
        data = folder / "postgres"
        async with (
            LocalPostgres(data, fsync=False) as first,
            await psycopg.AsyncConnection.connect(first.owner_url) as connection,
        ):
            await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert stat.S_IMODE((data / "passwords.json").stat().st_mode) == 0o600

        async with LocalPostgres(data, fsync=False) as second:
            assert await fetch(second.owner_url, "SELECT answer FROM kept") == (42,)


async def test_a_taken_port_is_said(postgres: LocalPostgres) -> None:
    with pytest.raises(PortTakenError, match=f"port {postgres.port} .* is taken"):
        await LocalPostgres(port=postgres.port, fsync=False).start()


async def test_two_processes_never_share_the_files() -> None:
    with folder_anyone_may_enter() as folder:
        async with LocalPostgres(folder / "p", fsync=False):
            with pytest.raises(DataInUseError):
                await LocalPostgres(folder / "p").start()


async def test_a_lost_password_file_is_an_error_and_not_a_wait() -> None:
    with folder_anyone_may_enter() as folder:
        async with LocalPostgres(folder / "p", fsync=False):
            pass
        (folder / "p" / "passwords.json").unlink()

        with pytest.raises(LocalServerError, match="does not let us in"):
            await LocalPostgres(folder / "p", fsync=False).start()


async def test_dies_with_a_killed_parent_and_starts_again() -> None:
    with folder_anyone_may_enter() as folder:
        server = await start_and_kill_the_parent("postgres", folder)

        # At once, while the old server may still be shutting down.
        async with LocalPostgres(folder / "postgres", fsync=False) as again:
            assert await fetch(again.app_url, "SELECT 1") == (1,)
            assert await gone(server)


async def test_a_pid_file_with_the_number_of_another_program_does_not_block() -> None:
    with folder_anyone_may_enter() as folder:
        data = folder / "postgres"
        async with LocalPostgres(data, fsync=False):
            pid_file = (data / "server" / "cluster" / "postmaster.pid").resolve()
            left_behind = pid_file.read_text().split("\n", 1)[1]
        pid_file.write_text(f"{os.getppid()}\n{left_behind}")

        async with LocalPostgres(data, fsync=False) as again:
            assert await fetch(again.app_url, "SELECT 1") == (1,)


async def test_initialisation_that_was_cut_short_is_begun_anew() -> None:
    with folder_anyone_may_enter() as folder:
        unfinished = folder / "postgres" / "server" / "cluster.unfinished"
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("18\n")

        async with LocalPostgres(folder / "postgres", fsync=False) as server:
            assert await fetch(server.app_url, "SELECT 1") == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its programs to nobody")
async def test_root_in_a_closed_folder_lends_nobody_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    elsewhere = Path("/var/tmp") / f"siklus-test-{os.getpid()}"
    monkeypatch.setattr(postgres_files, "ELSEWHERE", elsewhere)
    monkeypatch.setattr(postgres_files, "may", lambda user, test, path: False)

    async with LocalPostgres(closed / "postgres", fsync=False) as server:
        assert await fetch(server.app_url, "SELECT 1") == (1,)
        assert (closed / "postgres" / "server").resolve().parent == elsewhere
        assert list(elsewhere.glob("*/programs-*"))

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    shutil.rmtree(elsewhere)
