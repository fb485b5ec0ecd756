"""What a service might vouch for beside a command of a random walk."""

from random import Random

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.scheme.distribution import Guide, Mode, Organisation
from siklus.workflows.domain.values import Predicate


def group_of(random: Random, command: c.AnyCommand) -> c.InGroup | None:
    """Return how the others of the unit are rated, now and then against a guide."""
    if not isinstance(command, c.Rate) or random.random() < 0.5:
        return None
    return c.InGroup(
        mode=random.choice((Mode.WARN, Mode.WARN, Mode.OFF, Mode.BLOCK)),
        min_group_size=10,
        organisation=Organisation.BAIK,
        guides=(Guide(predicates=(Predicate.BAIK,), at_most_percent=70),),
        others={Predicate.BAIK: random.choice((2, 7, 9)), Predicate.KURANG: 1},
        agreed=random.choice((None, Predicate.BAIK)),
    )


def calibration_of(random: Random, command: c.AnyCommand) -> c.InCalibration | None:
    """Return what the record says of a calibration that a command names."""
    if not isinstance(command, c.SendBackRating | c.ReleaseRating):
        return None
    return c.InCalibration(open=random.random() < 0.9, covers=random.random() < 0.9)
