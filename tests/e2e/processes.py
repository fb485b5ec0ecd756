"""Siklus as its users run it: a process of its own, its lines, and what it leaves behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

import psutil

SIKLUS = Path(sys.executable).with_name("siklus")
READY_SECONDS = 60.0


class Running:
    """A `siklus` that runs for long; `lines` is what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def ready(self) -> None:
        """Read until the line that begins with `ready`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(READY_SECONDS):
            while True:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"it ended: {self.lines}, {await self.complaint()}"
                self.lines.append(line.rstrip("\n"))
                if line.startswith("ready"):
                    return

    async def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop and return its exit code."""
        self.process.send_signal(by)
        async with asyncio.timeout(30):
            return await self.process.wait()

    async def complaint(self) -> str:
        """Return what it wrote to standard error until its end."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    def family(self) -> list[psutil.Process]:
        """Return the process and all that it started."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@asynccontextmanager
async def siklus(*arguments: str | Path, **environment: str) -> AsyncIterator[Running]:
    """Start `siklus`; whatever became of it, nothing of it is left when the block ends."""
    process = await asyncio.create_subprocess_exec(
        SIKLUS,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(environment),
    )
    try:
        yield Running(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def run(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Run `siklus` to its end; return its exit code and what it wrote to standard error."""
    async with siklus(*arguments, **environment) as running, asyncio.timeout(READY_SECONDS):
        _, complaint = await running.process.communicate()
        assert running.process.returncode is not None
        return running.process.returncode, complaint.decode()


async def printed(*arguments: str | Path, **environment: str) -> str:
    """Run `siklus`, which must succeed, and return what it printed."""
    async with siklus(*arguments, **environment) as running:
        output, complaint = await running.process.communicate()
        assert running.process.returncode == 0, complaint.decode()
        return output.decode().strip()


async def all_gone(family: list[psutil.Process], seconds: float = 20) -> list[psutil.Process]:
    """Wait for processes to end; return those that did not."""
    deadline = monotonic() + seconds
    while left := [each for each in family if each.is_running() and not _is_dead(each)]:
        if monotonic() > deadline:
            return left
        await asyncio.sleep(0.05)
    return []


def _is_dead(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return this machine's environment without settings of Siklus that are not given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIKLUS_")}
    return {**kept, **given}


def one_line(complaint: str) -> str:
    """Return the one line in which a mistake was told, without a traceback."""
    assert "Traceback" not in complaint
    (line,) = complaint.splitlines()
    assert line.startswith("siklus: ")
    return line
