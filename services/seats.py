"""What the record says beside a command, looked up for those commands alone that ask for it."""

from typing import NamedTuple

from siklus.activities import vouching
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.services.auth.caller import Caller
from siklus.services.guides import Guides
from siklus.workflows.domain.commands import (
    Command,
    FileAppeal,
    InCalibration,
    InGroup,
    InPanel,
    InRoster,
    Rate,
    Reassign,
    ReleaseRating,
    ReplacePerson,
    SeatPanel,
    SendBackRating,
)
from siklus.workflows.domain.values import EvaluationKey


class Vouched(NamedTuple):
    """What goes with a command and is no part of what was asked."""

    roster: InRoster | None = None
    group: InGroup | None = None
    calibration: InCalibration | None = None
    panel: InPanel | None = None


NOTHING = Vouched()


async def vouched_for(
    store: Store, caller: Caller, key: EvaluationKey, command: Command, guides: Guides
) -> Vouched:
    """Return what the record vouches for beside a command. Raises StoreUnavailable.

    Ratings and appeals wait for no store: while it is away, nothing is held against a guide, and
    the team is asked to seat the panel.
    """
    match command:
        case Rate():
            return Vouched(group=await _group(store, key, guides))
        case FileAppeal():
            return Vouched(panel=await _panel(store, key, command))
        case SeatPanel():
            async with store.agency(key.agency) as connection:
                return Vouched(panel=await vouching.in_panel(connection, key, command))
        case SendBackRating() | ReleaseRating():
            async with store.agency(caller.agency) as connection:
                found = await vouching.in_calibration(connection, key, command)
            return Vouched(calibration=found)
        case _:
            return Vouched(roster=await in_roster(store, caller, command))


async def in_roster(store: Store, caller: Caller, command: Command) -> InRoster | None:
    """Return what `vouching` says of a command that names somebody. Raises StoreUnavailable."""
    if not isinstance(command, Reassign | ReplacePerson):
        return None
    async with store.agency(caller.agency) as connection:
        return await vouching.in_roster(connection, caller.agency, command)


async def _group(store: Store, key: EvaluationKey, guides: Guides) -> InGroup | None:
    try:
        async with store.agency(key.agency) as connection:
            return await guides.group(connection, key)
    except StoreUnavailable:
        return None


async def _panel(store: Store, key: EvaluationKey, command: FileAppeal) -> InPanel | None:
    try:
        async with store.agency(key.agency) as connection:
            return await vouching.in_panel(connection, key, command)
    except StoreUnavailable:
        return None
