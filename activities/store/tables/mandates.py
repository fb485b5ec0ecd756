"""Who uses whose say, by which letter, on which days."""

from datetime import date, datetime

from sqlalchemy import Column, Index
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, TEXTS, Row


class Mandate(Row, table=True):
    """One mandate of an acting official; it may end early, and nothing else of it changes."""

    __table_args__ = (
        Index(None, "agency", "delegate", "last_on"),
        Index(None, "agency", "principal", "last_on"),
        Index(None, "agency", "from_on", "mandate"),
    )

    mandate: str = Field(primary_key=True)
    principal: str
    delegate: str
    kind: str
    letter: str
    from_on: date
    to_on: date
    """As the letter says."""
    last_on: date
    """The last day on which it holds."""
    scope: list[str] = Field(sa_column=Column(TEXTS, nullable=False))
    """Command kinds; none means all that the principal may give."""
    created_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    created_by: str
    ended_at: datetime | None = Field(sa_column=Column(INSTANT))
    ended_by: str | None
    end_reason: str | None
