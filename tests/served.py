"""Siklus as an operator runs it: `siklus serve` and `siklus worker` as processes of their own.

Whoever proves something about the server measures this one, not the one inside the tests.
"""

import asyncio
import json
import signal
import statistics
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

import psutil

from siklus.services.auth.checkpoints import CHECKPOINT_FILE
from siklus.services.auth.keys import PUBLIC_FILE, local_key_file
from siklus.services.local.processes import Child, Launch, free_port
from siklus.services.local.stack import TEXT_KEYS_FILE, LocalStack

PROGRAM: Final = (sys.executable, "-c", "from siklus.services.cli import main; main()", "serve")
START_SECONDS: Final = 60.0
MIB: Final = 1024 * 1024
TRANSPORTS_OWN = "hpack_encoder.cc"
"""In a line in which grpc tells that it noted a long header in part; the header itself is sent."""
FIGURES: Final = Path(__file__).parents[1] / "build" / "proofs.txt"


@dataclass(frozen=True)
class Served:
    """The stack, whose channels all lead to the server process, and that process."""

    stack: LocalStack
    child: Child
    log: Path

    @property
    def resident_mib(self) -> float:
        """Memory that the server process holds now."""
        return float(psutil.Process(self.child.pid).memory_info().rss) / MIB

    def faults(self) -> list[dict[str, Any]]:
        """Return what the server logged as faults, and every line that is no log line."""
        return [line for line in self._lines() if line.get("event") in {"fault", "no log line"}]

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                yield json.loads(line)
            elif line and not line.startswith("ready") and TRANSPORTS_OWN not in line:
                yield {"event": "no log line", "text": line}


@asynccontextmanager
async def served_stack(data_dir: Path | None = None, **settings: str) -> AsyncIterator[Served]:
    """Run everything; `settings` are added to the server's environment."""
    async with LocalStack(data_dir, worker_process=True) as stack:
        log = stack.folder / "serve.log"
        port = free_port()
        child = Child(Launch(PROGRAM, log, environment={**_environment(stack, port), **settings}))
        try:
            await _ready(child, log)
            stack.grpc_port = port
            yield Served(stack, child, log)
        finally:
            await child.stop(signal.SIGTERM)


def _environment(stack: LocalStack, port: int) -> dict[str, str]:
    keys = local_key_file(stack.folder).with_name(PUBLIC_FILE)
    return {
        **stack._worker_environment(keys.with_name(TEXT_KEYS_FILE)),
        "SIKLUS_FEED_DATABASE_URL": stack.postgres.feed_url,
        "SIKLUS_TOKEN_KEYS": str(keys),
        "SIKLUS_CHECKPOINT_KEYS": str(keys.with_name(CHECKPOINT_FILE)),
        "SIKLUS_GRPC_PORT": str(port),
        "SIKLUS_METRICS_PORT": str(free_port()),
    }


async def _ready(child: Child, log: Path) -> None:
    def is_ready() -> bool:
        return any(line.startswith("ready") for line in log.read_text().splitlines())

    deadline = monotonic() + START_SECONDS
    while not is_ready():
        assert child.running, child.log_tail()
        assert monotonic() < deadline, child.log_tail()
        await asyncio.sleep(0.02)


def keep(figures: str) -> None:
    """Print figures, and add them to what earlier runs on this machine came to."""
    print(f"\n{figures}")
    FIGURES.parent.mkdir(exist_ok=True)
    with FIGURES.open("a") as file:
        file.write(f"{figures}\n")


def grown(samples: list[float]) -> float:
    """Return what was held in the last quarter over what was held in the second."""
    quarter = len(samples) // 4
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]
    return statistics.median(last) / statistics.median(second)
