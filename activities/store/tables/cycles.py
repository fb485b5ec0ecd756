"""Cycles and their frozen cohorts."""

from datetime import datetime

from sqlalchemy import Column, ForeignKeyConstraint
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


class Member(Row, table=True):
    """One person of a frozen cohort: in or out, and why."""

    __table_args__ = (ForeignKeyConstraint(["agency", "cycle"], ["cycle.agency", "cycle.cycle"]),)

    cycle: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    outcome: str
    reason: str | None
    started_at: datetime | None = Field(sa_column=Column(INSTANT))
    """Set once: a second evaluation of the same person never starts, however late."""
