"""What citizens and colleagues say of somebody, and notes between employee and supervisor."""

from datetime import date, datetime

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, Row


class ServiceTicket(Row, table=True):
    """One issued ticket, by its hash: the ticket itself is nowhere."""

    __tablename__ = "service_ticket"
    __table_args__ = (
        UniqueConstraint("agency", "reference"),
        Index(
            "service_ticket_linked_idx",
            "agency",
            "used_on",
            postgresql_where=text("request_digest IS NOT NULL"),
        ),
    )

    hash: str = Field(primary_key=True)
    reference: str
    """The integrator's own id of the contact."""
    person: str
    unit: str
    service: str
    served_on: date
    issued_by: str
    issued_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    expires_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    used_on: date | None
    request_digest: str | None
    """Of the request that used it, ticket included: without it nobody can compute it.

    Gone once the day is over."""


class ContactRating(Row, table=True):
    """How a citizen rated one contact; nothing here leads to the ticket or its reference."""

    __tablename__ = "contact_rating"
    __table_args__ = (
        Index(None, "agency", "person", "served_on"),
        Index(None, "agency", "rated_on"),
        Index(
            "contact_rating_plain_idx",
            "agency",
            postgresql_where=text("moderation_reason IS NOT NULL"),
        ),
        Index(
            "contact_rating_comments_idx",
            "agency",
            "rated_on",
            "rating",
            postgresql_where=text("comment IS NOT NULL"),
        ),
    )

    rating: str = Field(primary_key=True)
    person: str
    unit: str
    service: str
    served_on: date
    score: int
    rated_on: date
    """The day alone: the hour could tell who it was."""
    comment: str | None
    """Digest of the text, which is sealed with the person's; null where nothing was said."""
    comment_state: str | None
    moderated_by: str | None
    moderated_at: datetime | None = Field(sa_column=Column(INSTANT))
    moderation_reason: str | None
    """In plain text, as it was kept once; the upkeep seals it, and new ones are sealed at once."""
    moderated_because: str | None
    """Digest of the reason, which is sealed with the person's texts."""


class FeedbackRound(Row, table=True):
    """One group of colleagues who were asked about one employee."""

    __tablename__ = "feedback_round"
    __table_args__ = (
        UniqueConstraint("agency", "cycle", "person", "segment", "grouping"),
        Index(
            "feedback_round_open_idx",
            "agency",
            "closes_at",
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    round: str = Field(primary_key=True)
    cycle: str
    person: str
    segment: int
    grouping: str
    anonymous: bool
    invited: int
    min_answers: int
    invited_by: str
    closes_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    closed_at: datetime | None = Field(sa_column=Column(INSTANT))
    """When all that could lead from an answer to its author was taken away."""


class FeedbackInvitation(Row, table=True):
    """Who was asked, and whether they answered; not what."""

    __tablename__ = "feedback_invitation"
    __table_args__ = (Index(None, "agency", "invitee", "round"),)

    round: str = Field(primary_key=True)
    invitee: str = Field(primary_key=True)
    answered: bool
    request_mark: str | None
    """By what the same request is known again; gone when the round closes."""


class FeedbackAnswer(Row, table=True):
    """What was answered; not by whom, unless the round is named."""

    __tablename__ = "feedback_answer"
    __table_args__ = (Index(None, "agency", "round"),)

    answer: str = Field(primary_key=True)
    round: str
    score: int
    week_on: date
    """Monday of the week: when it came, nobody shall know better. Of a closed round, the week in
    which it closed."""
    comment: str | None
    author: str | None


class FeedbackNote(Row, table=True):
    """One note between an employee and their supervisor; its text is sealed with the employee's."""

    __tablename__ = "feedback_note"
    __table_args__ = (Index(None, "agency", "cycle", "person", "segment", "written_at", "note"),)

    note: str = Field(primary_key=True)
    cycle: str
    person: str
    segment: int
    kind: str
    author: str
    other: str
    team: bool
    text: str
    """Its digest."""
    written_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
