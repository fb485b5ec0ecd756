"""What a service might vouch for beside a command of a random walk."""

from random import Random
from typing import Any

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.scheme.distribution import Guide, Mode, Organisation
from siklus.workflows.domain.values import PersonId, Predicate


def vouched(random: Random, command: c.AnyCommand, people: tuple[PersonId, ...]) -> dict[str, Any]:
    """Return all of it, as fields of the order."""
    return {
        "group": group_of(random, command),
        "calibration": calibration_of(random, command),
        "panel": panel_of(random, command, people),
    }


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


def panel_of(
    random: Random, command: c.AnyCommand, people: tuple[PersonId, ...]
) -> c.InPanel | None:
    """Return who was appointed, or who of those named works there; now and then nobody knows."""
    if random.random() < 0.2:
        return None
    if isinstance(command, c.SeatPanel):
        return c.InPanel(members=command.members)
    return c.InPanel(members=tuple(random.sample(people, 3)))
