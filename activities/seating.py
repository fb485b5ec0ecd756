"""Who fills the seats of new evaluations, by today's roster."""

from collections.abc import Mapping
from dataclasses import dataclass

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import lines
from siklus.workflows.domain.model import Participants
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId


@dataclass(frozen=True, slots=True)
class Seats:
    """One evaluation's participants, and the superiors whom its escalations may reach."""

    participants: Participants
    superiors: dict[PersonId, PersonId | None]


async def seats(
    connection: Connection, agency: AgencyId, cycle: CycleId, units: Mapping[PersonId, str]
) -> dict[PersonId, Seats]:
    """Seat those people, given with their units; whoever has no active superior is left out."""
    above = await lines.lines(connection, agency, units.keys(), cycle=cycle)
    named = await lines.approvers(connection, agency, set(units.values()))
    approver = {
        person: named.get(units[person], line[-1]) for person, line in above.items() if line
    }
    beyond = await lines.lines(connection, agency, set(approver.values()))
    return {
        person: _seated(person, above[person], approver[person], beyond[approver[person]])
        for person in approver
    }


def _seated(
    person: PersonId, line: list[PersonId], approver: PersonId, beyond: list[PersonId]
) -> Seats:
    """The head of the line approves where no unit names anybody."""
    participants = Participants(
        employee=person,
        supervisor=line[0],
        superior=line[1] if len(line) > 1 else None,
        approver=approver,
    )
    # Known from the start, so that an ordinary year needs no look-up.
    superiors = {approver: beyond[0] if beyond else None, **_upward(line)}
    return Seats(participants, superiors)


def _upward(line: list[PersonId]) -> dict[PersonId, PersonId | None]:
    return dict(zip(line, [*line[1:], None], strict=True))
