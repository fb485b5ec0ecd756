"""`siklus migrate`, `serve` and `worker` as an installation runs them, and what they say if not."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from siklus.activities.keyring import Keyring
from siklus.activities.store import migrate
from siklus.services.auth.checkpoints import CHECKPOINT_FILE, CheckpointKeys
from siklus.services.auth.keys import FOLDER, PUBLIC_FILE, ensure_local_key, local_key_file
from siklus.services.cli.output import Fault
from siklus.services.cli.running import read_settings
from siklus.services.cli.serve import serving
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.processes import free_port
from siklus.services.local.temporal import LocalTemporal
from tests.e2e.processes import one_line, printed, run, siklus

NOWHERE = "postgresql://siklus_app@127.0.0.1:1/siklus"
HERE = "127.0.0.1"


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """Settings that name key files; without them nothing starts."""
    ensure_local_key(tmp_path)
    Keyring.load_or_create(tmp_path / "text-keys.json")
    CheckpointKeys.load_or_create(tmp_path)
    return {
        "SIKLUS_CHECKPOINT_KEYS": str(tmp_path / FOLDER / CHECKPOINT_FILE),
        "SIKLUS_TOKEN_KEYS": str(local_key_file(tmp_path).with_name(PUBLIC_FILE)),
        "SIKLUS_TEXT_KEYS": str(tmp_path / "text-keys.json"),
        "SIKLUS_METRICS_PORT": str(free_port()),
        "SIKLUS_GRPC_PORT": str(free_port()),
    }


@pytest.fixture
async def empty_database(postgres: LocalPostgres) -> AsyncIterator[str]:
    """The name of a database without any table."""
    name = f"empty_{free_port()}"
    async with await psycopg.AsyncConnection.connect(
        postgres.superuser_url, autocommit=True
    ) as superuser:
        await superuser.execute(f"CREATE DATABASE {name} OWNER siklus_owner".encode())
        yield name
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


async def test_an_installation_is_migrated_served_and_worked_for(
    postgres: LocalPostgres,
    temporal_server: LocalTemporal,
    empty_database: str,
    keys: dict[str, str],
) -> None:
    settings = {
        **keys,
        "SIKLUS_DATABASE_URL": postgres.url("siklus_app", empty_database),
        "SIKLUS_OWNER_DATABASE_URL": postgres.url("siklus_owner", empty_database),
        "SIKLUS_TEMPORAL_ADDRESS": temporal_server.address,
    }
    code, complaint = await run("serve", **settings)
    assert code == 2
    assert "siklus migrate" in one_line(complaint)

    newest = migrate.newest()
    assert await printed("migrate", **settings) == f"schema none → {newest}"
    assert await printed("migrate", **settings) == f"schema {newest}: nothing to do"

    async with siklus("worker", **settings) as worker, siklus("serve", **settings) as server:
        await worker.ready()
        await server.ready()
        async with grpc.aio.insecure_channel(f"{HERE}:{keys['SIKLUS_GRPC_PORT']}") as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest())
        code, complaint = await run("serve", **settings)

        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert code == 2
        assert f"port {keys['SIKLUS_GRPC_PORT']} on {HERE} is taken" in one_line(complaint)
        assert await server.stop(signal.SIGTERM) == 0
        assert await worker.stop(signal.SIGTERM) == 0
        assert "Traceback" not in await server.complaint() + await worker.complaint()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SIKLUS_TOKEN_KEYS": "/nowhere"}, "no key file /nowhere"),
        ({"SIKLUS_TEXT_KEYS": "/nowhere"}, "the keyring /nowhere cannot be read"),
        ({"SIKLUS_CHECKPOINT_KEYS": "/nowhere"}, "no key file /nowhere"),
        ({"SIKLUS_CLOCK_OFFSET_SECONDS": "60"}, "SIKLUS_CLOCK_OFFSET_SECONDS"),
        ({"SIKLUS_GRPC_PORT": "none"}, "SIKLUS_GRPC_PORT"),
        ({"SIKLUS_GRPC_HOST": "no.such.host.invalid"}, "no address"),
        ({"SIKLUS_DATABASE_URL": NOWHERE}, "the database does not answer"),
        ({"SIKLUS_DATABASE_URL": "nonsense"}, "the database does not answer"),
        ({"SIKLUS_TEMPORAL_ADDRESS": "127.0.0.1:1"}, "no Temporal answers at 127.0.0.1:1"),
        ({"SIKLUS_TEMPORAL_NAMESPACE": "other"}, "no namespace 'other'"),
    ],
)
async def test_what_is_missing_is_told(
    changed: dict[str, str],
    said: str,
    database: LocalPostgres,
    temporal_server: LocalTemporal,
    keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = {
        "SIKLUS_DATABASE_URL": database.app_url,
        "SIKLUS_TEMPORAL_ADDRESS": temporal_server.address,
    }
    for name, value in {**keys, **servers, **changed}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Fault) as told:
        await serving(read_settings())

    assert said in told.value.message


async def test_no_database_is_told_in_one_line() -> None:
    code, complaint = await run("migrate", SIKLUS_OWNER_DATABASE_URL=NOWHERE)

    assert code == 2
    assert "SIKLUS_OWNER_DATABASE_URL says where" in one_line(complaint)
