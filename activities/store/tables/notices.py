"""The ledger of notices: what was planned, and what became of it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, Row


class Notice(Row, table=True):
    """One thing to tell one person over one channel, once.

    A reminder names its task and rung; a task that was closed and opened again is another one.
    Every other kind names the event it tells of.
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
            "recipient",
            "channel",
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
            "channel",
            unique=True,
            postgresql_where=text("number IS NOT NULL"),
        ),
        Index(
            "notice_planned_idx",
            "agency",
            "recipient",
            "notice",
            postgresql_where=text("state = 'PLANNED'"),
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
    due_at: datetime | None = Field(sa_column=Column(INSTANT))
    channel: str
    planned_on: date
    state: str
    attempts: int
    held_until: datetime | None = Field(sa_column=Column(INSTANT))
    """Nobody takes it up before: it is being sent, or has failed a while ago."""
    sent_at: datetime | None = Field(sa_column=Column(INSTANT))
    mail_key: str | None
    last_error_code: str | None
