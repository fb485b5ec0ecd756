"""The panels that were appointed to decide appeals."""

from datetime import datetime

from sqlalchemy import Column, ForeignKeyConstraint, Index
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, TEXTS, Row


class AppealPanel(Row, table=True):
    """One appointment for a cycle; rows are only ever added, the newest of a unit counts."""

    __tablename__ = "appeal_panel"
    __table_args__ = (
        ForeignKeyConstraint(["agency", "cycle"], ["cycle.agency", "cycle.cycle"]),
        Index(None, "agency", "cycle", "unit", "number"),
    )

    cycle: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    unit: str
    """Empty is the whole agency."""
    members: list[str] = Field(sa_column=Column(TEXTS, nullable=False))
    reason: str
    appointed_by: str
    appointed_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
