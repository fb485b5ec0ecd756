"""Free texts, encrypted, and the keys without which they are gone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, LargeBinary, text
from sqlmodel import Field

from siklus.activities.store.tables.base import INSTANT, EvaluationRow, Row


class Prose(EvaluationRow, table=True):
    """The texts of one form with their salt, sealed under the evaluation's data key."""

    digest: str = Field(primary_key=True)
    data_key: str
    """Which data key sealed it: after an erasure there is another, or none."""
    nonce: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DataKey(EvaluationRow, table=True):
    """The key of one evaluation's texts, wrapped by its agency's; deleting it erases them."""

    __tablename__ = "data_key"

    id: str
    keyring_key: str
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Erasure(Row, table=True):
    """One person's texts were erased; it stays to be seen that they were, by whom and why."""

    person: str = Field(primary_key=True)
    erasure: UUID = Field(
        primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")}
    )
    evaluations: int
    """How many keys were destroyed."""
    actor: str
    reason: str
    """As it was given: on whose demand and by which rule."""
    erased_at: datetime = Field(sa_column=Column(INSTANT, nullable=False))
