"""What a calibration says to an evaluation, and what the service vouches for beside commands."""

from typing import Literal

from siklus.workflows.domain.commands.base import Command
from siklus.workflows.domain.scheme.distribution import Guide, Mode, Organisation
from siklus.workflows.domain.values import Code, Predicate, Value


class SendBackRating(Command):
    """A calibration sends the rating back to the rater with a reason (`prose.reason`)."""

    kind: Literal["send_back_rating"] = "send_back_rating"
    calibration: Code


class ReleaseRating(Command):
    """A rating in calibration goes on to its delivery (`prose.reason`)."""

    kind: Literal["release_rating"] = "release_rating"
    calibration: Code | None = None
    """The calibration that has looked at it, where there was one."""


class InGroup(Value):
    """The guide for an employee's unit, and how the others of it are rated at the moment."""

    mode: Mode
    min_group_size: int
    organisation: Organisation
    """What the organisation itself was rated."""
    guides: tuple[Guide, ...]
    """What the policy, in the version of this cycle, says for that."""
    others: dict[Predicate, int] = {}
    """How many of the others hold which predicate."""
    unrated: int = 0
    """How many of the others are not rated yet."""
    agreed: Predicate | None = None
    """What a calibration has agreed to for this employee."""

    @property
    def size(self) -> int:
        """How many are in the group, this one included."""
        return sum(self.others.values()) + self.unrated + 1

    @property
    def applies(self) -> bool:
        """Tell whether the guide is looked at: `off` is a real off, and few are passed over."""
        return self.mode is not Mode.OFF and self.size >= self.min_group_size


class InCalibration(Value):
    """What the record says of the calibration that a command names."""

    open: bool
    """Whether it is still under way."""
    covers: bool
    """Whether it is one of this evaluation's cycle and unit."""
