"""What every table shares: its names, its key's first column, its types."""

from typing import ClassVar

from sqlalchemy import TIMESTAMP, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

METADATA = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

INSTANT = TIMESTAMP(timezone=True)
TEXTS = ARRAY(Text)


class Row(SQLModel):
    """A row of one agency; row-level security hides it from every other.

    The classes only define tables: SQLModel checks nothing when such a row is made.
    """

    metadata: ClassVar[MetaData] = METADATA

    agency: str = Field(primary_key=True)


class EvaluationRow(Row):
    """A row of one evaluation, under its key."""

    cycle: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    segment: int = Field(primary_key=True)
