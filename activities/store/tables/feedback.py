"""What citizens say of service contacts, and the tickets that let them."""

from datetime import date, datetime

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, Row


class ServiceTicket(Row, table=True):
    """One issued ticket, by its hash: the ticket itself is nowhere."""

    __tablename__ = "service_ticket"
    __table_args__ = (UniqueConstraint("agency", "reference"),)

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
    """Of the request that used it, ticket included: without it nobody can compute it."""


class ContactRating(Row, table=True):
    """How a citizen rated one contact; nothing here leads to the ticket or its reference."""

    __tablename__ = "contact_rating"
    __table_args__ = (
        Index(None, "agency", "person", "served_on"),
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
