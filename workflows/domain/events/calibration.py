"""What the spread of ratings over a unit brings to one evaluation."""

from typing import Literal

from siklus.workflows.domain.events.base import Event
from siklus.workflows.domain.scheme.distribution import Organisation
from siklus.workflows.domain.scheme.standing import Breach
from siklus.workflows.domain.values import Predicate


class DistributionWarned(Event):
    """The rating passes the guide for its group; it was given all the same."""

    kind: Literal["distribution_warned"] = "distribution_warned"
    organisation: Organisation
    predicate: Predicate
    breaches: tuple[Breach, ...]


class RatingReleased(Event):
    """The team, or the end of a calibration, lets a rating go on to its delivery."""

    kind: Literal["rating_released"] = "rating_released"
    calibration: str = ""
    """The calibration that looked at it; empty where there was none."""


class CalibrationPassed(Event):
    """Nobody held the rating back while it could be calibrated."""

    kind: Literal["calibration_passed"] = "calibration_passed"


class RatingSentBack(Event):
    """A calibration asks the rater for another look."""

    kind: Literal["rating_sent_back"] = "rating_sent_back"
    calibration: str
