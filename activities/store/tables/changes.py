"""Changes of the roster with effect dates, what they did to evaluations, and days of leave."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, EvaluationRow, Row


class RosterChange(Row, table=True):
    """One change of one person; of it the state alone changes."""

    __tablename__ = "roster_change"
    __table_args__ = (
        Index(None, "agency", "effective_on", "change"),
        Index(None, "agency", "person", "effective_on"),
        Index(
            "roster_change_open_idx",
            "agency",
            "effective_on",
            postgresql_where=text("state IN ('PLANNED', 'APPLYING')"),
        ),
    )

    change: str = Field(primary_key=True)
    person: str
    kind: str
    effective_on: date
    facts: Any = Field(sa_column=Column(JSONB, nullable=False))
    """What changes, as the rule book writes it."""
    reason: str
    state: str
    created_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    created_by: str
    applied_at: datetime | None = Field(sa_column=Column(INSTANT))
    problem: str | None
    """Why it could not be applied on its day."""


class RosterChangeEffect(EvaluationRow, table=True):
    """What a change did to one evaluation; written down as WAITING before anything is done."""

    __tablename__ = "roster_change_effect"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency", "change"], ["roster_change.agency", "roster_change.change"]
        ),
        Index(
            "roster_change_effect_waiting_idx",
            "agency",
            "change",
            "cycle",
            "person",
            "segment",
            postgresql_where=text("outcome = 'WAITING'"),
        ),
    )

    change: str = Field(primary_key=True)
    command: str
    outcome: str
    reason: str | None
    settled_at: datetime | None = Field(sa_column=Column(INSTANT))


class PersonLeave(Row, table=True):
    """Days, both included, on which somebody is on leave and is not reminded."""

    __tablename__ = "person_leave"

    person: str = Field(primary_key=True)
    from_on: date = Field(primary_key=True)
    to_on: date
    kind: str
    change: str
