"""What the roster says of people whom commands name: never taken from the request."""

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import lines, roster
from siklus.services.auth.caller import Caller
from siklus.workflows.domain.commands import Command, InRoster, Reassign


async def in_roster(store: Store, caller: Caller, command: Command) -> InRoster | None:
    """Return what the roster knows of the person whom the command names, or None.

    Whether that will do is for the rules to say, to whom they let in. Raises StoreUnavailable.
    """
    if not isinstance(command, Reassign):
        return None
    async with store.agency(caller.agency) as connection:
        person = await roster.person(connection, caller.agency, command.person)
        if person is None:
            return None
        superior = await lines.superior(connection, caller.agency, command.person)
    return InRoster(active=person.active, superior=superior)
