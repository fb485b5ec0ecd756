"""Commands that name another person, completed from the roster: never from the request."""

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import lines, roster
from siklus.services.auth.caller import Caller
from siklus.workflows.domain.commands import Command, Reassign
from siklus.workflows.domain.errors import invalid


async def resolved(store: Store, caller: Caller, command: Command) -> Command:
    """Return the command with what the roster knows of the people in it.

    Raises Refusal FIELD_INVALID for somebody who is not there or no longer active.
    """
    if not isinstance(command, Reassign):
        return command
    async with store.agency(caller.agency) as connection:
        person = await roster.person(connection, caller.agency, command.person)
        if person is None or not person.active:
            raise invalid("person", "is nobody who works in the agency now")
        superior = await lines.superior(connection, caller.agency, command.person)
    return command.model_copy(update={"superior": superior})
