"""What an evaluation takes along when it continues as a new run: a public schema."""

from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.notices import EventNotice
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest, Instant, PersonId, Value
from siklus.workflows.ports import Text

ANSWERED_KEPT = 64
"""Requests whose answers are remembered; Temporal forgets them with each run."""


class Receipt(Value):
    """The answer to a command: what it led to."""

    revision: int
    stage: Stage
    holder: PersonId | None
    """Who has the most urgent open task; None is the team, or nobody once it has ended."""
    due_at: Instant | None
    digest: Digest
    """Of the command as applied, under `salt`: tells a repeat from another request."""
    salt: str
    recorded_at: Instant
    projected: bool
    """Whether the store shows it already."""


class Answered(Value):
    """One request and its receipt."""

    request_key: str
    receipt: Receipt


class Outbox(Value):
    """What the store has not confirmed yet."""

    entries: tuple[Entry, ...] = ()
    texts: tuple[Text, ...] = ()
    notices: tuple[EventNotice, ...] = ()


class Carry(Value):
    """State between two runs of one evaluation; fields are only ever added, with defaults."""

    schema_version: int = 1
    evaluation: Evaluation
    answered: tuple[Answered, ...] = ()
    outbox: Outbox = Outbox()


class Outcome(Value):
    """How an evaluation ended."""

    stage: Stage
    revision: int
    predicate: str | None
