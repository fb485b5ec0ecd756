"""Notes between an employee and their supervisor: written once, read by both."""

from enum import StrEnum

from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import PersonId


class NoteKind(StrEnum):
    """What a note is."""

    FEEDBACK = "FEEDBACK"
    DIALOGUE = "DIALOGUE"


def other_of(by: PersonId, employee: PersonId, supervisor: PersonId) -> PersonId:
    """Return to whom a note is written; refuse who is neither of the two."""
    if by == employee:
        return supervisor
    if by == supervisor:
        return employee
    raise Refusal(Reason.NOT_YOUR_TASK, "employee and supervisor write notes to one another")
