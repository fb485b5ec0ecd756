"""What the roster says of people whom commands name: never taken from who gives the command."""

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import calibrations, evaluations, lines, panels, roster
from siklus.workflows.domain.commands import (
    Command,
    FileAppeal,
    InCalibration,
    InPanel,
    InRoster,
    Reassign,
    ReleaseRating,
    ReplacePerson,
    SeatPanel,
    SendBackRating,
)
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId


async def in_roster(connection: Connection, agency: AgencyId, command: Command) -> InRoster | None:
    """Return what the roster knows of the person whom the command names, or None.

    Whether that will do is for the rules to say, to whom they let in.
    """
    if isinstance(command, Reassign):
        return await _person(connection, agency, command.person)
    if not isinstance(command, ReplacePerson):
        return None
    line = (await lines.lines(connection, agency, [command.leaving]))[command.leaving]
    if command.successor is None:
        return InRoster(active=True, line=tuple(line))
    found = await _person(connection, agency, command.successor)
    return found.model_copy(update={"line": tuple(line)}) if found else None


async def in_calibration(
    connection: Connection, key: EvaluationKey, command: SendBackRating | ReleaseRating
) -> InCalibration | None:
    """Return what the record knows of the calibration that the command names, or None."""
    if command.calibration is None:
        return None
    row = await calibrations.get(connection, key.agency, key.cycle, command.calibration)
    if row is None:
        return None
    evaluation = await evaluations.get(connection, key)
    covers = evaluation is not None and evaluation.unit == row.unit
    return InCalibration(open=row.state == calibrations.OPEN, covers=covers)


async def in_panel(
    connection: Connection, key: EvaluationKey, command: FileAppeal | SeatPanel
) -> InPanel | None:
    """Return who can sit on the appeal's panel: of those named, or of the panel appointed for it.

    None where none is appointed.
    """
    if isinstance(command, SeatPanel):
        named = await panels.active(connection, key.agency, command.members)
        return InPanel(members=named)
    appointed = await panels.for_evaluation(connection, key)
    if appointed is None:
        return None
    members = await panels.active(connection, key.agency, appointed.members)
    return InPanel(members=members)


async def _person(connection: Connection, agency: AgencyId, who: PersonId) -> InRoster | None:
    person = await roster.person(connection, agency, who)
    if person is None:
        return None
    superior = await lines.superior(connection, agency, who)
    return InRoster(active=person.active, superior=superior)
