"""What organisations were rated, and the calibrations of their units' ratings."""

from datetime import datetime

from sqlalchemy import Column, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, TEXTS, Row


class OrganisationRating(Row, table=True):
    """One act that says what an organisation was rated; rows are only ever added."""

    __tablename__ = "organisation_rating"
    __table_args__ = (
        ForeignKeyConstraint(["agency", "cycle"], ["cycle.agency", "cycle.cycle"]),
        Index(None, "agency", "cycle", "unit", "number"),
    )

    cycle: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    unit: str
    """Empty is the whole agency."""
    predicate: str
    reason: str
    set_by: str
    set_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))


class Calibration(Row, table=True):
    """One unit's ratings of a cycle looked at together."""

    __table_args__ = (
        ForeignKeyConstraint(["agency", "cycle"], ["cycle.agency", "cycle.cycle"]),
        Index(None, "agency", "cycle", "opened_at", "calibration"),
        Index(
            "calibration_open_idx",
            "agency",
            "cycle",
            "unit",
            unique=True,
            postgresql_where=text("state = 'OPEN'"),
        ),
    )

    calibration: str = Field(primary_key=True)
    cycle: str
    unit: str
    chair: str
    state: str
    reason: str
    opened_by: str
    opened_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    closed_by: str | None
    closed_at: datetime | None = Field(sa_column=Column(INSTANT))
    closing: str | None
    members: list[str] = Field(sa_column=Column(TEXTS, nullable=False))
    """Who votes on its proposals; empty is its chair and the team."""
    quorum: int
    """How many equal votes decide; 0 without a panel."""
    operation: str | None
    """Releases the unit's ratings, once it is closed."""


class CalibrationProposal(Row, table=True):
    """Another predicate that is proposed for one evaluation, and what was decided on it."""

    __tablename__ = "calibration_proposal"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency", "calibration"], ["calibration.agency", "calibration.calibration"]
        ),
        Index(None, "agency", "cycle", "person", "segment"),
    )

    calibration: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    cycle: str
    person: str
    segment: int
    before: str | None
    """The predicate that stood when it was proposed."""
    revision: int
    """Of the evaluation at that time: a rating after it is the rater's answer."""
    proposed: str
    reason: str
    proposed_by: str
    proposed_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    state: str
    decided_by: str | None
    decided_at: datetime | None = Field(sa_column=Column(INSTANT))
    decision: str | None


class CalibrationVote(Row, table=True):
    """One vote on a proposal; rows are only ever added, and the newest of a member counts."""

    __tablename__ = "calibration_vote"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency", "calibration", "number"],
            [
                "calibration_proposal.agency",
                "calibration_proposal.calibration",
                "calibration_proposal.number",
            ],
        ),
    )

    calibration: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    vote: int = Field(primary_key=True)
    member: str
    agreed: bool
    reason: str
    voted_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
