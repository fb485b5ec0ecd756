"""What an evaluation takes along when it continues as a new run: a public schema."""

from typing import ClassVar

from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.panel import Spoken
from siklus.workflows.domain.scheme.standing import Breach
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest, Grown, Instant, PersonId, Value

ANSWERED_KEPT = 64
"""Requests whose answers are remembered; Temporal forgets them with each run."""

ERASED_SALT = ""
"""Stands where a request's texts were erased with their salt: nothing can be compared any more."""


class Receipt(Grown, Value):
    """The answer to a command: what it led to."""

    added: ClassVar[frozenset[str]] = frozenset({"panel"})

    revision: int
    stage: Stage
    holder: PersonId | None
    """Who has the most urgent open task; None is the team, or nobody once it has ended."""
    due_at: Instant | None
    digest: Digest
    """Of the command as applied, under `salt`: tells a repeat from another request."""
    salt: str
    """`ERASED_SALT` where the texts are gone: then the digest tells nothing."""
    recorded_at: Instant
    projected: bool
    """Whether the store shows it already."""
    asks_second_person: bool = False
    """Whether nothing is done yet: another of the team has to give the same command."""
    warnings: tuple[Breach, ...] = ()
    """What a rating passes of the guide for its group; it was given all the same."""
    panel: Spoken | None = None
    """After a vote that decided nothing: how many of the panel have spoken."""


class Answered(Value):
    """One request and its receipt."""

    request_key: str
    receipt: Receipt


class Carry(Value):
    """State between two runs of one evaluation; fields are only ever added, with defaults.

    The store has everything by then: an evaluation waits for it before it changes runs.
    """

    schema_version: int = 1
    evaluation: Evaluation
    answered: tuple[Answered, ...] = ()


class Outcome(Value):
    """How an evaluation ended."""

    stage: Stage
    revision: int
    predicate: str | None
