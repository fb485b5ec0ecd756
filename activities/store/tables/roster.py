"""Who works where, under whom, and on which days nobody works."""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, Row


class Agency(Row, table=True):
    """One tenant."""

    name: str
    created_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))


class Unit(Row, table=True):
    """One unit; `parent` empty at the top, `approver` null inherits the parent's."""

    code: str = Field(primary_key=True)
    name: str
    parent: str | None
    zone: str
    weekdays: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    approver: str | None


class Person(Row, table=True):
    """One person; `supervisor` is null at the top of a line alone."""

    __table_args__ = (
        UniqueConstraint("agency", "nip"),
        UniqueConstraint("agency", "ref"),
        ForeignKeyConstraint(["agency", "unit"], ["unit.agency", "unit.code"]),
        Index(None, "agency", "unit", "person"),
        Index(None, "agency", "supervisor", "person"),
        Index("person_agency_gone_idx", "agency", "person", postgresql_where=text("NOT active")),
    )

    person: str = Field(primary_key=True)
    nip: str
    """Personal data: birth date and sex can be read from it."""
    name: str
    email: str
    unit: str
    position: str
    supervisor: str | None
    top: bool
    language: str
    joined_on: date | None
    ref: str | None
    """The agency's own stable key: numbers of contract staff change."""
    active: bool


class Holiday(Row, table=True):
    """A regional day off of one unit; unit '' is the whole agency."""

    unit: str = Field(primary_key=True)
    day_on: date = Field(primary_key=True)
    name: str = Field(primary_key=True)
