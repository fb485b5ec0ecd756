"""A real PostgreSQL 18 of our own, from the programs inside a wheel."""

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Self

import psycopg

from siklus.services.local import postgres_files, postgres_roles
from siklus.services.local.processes import (
    POLL_SECONDS,
    Child,
    Launch,
    LocalServerError,
    PortTakenError,
    free_port,
    port_taken,
)

HOST = "127.0.0.1"
START_SECONDS = 60.0
# fmt: off
CONFIGURATION = (
    "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
    "shared_buffers=128MB", "wal_level=minimal", "max_wal_senders=0", "jit=off", "timezone=UTC",
    "log_timezone=UTC", "log_min_messages=error",
)
UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# fmt: on


class DataInUseError(LocalServerError):
    """Another process runs, or still shuts down, the server of this folder."""


class LocalPostgres:
    """A PostgreSQL server that lives as long as this process, kill -9 included.

    `data` is kept between runs; without it the server is thrown away when stopped. `fsync`
    off is for tests: a power cut then loses the database. Without `port` a free one is taken.
    The URLs hold from `start` to `stop`; only `superuser_url` passes row-level security.
    """

    def __init__(
        self, data: Path | None = None, *, port: int | None = None, fsync: bool = True
    ) -> None:
        self._data = data
        self._throw_away = data is None
        self._wanted_port = port
        self._port = 0
        self._fsync = fsync
        self._child: Child | None = None
        self._lock: IO[str] | None = None
        self._passwords: dict[str, str] = {}

    async def start(self) -> None:
        """Start and wait until it answers; raises PortTakenError, DataInUseError and the like."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server in good order; safe to repeat."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT)
            self._child = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if self._throw_away and self._data is not None:
            shutil.rmtree((self._data / "server").resolve(), ignore_errors=True)
            shutil.rmtree(self._data, ignore_errors=True)
            self._data = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1."""
        return self._port

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        if self._child is None:
            raise LocalServerError("PostgreSQL is not running")
        return self._child.pid

    @property
    def owner_url(self) -> str:
        """URL of the role that owns the schema: migrations."""
        return self.url(postgres_roles.OWNER)

    @property
    def app_url(self) -> str:
        """URL of the role of services and workers."""
        return self.url(postgres_roles.APP)

    @property
    def feed_url(self) -> str:
        """URL of the role that reads the feed across agencies."""
        return self.url(postgres_roles.FEED)

    @property
    def superuser_url(self) -> str:
        """URL of the superuser, for tests that create databases; Siklus itself never uses it."""
        return self.url(postgres_roles.SUPERUSER)

    def url(self, role: str, database: str = postgres_roles.DATABASE) -> str:
        """Return the URL of one role and database of this server."""
        return f"postgresql://{role}:{self._passwords[role]}@{HOST}:{self._port}/{database}"

    async def _start(self) -> None:
        data = self._claim()
        user = postgres_files.service_user()
        server = postgres_files.server_folder(data, user)
        programs = postgres_files.programs(server, user)
        self._passwords = postgres_roles.passwords(data / "passwords.json")
        cluster = server / "cluster"
        if not cluster.exists():
            await self._initialise(programs / "initdb", data, cluster)
        await _predecessor_gone(cluster)
        settings = CONFIGURATION if self._fsync else CONFIGURATION + UNSAFE_BUT_FAST
        deadline = monotonic() + START_SECONDS
        while not await self._serve(programs / "postgres", data, cluster, settings):
            if monotonic() > deadline:
                raise LocalServerError(f"PostgreSQL did not start, see {data / 'postgres.log'}")

    def _claim(self) -> Path:
        if self._data is None:
            self._data = Path(tempfile.mkdtemp(prefix="siklus-postgres-"))
            # mkdtemp closes it to everybody else, and `nobody` must pass.
            self._data.chmod(0o711)
        self._data.mkdir(parents=True, exist_ok=True)
        self._lock = (self._data / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUseError(
                f"another process already uses the database in {self._data}"
            ) from None
        return self._data.absolute()

    async def _initialise(self, initdb: Path, data: Path, cluster: Path) -> None:
        user = postgres_files.service_user()
        # Renamed when complete: a kill in between must not leave half a cluster behind.
        unfinished = cluster.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password = cluster.with_suffix(".password")
        password.touch(mode=0o600)
        password.write_text(self._passwords[postgres_roles.SUPERUSER])
        if user is not None:
            os.chown(unfinished, user.id, user.group)
            os.chown(password, user.id, user.group)
        arguments = (
            f"--pgdata={unfinished}", f"--username={postgres_roles.SUPERUSER}",
            f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--no-instructions",
        )  # fmt: skip
        durable = () if self._fsync else ("--no-sync",)
        log = data / "initdb.log"
        child = Child(Launch((initdb, *arguments, *durable), log, signal.SIGKILL, user))
        try:
            if not await child.wait(START_SECONDS) or child.exit_code != 0:
                raise LocalServerError(f"initdb failed:\n{child.log_tail()}")
        finally:
            child.kill()
            password.unlink()
        unfinished.rename(cluster)

    async def _serve(
        self, postgres: Path, data: Path, cluster: Path, settings: tuple[str, ...]
    ) -> bool:
        """Start once; False when another try may help."""
        if self._wanted_port is not None and port_taken(self._wanted_port):
            raise PortTakenError("PostgreSQL", self._wanted_port)
        self._port = self._wanted_port or free_port()
        log = data / "postgres.log"
        log.unlink(missing_ok=True)
        options = [part for setting in settings for part in ("-c", setting)]
        program: tuple[str | Path, ...] = (postgres, "-D", cluster, "-p", str(self._port), *options)
        user = postgres_files.service_user()
        # SIGINT lets it write a checkpoint and leave in good order when we are killed.
        self._child = Child(Launch(program, log, signal.SIGINT, user))
        deadline = monotonic() + START_SECONDS
        while self._child.running:
            try:
                superuser = await psycopg.AsyncConnection.connect(
                    self.url(postgres_roles.SUPERUSER, "postgres"), autocommit=True
                )
            except psycopg.OperationalError as error:
                if monotonic() > deadline or "authentication failed" in str(error):
                    raise LocalServerError(f"PostgreSQL does not let us in: {error}") from error
                await self._child.wait(POLL_SECONDS)
                continue
            async with superuser:
                await postgres_roles.establish(superuser, self._passwords)
            return True
        said = self._child.log_tail()
        if "Address already in use" in said or "pre-existing shared memory" in said:
            return False
        raise LocalServerError(f"PostgreSQL did not start:\n{said}")


async def _predecessor_gone(cluster: Path) -> None:
    """Wait for the server of a killed process to end; drop the pid file it could not."""
    deadline = monotonic() + START_SECONDS
    while postgres_files.server_runs(cluster):
        if monotonic() > deadline:
            raise DataInUseError(f"a PostgreSQL server still runs in {cluster}")
        await asyncio.sleep(POLL_SECONDS)
