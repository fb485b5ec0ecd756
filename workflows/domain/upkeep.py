"""What nobody who left may hold: found in an evaluation's state, and what makes it good."""

from pydantic import BaseModel, ConfigDict

from siklus.workflows.domain.commands import (
    AnyCommand,
    Departure,
    RecordDeparture,
    ReplacePerson,
)
from siklus.workflows.domain.model import Appeal, Participants
from siklus.workflows.domain.roster_changes import Deactivation
from siklus.workflows.domain.stages import Stage, Task
from siklus.workflows.domain.values import EvaluationKey, PersonId


class Holdings(BaseModel):
    """Who holds what in an evaluation: the part of its state that upkeep looks at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: EvaluationKey
    revision: int
    stage: Stage
    participants: Participants
    superiors: dict[PersonId, PersonId | None] = {}
    tasks: tuple[Task, ...] = ()
    gone: tuple[PersonId, ...] = ()
    appeal: Appeal | None = None


def tasks_of(held: Holdings, person: PersonId) -> list[str]:
    """Return the open tasks that wait for somebody, theirs or climbed to them."""
    return [task.id for task in held.tasks if person == task.holder or person in task.escalated_to]


def holds_place(held: Holdings, person: PersonId) -> bool:
    """Tell whether somebody fills a seat or stands in a line, and was not replaced already.

    Where nobody is left to follow, the seat keeps its last name and the team has the tasks.
    """
    if person in held.gone:
        return False
    seats = held.participants
    deciding = held.appeal is not None and held.stage is Stage.APPEAL_DECISION
    decider = held.appeal.decider if deciding and held.appeal else None
    line = {*held.superiors.values(), seats.superior}
    return person in {seats.supervisor, seats.approver, decider, *line}


def is_gone_unsaid(held: Holdings, person: PersonId) -> bool:
    """Tell whether the employee left and the evaluation does not know."""
    return person == held.participants.employee and person not in held.gone


def relief(
    held: Holdings, person: PersonId, departure: Deactivation | None, *, successor_works: bool
) -> AnyCommand | None:
    """Return what frees an evaluation from somebody who left; None where nothing does."""
    if person == held.participants.employee:
        if not is_gone_unsaid(held, person):
            return None
        why = departure.departure if departure else Departure.OTHER
        return RecordDeparture(departure=why)
    if not tasks_of(held, person) and not holds_place(held, person):
        return None
    successor = departure.successor if departure and successor_works else None
    if successor == held.participants.employee:
        successor = None
    return ReplacePerson(leaving=person, successor=successor)
