"""The table of rules: for each command who may give it, in which stages, and what it does."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from siklus.workflows.domain.authority import Party, Standing
from siklus.workflows.domain.commands import (
    Actor,
    Command,
    Edition,
    InCalibration,
    InGroup,
    InPanel,
    InRoster,
)
from siklus.workflows.domain.events import AnyEvent
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Digest


class Act:
    """The circumstances of one command: who, when, with which texts."""

    __slots__ = (
        "actor",
        "at",
        "calibration",
        "edition",
        "group",
        "panel",
        "prose",
        "roster",
        "standing",
    )

    def __init__(
        self,
        *,
        actor: Actor,
        standing: Standing,
        at: datetime,
        prose: Digest | None,
        roster: InRoster | None,
        group: InGroup | None = None,
        calibration: InCalibration | None = None,
        edition: Edition = Edition.FIRST,
        panel: InPanel | None = None,
    ) -> None:
        self.actor = actor
        self.standing = standing
        self.at = at
        """The legal instant."""
        self.prose = prose
        self.roster = roster
        self.group = group
        self.calibration = calibration
        self.edition = edition
        self.panel = panel


C = TypeVar("C", bound=Command)
Decider = Callable[[Evaluation, C, Act], list[AnyEvent]]


class Rule:
    """What must hold before a command's own rule is asked."""

    __slots__ = ("decide", "number", "parties", "stages", "task")

    def __init__(
        self,
        decide: Decider[Any],
        parties: frozenset[Party],
        stages: frozenset[Stage],
        task: TaskKind | None,
        number: str | None,
    ) -> None:
        self.decide = decide
        self.parties = parties
        self.stages = stages
        self.task = task
        self.number = number
        """The command's field that names which of several tasks is meant."""


RULES: dict[type[Command], Rule] = {}


def decides(
    command: type[C],
    *,
    by: Party | Iterable[Party],
    stages: Iterable[Stage],
    task: TaskKind | None = None,
    number: str | None = None,
) -> Callable[[Decider[C]], Decider[C]]:
    """Enter a function as the rule for a command."""
    parties = frozenset([by] if isinstance(by, Party) else by)

    def register(function: Decider[C]) -> Decider[C]:
        RULES[command] = Rule(function, parties, frozenset(stages), task, number)
        return function

    return register
