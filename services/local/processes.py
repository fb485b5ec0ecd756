"""Children that never outlive us: start on a leash, stop politely, kill when that fails."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.02
LINE_LENGTH = 500


class LocalServerError(Exception):
    """A server of the embedded stack did not start; the message says what to do."""


class PortTakenError(LocalServerError):
    """Another program listens on the port we were told to use."""

    def __init__(self, what: str, port: int) -> None:
        self.port = port
        super().__init__(f"{what}: port {port} on 127.0.0.1 is taken; choose another or stop it")


@dataclass(frozen=True)
class User:
    """An operating-system account a child runs under."""

    id: int
    group: int


@dataclass(frozen=True)
class Launch:
    """How to start a child: `dies_by` is what it gets when we die, even by kill -9."""

    program: Sequence[str | Path]
    log: Path
    dies_by: signal.Signals = signal.SIGTERM
    user: User | None = None
    environment: dict[str, str] = field(default_factory=dict)


class Child:
    """One running child with its own session, so Ctrl-C reaches us first and we stop it.

    Start it from a thread that lives as long as it shall: Linux ties the leash to the thread.
    On systems without a parent-death signal the child is an ordinary one.
    """

    def __init__(self, launch: Launch) -> None:
        self._log = launch.log
        user = launch.user or User(-1, -1)
        leash = (os.getpid(), int(launch.dies_by), user.id, user.group)
        with launch.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                [sys.executable, "-I", "-S", LEASH, *map(str, leash), *map(str, launch.program)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, **launch.environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the child still runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Exit code of a child that ended, else None."""
        return self._process.poll()

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines the child wrote, for the message of an error."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "\n".join(line[:LINE_LENGTH] for line in text.splitlines()[-lines:])

    async def wait(self, seconds: float) -> bool:
        """Wait until the child ended; False when it still runs after `seconds`."""
        deadline = monotonic() + seconds
        while self.running:
            if monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def stop(self, by: signal.Signals = signal.SIGTERM, grace: float = 10) -> None:
        """Ask the child to end; kill it when it has not within `grace` seconds."""
        if self.running:
            self._process.send_signal(by)
        try:
            ended = await self.wait(grace)
        except asyncio.CancelledError:
            self.kill()
            raise
        if not ended:
            self.kill()

    def kill(self) -> None:
        """End the child at once and collect it."""
        if self.running:
            self._process.kill()
        self._process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now; it is not reserved."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_taken(port: int) -> bool:
    """Tell whether somebody listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        # Without this a port in TIME_WAIT after a restart would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
