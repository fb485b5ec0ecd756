"""The panel that decides an appeal: who seats it, and what the service vouches for beside that."""

from typing import Annotated, Literal

from pydantic import Field

from siklus.workflows.domain.commands.base import Command
from siklus.workflows.domain.policy import MOST_MEMBERS
from siklus.workflows.domain.values import PersonId, Value


class SeatPanel(Command):
    """The agency's team seats the panel for an appeal, or other people on it (`prose.reason`)."""

    kind: Literal["seat_panel"] = "seat_panel"
    members: Annotated[tuple[PersonId, ...], Field(min_length=1, max_length=MOST_MEMBERS)]
    """All who sit on it from there on; the votes of whoever is not among them fall away."""


class InPanel(Value):
    """Who can sit on a panel, as the record has it: never taken from who gives the command."""

    members: tuple[PersonId, ...] = ()
    """With an appeal the appointed ones, with other people those named: who works there now."""
