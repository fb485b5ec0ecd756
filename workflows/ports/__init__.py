"""What workflows ask of the world: typed stubs of the activities, with their time limits.

`activities/` holds classes whose methods carry the same names; `services/worker` wires them.
"""

from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

from temporalio import activity
from temporalio.common import RetryPolicy

from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.notices import EventNotice
from siklus.workflows.domain.stages import Task
from siklus.workflows.domain.values import (
    AgencyId,
    CycleId,
    Digest,
    EvaluationKey,
    PersonId,
    Value,
)

FIRST_PROJECTION = timedelta(seconds=1)
"""The one local attempt: it holds the workflow task, so it must be short."""
PROJECTION = timedelta(seconds=10)
PROJECTION_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=30),
)
"""Without end: an evaluation waits for its record for as long as the store is away."""
DIVERGED = "RECORD_DIVERGED"
"""The type of the failure of a projection that the record contradicts; trying again shows it."""
REOPENING_RETRY = replace(PROJECTION_RETRY, non_retryable_error_types=[DIVERGED])
"""For a run that was begun from the record: contradicted by it, the run is over."""
LOOKUP = timedelta(seconds=1)
"""It holds the workflow task too."""
PAGE = timedelta(minutes=5)
HEARTBEAT = timedelta(seconds=10)
"""A worker that gives no sign of life for so long is taken for dead, and another one goes on."""
DELIVERY_PAGE = timedelta(minutes=3)
UPKEEP_AT_MOST = timedelta(minutes=45)
"""Then the run fails, to be seen, and the next hour takes over."""


class Text(Value):
    """The free text of one form, to be kept apart from the events under its digest."""

    digest: Digest
    salt: str
    fields: dict[str, str]


class Projection(Value):
    """New entries of one evaluation and how it stands after them.

    Idempotent by (evaluation, number): applying it twice, or after a later one, changes nothing.
    It must follow what the store has: one without its predecessor, or with another, fails. Only
    what was recorded earlier in its place steps aside: a workflow task wrote it that was lost.
    """

    key: EvaluationKey
    run: str
    """Temporal's run that decided them: only within one run can a lost task have written before."""
    entries: tuple[Entry, ...]
    texts: tuple[Text, ...] = ()
    notices: tuple[EventNotice, ...] = ()
    revision: int
    stage: str
    ended: bool
    unit: str
    supervisor: PersonId
    participants: tuple[PersonId, ...]
    """Everybody who may look: seats, deciders and whoever was ever involved."""
    predicate: str | None = None
    policy: str
    policy_version: int
    zone: str
    tasks: tuple[Task, ...] = ()
    """The tasks that are open now."""
    document: str
    """The state as JSON without its terms: what GetEvaluation reads back."""


class Lookup(Value):
    """Whose superior is asked for."""

    agency: AgencyId
    person: PersonId


class Superior(Value):
    """The nearest active superior; None at the top of the line."""

    person: PersonId | None


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


class OperationRef(Value):
    """One operation of one agency."""

    agency: AgencyId
    operation: str


class OperationTurn(Value):
    """The place of an evaluation on an operation's list."""

    cycle: CycleId
    person: PersonId
    segment: int


class OperationPage(Value):
    """The next evaluations of an operation's list, at most `size` of them."""

    ref: OperationRef
    after: OperationTurn | None = None
    size: int = 200
    pace: int = 0
    """Evaluations at most a second; 0 is as fast as can be."""


class TurnsTaken(Value):
    """What became of a page; `cursor` None ends the list."""

    cursor: OperationTurn | None


class OperationNote(Value):
    """Whether an operation is paused or called off now, for people to see."""

    ref: OperationRef
    paused: bool
    cancelled: bool = False


class OperationEnd(Value):
    """How an operation came to its end."""

    ref: OperationRef
    cancelled: bool


class ReminderRun(Value):
    """One agency's reminder pass over the units of one zone, as of a local date."""

    agency: AgencyId
    zone: str
    as_of: date | None = None
    """None is today in that zone."""


class Planned(Value):
    """What a reminder pass wrote into the ledger."""

    working_day: bool
    notices: int


class DeliveryPage(Value):
    """Deliver the waiting notices of at most `size` people."""

    agency: AgencyId
    size: int = 100


class Delivered(Value):
    """What a delivery page did; `more` asks for another."""

    people: int
    mails: int
    failed: int
    more: bool


class ChangeRef(Value):
    """One change of one agency's roster."""

    agency: AgencyId
    change: str


class ClosedSegment(Value):
    """A segment that a transfer closed, with the interim rating it ended with, if any."""

    key: EvaluationKey


class UpkeepPage(Value):
    """Where the upkeep of an agency goes on: after that evaluation, if any."""

    agency: AgencyId
    after: EvaluationKey | None = None
    size: int = 50


class Relieved(Value):
    """What a page of upkeep did; `after` None ends it."""

    handed_over: int
    after: EvaluationKey | None


@activity.defn(name="project")
async def project(projection: Projection) -> None:
    """Write new entries, the row, the open tasks, the texts and the notices in one transaction."""
    raise NotImplementedError


@activity.defn(name="superior_of")
async def superior_of(lookup: Lookup) -> Superior:
    """Return the nearest active superior by today's roster."""
    raise NotImplementedError


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


@activity.defn(name="freeze_operation")
async def freeze_operation(ref: OperationRef) -> None:
    """Write down which evaluations an operation is about. Once only."""
    raise NotImplementedError


@activity.defn(name="take_turns")
async def take_turns(page: OperationPage) -> TurnsTaken:
    """Give the evaluations of one page their command; heartbeats; a second time applies nothing."""
    raise NotImplementedError


@activity.defn(name="note_operation")
async def note_operation(note: OperationNote) -> None:
    """Write how an operation stands; noting it twice changes nothing."""
    raise NotImplementedError


@activity.defn(name="finish_operation")
async def finish_operation(end: OperationEnd) -> None:
    """Note that an operation is over, and of everybody who still waits that it was called off."""
    raise NotImplementedError


@activity.defn(name="plan_reminders")
async def plan_reminders(run: ReminderRun) -> Planned:
    """Write the notices that are due into the ledger, in large pages; heartbeats after each."""
    raise NotImplementedError


@activity.defn(name="deliver_page")
async def deliver_page(page: DeliveryPage) -> Delivered:
    """Send one digest to each person with waiting notices and note it in the ledger."""
    raise NotImplementedError


@activity.defn(name="begin_change")
async def begin_change(ref: ChangeRef) -> bool:
    """Put a change into the roster, once; tell whether evaluations are to follow."""
    raise NotImplementedError


@activity.defn(name="change_page")
async def change_page(ref: ChangeRef) -> bool:
    """Let the next evaluations follow a change, each once; tell whether more wait."""
    raise NotImplementedError


@activity.defn(name="finish_change")
async def finish_change(ref: ChangeRef) -> None:
    """Mark a change as applied; marking it twice changes nothing."""
    raise NotImplementedError


@activity.defn(name="hand_over")
async def hand_over(segment: ClosedSegment) -> None:
    """Bring a closed segment's interim result to the running one, where there is one already."""
    raise NotImplementedError


@activity.defn(name="start_due_changes")
async def start_due_changes(agency: AgencyId) -> int:
    """Begin the changes whose day has come; return how many. One that is under way goes on."""
    raise NotImplementedError


@activity.defn(name="refresh_calendars")
async def refresh_calendars(agency: AgencyId) -> str | None:
    """Have days off that a new release knows brought to what runs, once; return the operation."""
    raise NotImplementedError


@activity.defn(name="unlink_answers")
async def unlink_answers(agency: AgencyId) -> int:
    """Part what was said by colleagues and citizens from whoever said it, where it is time to."""
    raise NotImplementedError


@activity.defn(name="relieve_page")
async def relieve_page(page: UpkeepPage) -> Relieved:
    """Hand over what people hold who work there no more, in the next evaluations."""
    raise NotImplementedError
