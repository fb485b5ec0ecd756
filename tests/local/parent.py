"""A process that starts one local server, says its pid and waits to be killed."""

import asyncio
import os
import sys
from pathlib import Path

from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.temporal import LocalTemporal


async def main(kind: str, folder: Path) -> None:
    server: LocalPostgres | LocalTemporal
    if kind == "postgres":
        server = LocalPostgres(folder / "postgres", fsync=False)
    else:
        server = LocalTemporal(folder / "temporal.db", log=folder / "temporal.log")
    await server.start()
    os.write(1, f"{server.pid}\n".encode())
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
