"""The list of commands, each imported only when it is asked for.

A module here holds `app`, a Typer application. With one unnamed command in it, it is a command;
with a callback, a group of commands.
"""

from importlib import import_module
from typing import cast

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

COMMANDS: dict[str, str] = {
    "dev": "siklus.services.cli.dev",
    "demo": "siklus.services.cli.demo",
    "serve": "siklus.services.cli.serve",
    "worker": "siklus.services.cli.worker",
    "migrate": "siklus.services.cli.migrate",
    "policy": "siklus.services.cli.policy",
    "roster": "siklus.services.cli.roster",
    "mandate": "siklus.services.cli.mandate",
    "cycle": "siklus.services.cli.cycle",
    "feedback": "siklus.services.cli.feedback",
    "reminders": "siklus.services.cli.reminders",
    "operation": "siklus.services.cli.operation",
    "outcome": "siklus.services.cli.outcome",
    "calibration": "siklus.services.cli.calibration",
    "appeal-panel": "siklus.services.cli.appeal_panel",
    "doctor": "siklus.services.cli.doctor",
    "document": "siklus.services.cli.document",
    "audit": "siklus.services.cli.audit",
    "verify": "siklus.services.cli.verify",
    "token": "siklus.services.cli.token",
    "keys": "siklus.services.cli.keys",
    "nip": "siklus.services.cli.nip",
}
"""Name → module, in the order of the help page."""


class LazyCommands(TyperGroup):
    """A group that knows its commands by name and imports them one by one."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names, importing nothing."""
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """Import the one command that was asked for."""
        if cmd_name not in COMMANDS:
            return None
        found = get_command(import_module(COMMANDS[cmd_name]).app)
        command = cast("TyperCommand | TyperGroup", found)
        command.name = cmd_name
        return command
