"""What only the system itself says; never offered to a caller."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from siklus.workflows.domain.commands.base import Command
from siklus.workflows.domain.scheme.given import Conditions
from siklus.workflows.domain.values import Grown, Level, PersonId


class ResolveSuperior(Command):
    """The system records whom an escalation reaches next; None is the top of the line."""

    kind: Literal["resolve_superior"] = "resolve_superior"
    person: PersonId
    superior: PersonId | None


class RecordSegmentResult(Grown, Command):
    """The system brings an earlier segment's interim rating to the running one."""

    added: ClassVar[frozenset[str]] = frozenset({"score", "innovation", "conditions"})

    kind: Literal["record_segment_result"] = "record_segment_result"
    segment: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=0)]
    results: Level | None = None
    behaviour: Level | None = None
    score: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    """Where the policy rates by numbers; computed, so with more digits than anybody gives."""
    innovation: bool = False
    conditions: Conditions = ()
    """Which of the policy's conditions for a cap held."""
