"""What the launch of a cycle asks of the world: its cohort, page by page."""

from enum import StrEnum

from temporalio import activity

from siklus.workflows.domain.values import AgencyId, CycleId, PersonId, Value


class CohortPage(Value):
    """A page of a frozen cohort: at most `size` members after the cursor are started."""

    agency: AgencyId
    cycle: CycleId
    after: PersonId | None = None
    size: int = 200
    pace: int = 0
    """Started a second at most; 0 is as fast as can be."""


class PageOutcome(Value):
    """What became of a page; `cursor` None ends the cohort."""

    started: int
    already: int
    cursor: PersonId | None


class CohortRef(Value):
    """One cycle of one agency."""

    agency: AgencyId
    cycle: CycleId


class LaunchState(StrEnum):
    """How a launch stands that is under way."""

    LAUNCHING = "LAUNCHING"
    PAUSED = "PAUSED"
    CANCELLED = "CANCELLED"


class LaunchNote(Value):
    """How a launch stands now, for people to see."""

    cohort: CohortRef
    state: LaunchState
    pace: int


@activity.defn(name="freeze_cohort")
async def freeze_cohort(cohort: CohortRef) -> int:
    """Write one row per person, in or out with a reason; return how many are in. Once only.

    The schedules of the agency that are missing are made first.
    """
    raise NotImplementedError


@activity.defn(name="start_page")
async def start_page(page: CohortPage) -> PageOutcome:
    """Start the evaluations of one page; heartbeats how far it is; starting twice starts once."""
    raise NotImplementedError


@activity.defn(name="finish_launch")
async def finish_launch(cohort: CohortRef) -> None:
    """Mark the cycle as launched, unless somebody was added meanwhile."""
    raise NotImplementedError


@activity.defn(name="note_launch")
async def note_launch(note: LaunchNote) -> None:
    """Write how a launch stands; noting it twice changes nothing."""
    raise NotImplementedError


@activity.defn(name="cancel_launch")
async def cancel_launch(cohort: CohortRef) -> int:
    """Note of everybody who waits that the launch was called off; return how many in all."""
    raise NotImplementedError
