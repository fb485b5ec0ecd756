"""Free texts, encrypted, and the keys without which they are gone."""

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field

from siklus.activities.store.tables.base import EvaluationRow


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
