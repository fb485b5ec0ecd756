"""Open tasks and whose inboxes they stand in."""

from datetime import date, datetime

from sqlalchemy import Column, Date, Index, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, TEXTS, EvaluationRow, Row


class Task(EvaluationRow, table=True):
    """One open task; closed ones are gone, the events tell of them."""

    __table_args__ = (Index(None, "agency", "next_remind_on"),)

    task: str = Field(primary_key=True)
    kind: str
    number: int
    unit: str
    zone: str
    holder: str | None
    """Null is the agency's team."""
    may_act: list[str] = Field(sa_column=Column(TEXTS, nullable=False))
    """The holder and whom it was escalated to, in that order."""
    opened_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    due_at: datetime | None = Field(sa_column=Column(INSTANT))
    due_on: date | None
    rule: str | None
    flagged: bool
    rungs: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    """Reminders as working days from due; `remind_on` has their dates, in the same order."""
    remind_on: list[date] = Field(sa_column=Column(ARRAY(Date), nullable=False))
    next_remind_on: date | None
    """The first of them; null when nobody is to be reminded."""
    due_set_at: datetime | None = Field(sa_column=Column(INSTANT))
    """When its due date was moved the last time; null while it has the first one."""


class TaskActor(Row, table=True):
    """A task in somebody's inbox, in the order inboxes are read.

    `actor` is a person or `@team`; without a due time `due_at` is infinity.
    """

    __tablename__ = "task_actor"

    actor: str = Field(primary_key=True)
    due_at: datetime = Field(sa_column=Column(INSTANT, primary_key=True))
    cycle: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    segment: int = Field(primary_key=True)
    task: str = Field(primary_key=True)
    kind: str

    __table_args__ = (
        Index("task_actor_evaluation_idx", "agency", "cycle", "person", "segment", "task"),
    )
