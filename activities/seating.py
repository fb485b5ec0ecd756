"""Who fills the seats of new evaluations, by today's roster."""

from collections.abc import Mapping
from dataclasses import dataclass

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import lines
from siklus.workflows.domain.model import Participants
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId


@dataclass(frozen=True, slots=True)
class Seats:
    """One evaluation's participants, and who follows whom as far as that is pinned."""

    participants: Participants
    superiors: dict[PersonId, PersonId | None]


async def seats(
    connection: Connection, agency: AgencyId, cycle: CycleId, units: Mapping[PersonId, str]
) -> dict[PersonId, Seats]:
    """Seat those people, given with their units; whoever has no active superior is left out."""
    above = await lines.lines(connection, agency, units.keys(), cycle=cycle)
    named = await lines.approvers(connection, agency, set(units.values()))
    return {
        person: _seated(person, line, named.get(units[person], line[-1]))
        for person, line in above.items()
        if line
    }


def _seated(person: PersonId, line: list[PersonId], approver: PersonId) -> Seats:
    """The head of the line approves where no unit names anybody."""
    supervisor, superior = line[0], line[1] if len(line) > 1 else None
    participants = Participants(
        employee=person, supervisor=supervisor, superior=superior, approver=approver
    )
    # Nobody further up: people move within the year, so an escalation asks when it needs them.
    return Seats(participants, {supervisor: superior})
