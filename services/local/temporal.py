"""Temporal's development server of our own, from the program inside a wheel."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from temporalio.client import Client
from temporalio.common import SearchAttributeKey

from siklus.services.local.processes import (
    Child,
    Launch,
    LocalServerError,
    PortTakenError,
    free_port,
    port_taken,
)

HOST = "127.0.0.1"
START_SECONDS = 60.0

# Lets `virtual_time` move the clock of single workflows; nothing moves by itself. The second makes
# a timer that a move has made due fire at once, and not with the next second's.
TIME_SKIPPING = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"50ms"',
}


class LocalTemporal:
    """A Temporal server that lives as long as this process, kill -9 included.

    `database` keeps workflows between runs; without it they stay in memory, which is about
    twice as fast. Without `port` a free one is taken, without `ui_port` there is no web UI.
    `search_attributes` are registered; a workflow that sets another one never progresses.
    """

    def __init__(
        self,
        database: Path | None = None,
        *,
        log: Path,
        port: int | None = None,
        ui_port: int | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        dynamic_config: Mapping[str, str] | None = None,
    ) -> None:
        self._database = database
        self._log = log
        self._wanted_port = port
        self._ui_port = ui_port
        self._port = 0
        self._search_attributes = search_attributes
        self._dynamic_config = dynamic_config or {}
        self._child: Child | None = None

    async def start(self) -> None:
        """Start and wait until it answers; raises PortTakenError or LocalServerError."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server in good order; safe to repeat."""
        if self._child is not None:
            # A polite end takes over a second, and memory has nothing to put in order.
            await self._child.stop(signal.SIGKILL if self._database is None else signal.SIGTERM)
            self._child = None

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
    def address(self) -> str:
        """Host and port for a client."""
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        if self._child is None:
            raise LocalServerError("Temporal is not running")
        return self._child.pid

    async def _start(self) -> None:
        for port in (self._wanted_port, self._ui_port):
            if port is not None and port_taken(port):
                raise PortTakenError("Temporal", port)
        self._port = self._wanted_port or free_port()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)
        if self._database is not None:
            self._database.parent.mkdir(parents=True, exist_ok=True)
        program: tuple[str | Path, ...] = (_program(), *self._arguments())
        # SIGKILL: a server that shuts down politely holds its port while we start again.
        self._child = Child(
            Launch(program, self._log.absolute(), signal.SIGKILL, environment=_account())
        )
        deadline = monotonic() + START_SECONDS
        while not await self._answers():
            if not self._child.running:
                raise LocalServerError(f"Temporal did not start:\n{self._child.log_tail()}")
            if monotonic() > deadline:
                raise LocalServerError(f"Temporal does not answer, see {self._log}")
            await self._child.wait(0.05)

    def _arguments(self) -> Sequence[str]:
        ui = ("--headless",) if self._ui_port is None else ("--ui-port", str(self._ui_port))
        keep = () if self._database is None else ("--db-filename", str(self._database.absolute()))
        keys = self._search_attributes
        attributes = [f"--search-attribute={key.name}={_type_name(key)}" for key in keys]
        config = [f"--dynamic-config-value={k}={v}" for k, v in self._dynamic_config.items()]
        # A developer's own Temporal profile must not decide what our server does.
        alone = ("--disable-config-file", "--disable-config-env", "--ui-disable-news-fetch")
        base = ("server", "start-dev", "--ip", HOST, "--port", str(self._port))
        return (*base, "--log-level", "error", *ui, *keep, *attributes, *config, *alone)

    async def _answers(self) -> bool:
        if not port_taken(self._port):
            return False
        try:
            client = await Client.connect(self.address)
            return await client.service_client.check_health()
        except RuntimeError:
            return False


def _account() -> dict[str, str]:
    # The server refuses to start where neither the system nor the environment names its user.
    return {"USER": os.environ.get("USER", "siklus"), "HOME": os.environ.get("HOME", "/")}


def _type_name(key: SearchAttributeKey[Any]) -> str:
    return key.indexed_value_type.name.title().replace("_", "")


def _program() -> Path:
    beside = Path(sys.executable).with_name("temporal")
    found = beside if beside.is_file() else shutil.which("temporal")
    if found is None:
        raise LocalServerError("Temporal's server is not installed: pip install siklus[local]")
    return Path(found)
