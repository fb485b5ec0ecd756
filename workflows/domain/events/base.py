"""What every event tells beside its own facts."""

from siklus.workflows.domain.stages import Stage, Task
from siklus.workflows.domain.values import Digest, Value

SCHEMA_VERSION = 1


class Event(Value):
    """Base of every event."""

    prose: Digest | None = None
    """Digest of the texts that came with it."""
    stage: Stage | None = None
    """The stage it led to, when it led to another."""
    opens: tuple[Task, ...] = ()
    closes: tuple[str, ...] = ()
    """Ids of the tasks it settled."""
