"""What only the system itself says; never offered to a caller."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from siklus.workflows.domain.commands.base import Command
from siklus.workflows.domain.scheme.given import Amount
from siklus.workflows.domain.values import Grown, Level, PersonId


class ResolveSuperior(Command):
    """The system records whom an escalation reaches next; None is the top of the line."""

    kind: Literal["resolve_superior"] = "resolve_superior"
    person: PersonId
    superior: PersonId | None


class RecordSegmentResult(Grown, Command):
    """The system brings an earlier segment's interim rating to the running one."""

    added: ClassVar[frozenset[str]] = frozenset({"score", "innovation"})

    kind: Literal["record_segment_result"] = "record_segment_result"
    segment: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=0)]
    results: Level | None = None
    behaviour: Level | None = None
    score: Amount | None = None
    """Where the policy rates by numbers."""
    innovation: bool = False
