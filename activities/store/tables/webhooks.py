"""Webhooks: who gets what, whose turn it is, and what became of each event on its way."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, LargeBinary, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, TEXTS, Row

PENDING = "state = 'PENDING'"


class Subscription(Row, table=True):
    """One receiver of events; its secrets are sealed under the agency's key."""

    subscription: str = Field(primary_key=True)
    url: str
    kinds: list[str] = Field(sa_column=Column(TEXTS, nullable=False))
    """Empty is all."""
    cycle: str | None
    """None is every cycle."""
    state: str
    created_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    keyring_key: str
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    old_keyring_key: str | None
    old_secret: bytes | None = Field(sa_column=Column(LargeBinary))
    """The secret before, which signs as well until `old_secret_until`."""
    old_secret_until: datetime | None = Field(sa_column=Column(INSTANT))


class SubscriptionTurn(Row, table=True):
    """How far a subscription has read the feed, and when something of it is to be sent.

    All that a worker may see of every agency at once. Whoever changes a subscription or its
    deliveries locks this row first.
    """

    __tablename__ = "subscription_turn"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency", "subscription"], ["subscription.agency", "subscription.subscription"]
        ),
    )

    subscription: str = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    due_at: datetime | None = Field(sa_column=Column(INSTANT))
    """None while nothing is to be sent: all is delivered, or the subscription is paused."""


class Delivery(Row, table=True):
    """One event on its way to one receiver; `body` is what is sent, the same at every attempt."""

    __table_args__ = (
        Index(
            "delivery_due_idx",
            "agency",
            "subscription",
            "next_attempt_at",
            "position",
            postgresql_where=text(PENDING),
        ),
        Index(
            "delivery_order_idx",
            "agency",
            "subscription",
            "cycle",
            "person",
            "segment",
            "position",
            postgresql_where=text(PENDING),
        ),
        Index(None, "agency", "subscription", "position"),
        Index(None, "agency", "subscription", "state", "position"),
        ForeignKeyConstraint(
            ["agency", "subscription"], ["subscription.agency", "subscription.subscription"]
        ),
    )

    subscription: str = Field(primary_key=True)
    delivery: str = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    cycle: str
    person: str
    segment: int
    number: int
    kind: str
    recorded_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    body: str
    state: str
    attempts: int
    next_attempt_at: datetime | None = Field(sa_column=Column(INSTANT))
    """Nobody sends it before; None while an earlier event of the evaluation is on its way."""
    last_status: int
    last_error: str
    ended_at: datetime | None = Field(sa_column=Column(INSTANT))
    """When it was delivered or given up."""
