"""Acts on many evaluations at once, and what became of each."""

from datetime import datetime

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, Text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, EvaluationRow, Row


class Operation(Row, table=True):
    """One act on a frozen list of evaluations."""

    __table_args__ = (Index(None, "agency", "created_at", "operation"),)

    operation: str = Field(primary_key=True)
    cycle: str | None
    """Null is all cycles."""
    command: str
    """The kind; `body` has the rest of the command as JSON, without its reason."""
    body: str = Field(sa_column=Column(Text, nullable=False))
    selection: str = Field(sa_column=Column(Text, nullable=False))
    """Which evaluations, as JSON."""
    asked: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """The request as it came, to be shown; empty for what the system does itself."""
    reason: str
    state: str
    pace: int
    total: int
    """How many evaluations are on the list; 0 until it is drawn up."""
    created_by: str | None
    """Null is the system."""
    created_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    finished_at: datetime | None = Field(sa_column=Column(INSTANT))


class OperationItem(EvaluationRow, table=True):
    """One evaluation of an operation's list."""

    __tablename__ = "operation_item"
    __table_args__ = (
        ForeignKeyConstraint(["agency", "operation"], ["operation.agency", "operation.operation"]),
        Index(
            "operation_item_agency_operation_outcome_idx",
            "agency",
            "operation",
            "outcome",
            "cycle",
            "person",
            "segment",
        ),
    )

    operation: str = Field(primary_key=True)
    outcome: str
    revision: int | None
    reason: str | None
    message: str | None
    done_at: datetime | None = Field(sa_column=Column(INSTANT))
