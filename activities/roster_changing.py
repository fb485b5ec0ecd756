"""Putting a change into the roster: checked against it as it is then, and written once."""

from datetime import datetime

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import change_effects, changes, leaves, roster
from siklus.activities.store.queries.changes import ChangeRow
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.roster_changes import (
    Change,
    ChangeState,
    Deactivation,
    Known,
    NewSupervisor,
    NewUnit,
    OnLeave,
    ReturnToWork,
    changed,
    command_for,
    in_place_of,
    must_fit,
)
from siklus.workflows.domain.roster_people import Person
from siklus.workflows.domain.values import AgencyId, PersonId


async def known_round(connection: Connection, agency: AgencyId, change: Change) -> Known:
    """Return what the roster says that the change's rules ask for."""
    people = await roster.directory(connection, agency, _named(change))
    units = frozenset[str]()
    if isinstance(change.facts, NewUnit):
        units = frozenset(unit.code for unit in await roster.units(connection, agency))
    return Known(
        person=await roster.person(connection, agency, change.person),
        others=tuple(people.by_id.values()),
        units=units,
        leaves=await leaves.of_person(connection, agency, change.person),
    )


def _named(change: Change) -> set[PersonId]:
    match change.facts:
        case NewSupervisor(supervisor=who) | NewUnit(supervisor=who):
            return {who} if who is not None else set()
        case Deactivation(successor=who):
            return {who} if who is not None else set()
        case _:
            return set()


async def apply(connection: Connection, agency: AgencyId, row: ChangeRow, *, at: datetime) -> bool:
    """Put a planned change into the roster and write down which evaluations it touches.

    Within one transaction with the roster locked. False where it did not fit: then it has FAILED,
    with the reason. A change that is not planned is left as it is, and True.
    """
    await roster.lock(connection, agency)
    change = row.says
    known = await known_round(connection, agency, change)
    applying = ChangeState.APPLYING
    try:
        person = must_fit(change, known)
    except Refusal as refusal:
        failed = ChangeState.FAILED
        of = (ChangeState.PLANNED,)
        marked = await changes.mark(
            connection, agency, row.change, failed, of=of, problem=refusal.message
        )
        return not marked
    planned = (ChangeState.PLANNED,)
    if await changes.mark(connection, agency, row.change, applying, of=planned, at=at):
        await _write(connection, agency, row, person, known)
        own = command_for(change, own=True, reason=row.reason)
        other = command_for(change, own=False, reason=row.reason)
        if own is not None:
            await change_effects.freeze(
                connection, agency, row, own=own.kind, other=other.kind if other else None
            )
    return True


async def _write(
    connection: Connection, agency: AgencyId, row: ChangeRow, person: Person, known: Known
) -> None:
    change = row.says
    new = changed(change, person)
    if new != person:
        await roster.put_people(connection, agency, [new])
    match change.facts:
        case OnLeave(leave=leave, to_on=to_on):
            await leaves.put(
                connection,
                agency,
                person.person,
                from_on=change.effective_on,
                to_on=to_on,
                kind=leave,
                change=row.change,
            )
        case ReturnToWork() if person.active:
            await leaves.end_before(
                connection, agency, person.person, change.effective_on, change=row.change
            )
        case Deactivation(successor=successor) if successor is not None:
            await _succeed(connection, agency, person, successor, known)
        case _:
            pass


async def _succeed(
    connection: Connection,
    agency: AgencyId,
    leaving: Person,
    successor: PersonId,
    known: Known,
) -> None:
    """Put the successor where the leaving person stood: over people, and as units' approver."""
    (heir,) = (each for each in known.others if each.person == successor)
    placed = in_place_of(leaving, heir, known)
    if placed != heir:
        await roster.put_people(connection, agency, [placed])
    await changes.succeed(connection, agency, leaving.person, successor)
