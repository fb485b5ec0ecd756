"""What an act on many evaluations asks of the world: its list, page by page."""

from temporalio import activity

from siklus.workflows.domain.values import AgencyId, CycleId, PersonId, Value


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
