"""What the roster says of people whom commands name, looked up for those commands alone."""

from siklus.activities import vouching
from siklus.activities.store.pool import Store
from siklus.services.auth.caller import Caller
from siklus.workflows.domain.commands import Command, InRoster, Reassign, ReplacePerson


async def in_roster(store: Store, caller: Caller, command: Command) -> InRoster | None:
    """Return what `vouching` says of a command that names somebody. Raises StoreUnavailable."""
    if not isinstance(command, Reassign | ReplacePerson):
        return None
    async with store.agency(caller.agency) as connection:
        return await vouching.in_roster(connection, caller.agency, command)
