"""Cycles and their frozen cohorts."""

from datetime import datetime

from sqlalchemy import Column, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, TEXTS, Row


class Cycle(Row, table=True):
    """One year's evaluations of an agency; the policy's version is pinned."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["agency", "policy", "policy_version"],
            ["policy.agency", "policy.name", "policy.version"],
        ),
    )

    cycle: str = Field(primary_key=True)
    title: str
    year: int
    policy: str
    policy_version: int
    units: list[str] = Field(sa_column=Column(TEXTS, nullable=False))
    """Whose people are in, units below them included; empty is everybody."""
    top_rater: str | None
    """Who rates people at the top of a line."""
    state: str
    created_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    launched_at: datetime | None = Field(sa_column=Column(INSTANT))
    positions: list[str] = Field(
        sa_column=Column(TEXTS, nullable=False, server_default=text("'{}'"))
    )
    """Whose people are in, as the roster writes them; empty is all."""
    named: int = Field(sa_column_kwargs={"server_default": text("0")})
    """How many people were named as the only ones who may be in; 0 is everybody."""
    pace: int = Field(sa_column_kwargs={"server_default": text("0")})
    """Evaluations started a second at most; 0 is as fast as can be."""
    closed_at: datetime | None = Field(sa_column=Column(INSTANT))


class CohortPerson(Row, table=True):
    """What a cycle says of one person before it is launched."""

    __tablename__ = "cohort_person"
    __table_args__ = (ForeignKeyConstraint(["agency", "cycle"], ["cycle.agency", "cycle.cycle"]),)

    cycle: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    named: bool
    """One of the only ones who may be in."""
    ground: str | None
    """Why the person is left out."""
    from_rating: bool
    """Joins at the rating (study assignment)."""


class Member(Row, table=True):
    """One person of a frozen cohort, or added to it later: in or out, and why."""

    __table_args__ = (
        ForeignKeyConstraint(["agency", "cycle"], ["cycle.agency", "cycle.cycle"]),
        Index(None, "agency", "cycle", "outcome", "person"),
        Index(
            "member_waiting_idx",
            "agency",
            "cycle",
            "person",
            postgresql_where=text("outcome = 'INCLUDED' AND started_at IS NULL"),
        ),
    )

    cycle: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    outcome: str
    reason: str | None
    started_at: datetime | None = Field(sa_column=Column(INSTANT))
    """Set once: a second evaluation of the same person and segment never starts, however late."""
    segment: int = Field(sa_column_kwargs={"server_default": text("1")})
    from_rating: bool = Field(sa_column_kwargs={"server_default": text("false")})
    added_at: datetime | None = Field(sa_column=Column(INSTANT))
    """When a late joiner or somebody who came back was added; null in the frozen cohort."""
