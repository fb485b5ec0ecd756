"""What a rater gives where a policy rates by numbers, and what became of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from siklus.workflows.domain.scheme.achievement import Direction
from siklus.workflows.domain.scheme.keys import Lean
from siklus.workflows.domain.values import Code

Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6, allow_inf_nan=False)]
"""A number as people give it; never a binary fraction, never negative."""
Conditions = Annotated[tuple[Code, ...], Field(max_length=5)]
"""Names of the policy's conditions for a cap."""


class MeasuredIndicator(Lean):
    """One indicator by numbers: a target and what was reached, a range, or a judged score."""

    id: Code
    weight: Amount | None = None
    score: Amount | None = None
    target: Amount | None = None
    low: Amount | None = None
    high: Amount | None = None
    actual: Amount | None = None
    direction: Direction | None = None
    maximum: bool = False
    """Whether the target is the attainable maximum."""

    def as_written(self) -> Mapping[str, object]:
        """Return what was said, as the scheme reads it."""
        said = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: value for name, value in said.items() if value is not None and value is not False
        }


class GivenNumbers(Lean):
    """A rating by numbers as it is given: the results as a score or by their indicators."""

    results: Amount | None = None
    behaviour: Amount | None = None
    innovation: bool = False
    """Whether an innovation is on record."""
    colleagues_heard: bool = False
    """Whether peers and subordinates were heard, where the policy then weighs otherwise."""
    conditions: Conditions = ()
    """Which of the policy's conditions for a cap hold."""
    measured: Annotated[tuple[MeasuredIndicator, ...], Field(max_length=50)] = ()
    """The indicators by numbers; they make the score of results."""


class Numbers(Lean):
    """What a rating by numbers came to."""

    results: Decimal | None = None
    """After the caps; None where the policy gives the axis no weight."""
    behaviour: Decimal | None = None
    score: Decimal
    innovation: bool = False
    colleagues_heard: bool = False
    conditions: tuple[str, ...] = ()
    combined: Decimal | None = None
    """The year's score, where segments combine to another one."""

    @property
    def of_the_year(self) -> Decimal:
        """The score that counts: the year's where segments combine, else this one."""
        return self.score if self.combined is None else self.combined
