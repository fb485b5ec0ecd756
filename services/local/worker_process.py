"""`siklus worker` as our own child: what a test kills, and what a second processor is for."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Final, Self

from siklus.services.local.processes import POLL_SECONDS, Child, Launch, LocalServerError

START_SECONDS: Final = 60.0
PROGRAM: Final = (sys.executable, "-c", "from siklus.services.cli import main; main()", "worker")
READY: Final = "ready"
"""How the line begins that `siklus worker` prints once it takes work."""


class WorkerProcess:
    """One worker that dies with us; it may be started again after it was stopped or killed."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = dict(environment)
        self._log = log
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        if self._child is None:
            raise LocalServerError("the worker is not running")
        return self._child.pid

    async def start(self) -> None:
        """Start and wait until it takes work; raises LocalServerError."""
        self._log.unlink(missing_ok=True)
        self._child = Child(Launch(PROGRAM, self._log, environment=self._environment))
        deadline = monotonic() + START_SECONDS
        while not self._takes_work():
            if not self._child.running or monotonic() > deadline:
                said = self._child.log_tail()
                await self.stop()
                raise LocalServerError(f"the worker did not start:\n{said}")
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """Let it finish what is under way and end; safe to repeat."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM)
            self._child = None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._child is not None:
            self._child.kill()
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

    def _takes_work(self) -> bool:
        said = self._log.read_text(errors="replace") if self._log.exists() else ""
        return any(line.startswith(READY) for line in said.splitlines())
