"""Commands that run for long: settings read once, one event loop, and an end when asked for it."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Final

import uvloop
from pydantic import ValidationError
from pydantic_settings import SettingsError

from siklus.services.cli.output import Fault
from siklus.services.local.processes import LocalServerError, PortTakenError
from siklus.services.settings import ConfigFileMissingError, Settings

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IMPATIENT: Final = 130


def read_settings(**given: Any) -> Settings:
    """Return the settings with what the command line gave, None aside; raises `Fault`."""
    wanted = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**wanted)
    except ValidationError as invalid:
        first = invalid.errors(include_input=False, include_url=False)[0]
        name = "SIKLUS_" + "_".join(str(part) for part in first["loc"]).upper()
        raise Fault("BAD_SETTING", f"{name}: {first['msg']}") from None
    except (ConfigFileMissingError, SettingsError, ValueError) as unreadable:
        why = " ".join(str(unreadable).split())
        raise Fault("BAD_SETTINGS", f"the settings cannot be read: {why}") from None


def run_until_stopped(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` to its end; Ctrl-C or SIGTERM cancels it once, and it may put things in order.

    Asked a second time, the process ends at once; its children die with it. What a local server
    complains of becomes a `Fault`.
    """
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_watched(main))
    except PortTakenError as taken:
        raise Fault("PORT_TAKEN", str(taken)) from None
    except LocalServerError as error:
        raise Fault("LOCAL_SERVER", str(error)) from None


async def _watched(main: Coroutine[Any, Any, None]) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(main)
    asked = False

    def stop() -> None:
        nonlocal asked
        if asked:
            sys.stdout.flush()
            os._exit(IMPATIENT)
        asked = True
        task.cancel()

    for each in STOPPING:
        # Under nohup a hang-up must not reach us.
        if each is not signal.SIGHUP or signal.getsignal(each) is not signal.SIG_IGN:
            loop.add_signal_handler(each, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not asked:
            raise
