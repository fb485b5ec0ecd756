"""What followed from final results, and the plans that it opened."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, EvaluationRow


class OutcomeRow(EvaluationRow, table=True):
    """Something that followed from the result that stood after event number `revision`.

    It stands while the evaluation does: a reopening has another number, and sets it aside.
    """

    __tablename__ = "outcome"

    revision: int = Field(primary_key=True)
    code: str = Field(primary_key=True)
    kind: str
    unit: str
    document: str = Field(sa_column=Column(Text, nullable=False))
    """What it is and why, as JSON, without a text that anybody wrote."""
    drawn_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))


class ImprovementPlanRow(EvaluationRow, table=True):
    """A plan after its event number `revision`; `document` is the plan as JSON."""

    __tablename__ = "improvement_plan"

    code: str = Field(primary_key=True)
    state: str
    supervisor: str
    revision: int
    document: str = Field(sa_column=Column(Text, nullable=False))
    opened_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    updated_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
