"""The one-shot jobs and the health check of the deployment, run against real servers."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import grpc
import psycopg
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from siklus.activities.store import migrate
from siklus.services.local import postgres_files
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.temporal import LocalTemporal
from siklus.services.tls import ServerTls, TlsFiles
from siklus.workflows import names

DEPLOY = Path(__file__).parents[2] / "deploy"
BIN = Path(sys.executable).parent
ROLES = ("siklus_owner", "siklus_app", "siklus_feed", "temporal")
PASSWORDS = {
    "OWNER_PASSWORD": "owner-1",
    "APP_PASSWORD": "app-2",
    "FEED_PASSWORD": "feed-3",
    "TEMPORAL_PASSWORD": "temporal-4",
}


async def run(
    *command: str | Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [*command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


async def create_roles(
    server: LocalPostgres, passwords: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    psql = postgres_files.programs(Path(), None) / "psql"
    url = server.url("postgres", "postgres")
    return await run(psql, url, "-X", "-f", DEPLOY / "postgres/roles.sql", environment=passwords)


async def ask(url: str, query: str) -> tuple[object, ...] | None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await (await connection.execute(query.encode())).fetchone()


async def test_the_roles_carry_the_migrations_and_no_more() -> None:
    async with LocalPostgres(fsync=False) as server:
        administrator = server.url("postgres", "postgres")
        async with await psycopg.AsyncConnection.connect(
            administrator, autocommit=True
        ) as connection:
            # What the embedded server brings along must be made by the script here.
            await connection.execute("DROP DATABASE siklus")
            await connection.execute("DROP ROLE siklus_owner, siklus_app, siklus_feed")

        for _ in range(2):
            done = await create_roles(server, PASSWORDS)
            assert done.returncode == 0, done.stderr

        def url(role: str, database: str = "siklus") -> str:
            password = PASSWORDS[f"{role.removeprefix('siklus_').upper()}_PASSWORD"]
            return f"postgresql://{role}:{password}@127.0.0.1:{server.port}/{database}"

        await asyncio.to_thread(migrate.upgrade, url("siklus_owner"))
        assert await ask(url("siklus_app"), "SELECT count(*) FROM event") == (0,)
        assert await ask(url("siklus_feed"), "SELECT count(*) FROM feed") == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await ask(url("siklus_feed"), "SELECT count(*) FROM event")
        for database in ("temporal", "temporal_visibility"):
            async with await psycopg.AsyncConnection.connect(url("temporal", database)) as own:
                await own.execute("CREATE TABLE of_its_own (id int)")
            # Temporal's schema also creates btree_gin, which this server lacks; a trusted
            # extension asks for no more than the right to create in the database.
            query = "SELECT has_database_privilege(current_database(), 'CREATE')"
            assert await ask(url("temporal", database), query) == (True,)
        for role, database in (("temporal", "siklus"), ("siklus_app", "temporal")):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                await ask(url(role, database), "SELECT 1")
        for role in ROLES:
            query = (
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
                f" FROM pg_roles WHERE rolname = '{role}'"
            )
            assert await ask(administrator, query) == (False, False, False, False)


async def test_a_missing_password_is_no_empty_password(postgres: LocalPostgres) -> None:
    for passwords in ({**PASSWORDS, "FEED_PASSWORD": ""}, {"OWNER_PASSWORD": "alone"}):
        done = await create_roles(postgres, passwords)

        assert done.returncode != 0
        assert "role" not in done.stdout.lower()


async def test_the_namespace_job_registers_what_workflows_set(
    temporal_server: LocalTemporal,
) -> None:
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "TEMPORAL_ADDRESS": temporal_server.address,
        "TEMPORAL_NAMESPACE": "deployed",
        "RETENTION": "720h",
        "TRIES": "10",
    }

    for _ in range(2):
        done = await run("sh", DEPLOY / "temporal/namespace.sh", environment=environment)
        assert done.returncode == 0, done.stderr

    listed = await run(
        BIN / "temporal", *["operator", "search-attribute", "list"], environment=environment
    )
    registered = set(re.findall(r"^\s*(Siklus\w+)\s+Keyword\s*$", listed.stdout, re.M))
    assert registered == {key.name for key in names.SEARCH_ATTRIBUTES}
    described = await run(
        BIN / "temporal", *["operator", "namespace", "describe"], environment=environment
    )
    assert "720h" in described.stdout


async def test_the_namespace_job_gives_up_with_a_reason() -> None:
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "TEMPORAL_NAMESPACE": "deployed",
        "RETENTION": "720h",
        "TRIES": "1",
    }

    done = await run("sh", DEPLOY / "temporal/namespace.sh", environment=environment)

    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr


async def test_the_health_check_tells_a_server_that_serves_from_one_that_does_not() -> None:
    server = grpc.aio.server()
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    environment = {"SIKLUS_GRPC_PORT": str(server.add_insecure_port("127.0.0.1:0"))}
    await server.start()

    async def exit_code() -> int:
        done = await run(sys.executable, DEPLOY / "healthcheck.py", environment=environment)
        return done.returncode

    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    serving = await exit_code()
    await servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    draining = await exit_code()
    await server.stop(0)

    assert (serving, draining, await exit_code()) == (0, 1, 1)


@pytest.mark.parametrize("mutual", [False, True], ids=["TLS", "mutual TLS"])
async def test_the_health_check_speaks_tls_where_the_server_does(
    tmp_path: Path, mutual: bool
) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("api.siklus.palu.example")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    authority.cert_pem.write_to_path(tmp_path / "clients.pem")
    files = TlsFiles(
        tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "clients.pem" if mutual else None
    )
    server = grpc.aio.server()
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_secure_port("127.0.0.1:0", ServerTls(files).credentials())
    await server.start()
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    environment = {
        "SIKLUS_GRPC_PORT": str(port),
        "SIKLUS_TLS_CERTIFICATE": str(files.certificate),
        "SIKLUS_TLS_KEY": str(files.key),
    }

    speaking = await run(sys.executable, DEPLOY / "healthcheck.py", environment=environment)
    del environment["SIKLUS_TLS_KEY"]
    plain = await run(sys.executable, DEPLOY / "healthcheck.py", environment=environment)
    await server.stop(0)

    assert (speaking.returncode, plain.returncode) == (0, 1)
