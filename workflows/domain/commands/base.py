"""What every command is made of: facts, and free texts beside them."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from siklus.workflows.domain.values import Code, Level, Value

FORM_BYTES = 64 * 1024
"""The texts of one form together, in UTF-8 bytes (our decision)."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Prose = dict[str, str]


class IndicatorKind(StrEnum):
    """How an indicator is judged."""

    QUANTITATIVE = "QUANTITATIVE"
    QUALITATIVE = "QUALITATIVE"


class Indicator(Value):
    """One line of a plan; its description and target are prose under `indicators.<id>`."""

    id: Code
    kind: IndicatorKind


class IndicatorLevel(Value):
    """What the rater gives one indicator."""

    id: Code
    level: Level


class Command(Value):
    """Base of every command."""

    prose: Prose = {}
