"""Kill -9 of a process that owns a local server, and what is left of it."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psutil

PARENT = Path(__file__).with_name("parent.py")


@contextmanager
def folder_anyone_may_enter() -> Iterator[Path]:
    """pytest's own folders are closed to `nobody`, who runs PostgreSQL when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="siklus-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


async def start_and_kill_the_parent(kind: str, folder: Path) -> psutil.Process:
    """Start a server in a process of its own, kill that process, return the server's process."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, PARENT, kind, folder, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    server = psutil.Process(int(await parent.stdout.readline()))
    assert server.is_running()

    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    return server


async def gone(process: psutil.Process, seconds: float = 20) -> bool:
    """Wait until a process that is not our child has ended."""
    deadline = monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
