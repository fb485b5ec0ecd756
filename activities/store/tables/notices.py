"""The ledger of notices: what was planned, what became of it, and how each person is told."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, Row


class Notice(Row, table=True):
    """One thing to tell one person, once.

    A reminder names its task, rung and due date: a task that was closed and opened again is
    another one, and a deadline that moved is reminded of anew. Every other kind names the event it
    tells of, or its matter where it is no event of the evaluation.
    """

    __table_args__ = (
        Index(
            "notice_reminder_key",
            "agency",
            "cycle",
            "person",
            "segment",
            "task",
            "task_opened_at",
            "rung",
            "due_on",
            "recipient",
            unique=True,
            postgresql_where=text("task IS NOT NULL"),
        ),
        Index(
            "notice_event_key",
            "agency",
            "cycle",
            "person",
            "segment",
            "number",
            "kind",
            "recipient",
            unique=True,
            postgresql_where=text("number IS NOT NULL"),
        ),
        Index(
            "notice_matter_key",
            "agency",
            "cycle",
            "person",
            "segment",
            "matter",
            "kind",
            "recipient",
            unique=True,
            postgresql_where=text("matter IS NOT NULL"),
        ),
        Index(
            "notice_planned_idx",
            "agency",
            "recipient",
            "notice",
            postgresql_where=text("state = 'PLANNED'"),
        ),
        Index(None, "agency", "recipient", "planned_on", "notice"),
        Index(
            "notice_failing_idx",
            "agency",
            "recipient",
            postgresql_where=text("failed_since IS NOT NULL"),
        ),
    )

    notice: UUID = Field(
        primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")}
    )
    kind: str
    recipient: str
    cycle: str
    person: str
    segment: int
    task: str | None
    task_opened_at: datetime | None = Field(sa_column=Column(INSTANT))
    rung: int | None
    number: int | None
    matter: str | None
    due_at: datetime | None = Field(sa_column=Column(INSTANT))
    due_on: date | None
    channel: str
    """How it goes; decided when it is taken up, by what the person then prefers."""
    planned_on: date
    state: str
    attempts: int
    held_until: datetime | None = Field(sa_column=Column(INSTANT))
    """Nobody takes it up before: it is being sent, or has failed a while ago."""
    not_before: datetime | None = Field(sa_column=Column(INSTANT))
    """It waits for the morning; a digest that goes earlier takes it along."""
    handed_at: datetime | None = Field(sa_column=Column(INSTANT))
    """Noted before it is handed over: from then on it may have arrived, whatever is known."""
    sent_at: datetime | None = Field(sa_column=Column(INSTANT))
    repeats: int = Field(sa_column_kwargs={"server_default": text("0")})
    """How often it was handed over again because nobody could know."""
    mail_key: str | None
    last_error_code: str | None
    failed_since: datetime | None = Field(sa_column=Column(INSTANT))
    """When it first failed; null once it went out or fell away."""


class NoticePreference(Row, table=True):
    """How one person is told, or with person '' whoever of the agency has not chosen."""

    __tablename__ = "notice_preference"

    person: str = Field(primary_key=True)
    channel: str | None
    """Null is what the agency has chosen, and there mail."""
    quiet_from: time | None
    quiet_until: time | None
    """Both or none; null as above, and in the end from six in the evening to seven."""
    changed_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
