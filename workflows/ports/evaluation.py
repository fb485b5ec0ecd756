"""What an evaluation asks of the world: its record, a superior, a closed segment's result."""

from temporalio import activity

from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.notices import EventNotice
from siklus.workflows.domain.stages import Task
from siklus.workflows.domain.values import AgencyId, Digest, EvaluationKey, PersonId, Value


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


class ClosedSegment(Value):
    """A segment that a transfer closed, with the interim rating it ended with, if any."""

    key: EvaluationKey


@activity.defn(name="project")
async def project(projection: Projection) -> None:
    """Write new entries, the row, the open tasks, the texts and the notices in one transaction."""
    raise NotImplementedError


@activity.defn(name="superior_of")
async def superior_of(lookup: Lookup) -> Superior:
    """Return the nearest active superior by today's roster."""
    raise NotImplementedError


@activity.defn(name="hand_over")
async def hand_over(segment: ClosedSegment) -> None:
    """Bring a closed segment's interim result to the running one, where there is one already."""
    raise NotImplementedError
