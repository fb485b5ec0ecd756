"""Who is in a cycle's cohort, and who may join it later."""

from enum import StrEnum

from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Value


class LeftOut(StrEnum):
    """Why a person of the agency gets no evaluation."""

    OUTSIDE_UNITS = "OUTSIDE_UNITS"
    OTHER_POSITION = "OTHER_POSITION"
    NOT_NAMED = "NOT_NAMED"
    """The cycle names the only people who are in."""
    INACTIVE = "INACTIVE"
    UNPAID_LEAVE = "UNPAID_LEAVE"
    DISMISSED_FOR_A_TIME = "DISMISSED_FOR_A_TIME"
    PRE_RETIREMENT = "PRE_RETIREMENT"
    EXCLUDED_BY_TEAM = "EXCLUDED_BY_TEAM"
    """Left out by the team on another ground."""
    JOINED_LATER = "JOINED_LATER"
    NO_RATER = "NO_RATER"
    """At the top of a line, and the cycle names nobody else to rate there."""
    UNKNOWN_SUPERVISOR = "UNKNOWN_SUPERVISOR"
    SUPERVISOR_INACTIVE = "SUPERVISOR_INACTIVE"
    ALREADY_STARTED = "ALREADY_STARTED"
    """In a preview, and of somebody who was to be added."""
    ALREADY_WAITING = "ALREADY_WAITING"
    """Of somebody who was to be added and will be started anyway."""
    NOT_IN_COHORT = "NOT_IN_COHORT"
    """In a preview: came to the roster after the cohort was frozen, and can be added."""
    NOT_IN_ROSTER = "NOT_IN_ROSTER"
    """Of somebody who was to be added."""


MAY_COME_BACK = frozenset({Stage.EXCLUDED, Stage.CANCELLED, Stage.SEGMENT_CLOSED})
"""How an evaluation ends that leaves room for another segment of the year [our decision]: a
completed one has the year's result."""


class Standing(Value):
    """How somebody who is to be added stands in a cycle."""

    judged: LeftOut | None
    """What speaks against the person, the cycle's own filters left aside."""
    waiting: bool = False
    """In the cohort and not started."""
    started_segment: int = 0
    """The newest segment that was started; 0 for none."""
    segment: int = 0
    """The newest segment on record; 0 for none."""
    stage: Stage | None = None
    """Where that one stands."""


def segment_to_start(standing: Standing) -> int | LeftOut:
    """Return which segment begins for somebody who is added to a running cycle, or why none does.

    Late joiners get the first. Whoever comes back after an evaluation that was excluded, cancelled
    or closed by a transfer gets the next number, because numbers are never used again. Never two
    at once: one that runs, or that was started and is not on record yet, refuses.
    """
    if standing.judged is not None:
        return standing.judged
    if standing.waiting:
        return LeftOut.ALREADY_WAITING
    if standing.started_segment > standing.segment:
        return LeftOut.ALREADY_STARTED
    if standing.stage is not None and standing.stage not in MAY_COME_BACK:
        return LeftOut.ALREADY_STARTED
    return standing.segment + 1
