"""The servers under both sides, and the processes of each side."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import psutil
import psycopg

from siklus.activities.keyring import Keyring
from siklus.activities.store import migrate
from siklus.services.auth.checkpoints import CHECKPOINT_FILE, CheckpointKeys
from siklus.services.auth.keys import (
    FOLDER,
    PUBLIC_FILE,
    SigningKey,
    ensure_local_key,
    local_key_file,
)
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.processes import Child, Launch, free_port
from siklus.services.local.temporal import LocalTemporal
from siklus.workflows import names
from tests.bench import floors

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
FLOOR_DATABASE = "floor"
SIKLUS = ("-c", "from siklus.services.cli import main; main()")


class Program:
    """A process of one side, which dies with us."""

    def __init__(
        self, name: str, arguments: Sequence[str], log: Path, environment: dict[str, str]
    ) -> None:
        self.name = name
        self._log = log
        program = (sys.executable, *arguments)
        environment = {"PYTHONPATH": str(ROOT), **environment}
        self._child = Child(Launch(program, log, environment=environment))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    async def ready(self) -> None:
        """Wait until it says that it serves."""
        deadline = monotonic() + START_SECONDS
        while "ready" not in (self._log.read_text(errors="replace") if self._log.exists() else ""):
            if not self._child.running or monotonic() > deadline:
                raise RuntimeError(f"the {self.name} did not start:\n{self._child.log_tail()}")
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End it."""
        await self._child.stop()


@dataclass
class Servers:
    """PostgreSQL and Temporal, both in memory as far as they can, and four processes on them."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="siklus-bench-")))
    programs: list[Program] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self.folder.chmod(0o711)
        self.postgres = LocalPostgres(fsync=False)
        self.temporal = LocalTemporal(
            log=self.folder / "temporal.log", search_attributes=names.SEARCH_ATTRIBUTES
        )
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        await self.postgres.start()
        await self.temporal.start()
        await asyncio.to_thread(migrate.upgrade, self.postgres.owner_url)
        async with await self.superuser("postgres") as connection:
            await connection.execute(f"CREATE DATABASE {FLOOR_DATABASE} OWNER siklus_app".encode())
        async with await psycopg.AsyncConnection.connect(self.floor_url) as connection:
            await connection.execute(floors.TABLES)
        self.signing_key: SigningKey = ensure_local_key(self.folder)
        Keyring.load_or_create(self.folder / "text-keys.json")
        CheckpointKeys.load_or_create(self.folder)

    async def _stop(self) -> None:
        for program in self.programs:
            await program.stop()
        await self.temporal.stop()
        await self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def floor_url(self) -> str:
        """The floor's own database, as the role that the product has in its own."""
        return self.postgres.url("siklus_app", FLOOR_DATABASE)

    async def superuser(self, database: str) -> psycopg.AsyncConnection:
        """Return a connection that may look everywhere."""
        url = self.postgres.url("postgres", database)
        return await psycopg.AsyncConnection.connect(url, autocommit=True)

    async def start_floor(self) -> str:
        """Start the floor's worker and gRPC server; return the address of the latter."""
        port = free_port()
        given = (self.temporal.address, self.floor_url, str(port))
        await self._run("floor worker", ("-m", "tests.bench.floors", "worker", *given))
        await self._run("floor server", ("-m", "tests.bench.floors", "server", *given))
        return f"127.0.0.1:{port}"

    async def start_product(self) -> str:
        """Start `siklus worker` and `siklus serve`; return the address of the latter."""
        port = free_port()
        settings = {
            # Everything that they read, so that no setting of the user's counts.
            "SIKLUS_CONFIG": "",
            "SIKLUS_DATABASE_URL": self.postgres.app_url,
            "SIKLUS_TEMPORAL_ADDRESS": self.temporal.address,
            "SIKLUS_TEXT_KEYS": str(self.folder / "text-keys.json"),
            "SIKLUS_CHECKPOINT_KEYS": str(self.folder / FOLDER / CHECKPOINT_FILE),
            "SIKLUS_TOKEN_KEYS": str(local_key_file(self.folder).with_name(PUBLIC_FILE)),
            "SIKLUS_GRPC_PORT": str(port),
            "SIKLUS_METRICS_PORT": str(free_port()),
        }
        await self._run("siklus worker", (*SIKLUS, "worker"), settings)
        await self._run("siklus serve", (*SIKLUS, "serve"), settings)
        return f"127.0.0.1:{port}"

    async def _run(
        self, name: str, arguments: Sequence[str], environment: dict[str, str] | None = None
    ) -> None:
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        program = Program(name, arguments, log, environment or {})
        self.programs.append(program)
        await program.ready()

    @asynccontextmanager
    async def processor_time(self, spent: dict[str, float]) -> AsyncIterator[None]:
        """Note the milliseconds of processor time that each process spends meanwhile."""
        before = self._processor_times()
        yield
        after = self._processor_times()
        for name, seconds in after.items():
            used = (seconds - before.get(name, 0.0)) * 1000
            if used >= 1:
                spent[name] = round(used, 1)

    def _processor_times(self) -> dict[str, float]:
        postgres = psutil.Process(self.postgres.pid)
        groups: dict[str, Sequence[psutil.Process]] = {
            "load generator": [psutil.Process(os.getpid())],
            "Temporal": [psutil.Process(self.temporal.pid)],
            "PostgreSQL": [postgres, *postgres.children(recursive=True)],
        }
        groups |= {each.name: [psutil.Process(each.pid)] for each in self.programs}
        return {name: sum(map(_seconds, group)) for name, group in groups.items()}


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
