"""Published policies, calendars as they were pinned, and answers to requests."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, Row


class Policy(Row, table=True):
    """One published version; never changed."""

    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    source: str
    """The pack as its author wrote it."""
    compiled: dict[str, object] = Field(sa_column=Column(JSONB, nullable=False))
    digest: str
    published_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
    published_by: str


class Calendar(Row, table=True):
    """A calendar snapshot under the digest that the first event of evaluations names."""

    digest: str = Field(primary_key=True)
    snapshot: dict[str, object] = Field(sa_column=Column(JSONB, nullable=False))


class Request(Row, table=True):
    """The answer to a request that makes something, for the same request sent again."""

    __table_args__ = (Index(None, "agency", "answered_at"),)

    principal: str = Field(primary_key=True)
    method: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True)
    body_digest: str
    response: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    answered_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
