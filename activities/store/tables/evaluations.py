"""Evaluations as they stand, who may look at them, their events, and the feed of all events."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, TEXTS, EvaluationRow, Row


class Evaluation(EvaluationRow, table=True):
    """One evaluation after its event number `revision`; `document` is the state as JSON."""

    __table_args__ = (
        Index(None, "agency", "person", "cycle", "segment"),
        Index(None, "agency", "supervisor", "cycle", "person", "segment"),
        Index(None, "agency", "unit", "cycle", "person", "segment"),
        Index(None, "agency", "stage", "cycle", "person", "segment"),
        Index(None, "agency", "cycle", "stage", "unit", "next_due_at"),
        Index(
            "evaluation_overdue_idx",
            "agency",
            "next_due_at",
            "cycle",
            "person",
            "segment",
            postgresql_where=text("next_due_at IS NOT NULL"),
        ),
    )

    unit: str
    supervisor: str
    participants: list[str] = Field(sa_column=Column(TEXTS, nullable=False))
    stage: str
    revision: int
    predicate: str | None
    policy: str
    policy_version: int
    zone: str
    next_due_at: datetime | None = Field(sa_column=Column(INSTANT))
    ended: bool
    opened_at: datetime | None = Field(sa_column=Column(INSTANT))
    updated_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    document: str


class Participant(Row, table=True):
    """Who may look at which evaluation; rows are only ever added.

    A table of its own, because row-level security keeps array operators from using an index.
    """

    participant: str = Field(primary_key=True)
    cycle: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    segment: int = Field(primary_key=True)


class Event(EvaluationRow, table=True):
    """One recorded event; nobody changes it, and it leaves only to be superseded.

    `body` is the canonical form that `hash` chains to the event before.
    """

    number: int = Field(primary_key=True)
    kind: str
    occurred_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    actor: str
    principal: str | None
    mandate: str | None
    request_key: str | None
    command_digest: str | None
    body: str
    hash: str
    run: str
    """Temporal's run that decided it."""
    stage: str | None
    """Where the evaluation stood when this was recorded; null before that was written down."""
    unit: str | None
    supervisor: str | None


class Superseded(EvaluationRow, table=True):
    """What a lost workflow task wrote as an event before something else was decided in its place.

    Temporal never took that decision and nobody was told of it; it stays here to be seen.
    """

    number: int = Field(primary_key=True)
    hash: str = Field(primary_key=True)
    kind: str
    occurred_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    actor: str
    principal: str | None
    mandate: str | None
    request_key: str | None
    command_digest: str | None
    body: str
    run: str
    stage: str | None
    unit: str | None
    supervisor: str | None
    superseded_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))


class Unsequenced(Row, table=True):
    """An event that has no place in the feed yet; a trigger adds it with the event itself.

    `arrival` grows as events are written, not as they are committed.
    """

    arrival: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    cycle: str
    person: str
    segment: int
    number: int
    hash: str


class Feed(Row, table=True):
    """The place of each event in the one order that watchers follow.

    One number may come twice with different hashes: the first was superseded.
    """

    __table_args__ = (
        UniqueConstraint("agency", "cycle", "person", "segment", "number", "hash"),
        Index(None, "agency", "position"),
    )

    agency: str
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    cycle: str
    person: str
    segment: int
    number: int
    hash: str
