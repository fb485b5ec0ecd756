"""The small immutable values that every other part of the rule book speaks in."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NewType

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

AgencyId = NewType("AgencyId", str)
CycleId = NewType("CycleId", str)
PersonId = NewType("PersonId", str)
UnitId = NewType("UnitId", str)
Digest = NewType("Digest", str)


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant


Instant = Annotated[datetime, AfterValidator(_aware)]
"""A point in time with a zone; naive datetimes are refused."""

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A short ASCII name given by an agency: of an indicator, a policy, a unit."""


class Value(BaseModel):
    """Base of every immutable value: frozen, closed, additive fields only."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Grown(Value):
    """A value that a later release gave more to say: unsaid, its written form is the old one.

    Digests and chains of what was written before must never change.
    """

    added: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields that came later; each has a default."""

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = dump(self)
        for name in self.added:
            if getattr(self, name) == type(self).model_fields[name].get_default():
                written.pop(name, None)
        return written


class EvaluationKey(Value):
    """Who is evaluated, when and in which stretch of the year (segments count from 1)."""

    agency: AgencyId
    cycle: CycleId
    person: PersonId
    segment: int = 1

    def __str__(self) -> str:
        return f"{self.agency}/{self.cycle}/{self.person}/{self.segment}"


class Role(StrEnum):
    """What a token says of a person in the whole agency."""

    EMPLOYEE = "employee"
    AGENCY_ADMIN = "agency_admin"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"


class Level(StrEnum):
    """A level on one axis against what was expected (PermenPANRB 6/2022)."""

    ABOVE = "ABOVE"
    AT = "AT"
    BELOW = "BELOW"


class Predicate(StrEnum):
    """The final label of a rating, best first."""

    SANGAT_BAIK = "SANGAT_BAIK"
    BAIK = "BAIK"
    BUTUH_PERBAIKAN = "BUTUH_PERBAIKAN"
    KURANG = "KURANG"
    SANGAT_KURANG = "SANGAT_KURANG"

    @property
    def rank(self) -> int:
        """5 for Sangat Baik down to 1 for Sangat Kurang."""
        return 5 - list(Predicate).index(self)
