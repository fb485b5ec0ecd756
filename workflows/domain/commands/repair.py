"""How the team mends what went wrong, with a reason and a trace."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from siklus.workflows.domain.commands.base import Command
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level


class ReturnToStage(Command):
    """The team sends an evaluation back to an earlier stage (`prose.reason`)."""

    kind: Literal["return_to_stage"] = "return_to_stage"
    stage: Stage


class Correctable(StrEnum):
    """An entry that the team may put right; a rating is no such entry, its rater gives it anew."""

    PERIODIC_EVALUATION = "PERIODIC_EVALUATION"
    SELF_EVALUATION = "SELF_EVALUATION"


class CorrectEntry(Command):
    """The team puts the levels of an entry right that were written down wrong (`prose.reason`)."""

    kind: Literal["correct_entry"] = "correct_entry"
    entry: Correctable
    number: Annotated[int, Field(ge=0, le=12)] = 0
    """Which period; 0 for the self-evaluation."""
    results: Level
    behaviour: Level
