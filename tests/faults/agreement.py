"""Whether the three tellings of an evaluation agree: its workflow, its row, its folded history.

The workflow's own state is what a replay of its Temporal history arrives at.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations, history
from siklus.workflows import evaluation as shell
from siklus.workflows import names
from siklus.workflows.carry import Carry
from siklus.workflows.domain.decide import seal
from siklus.workflows.domain.events import Entry, EvaluationOpened
from siklus.workflows.domain.evolve import begin, fold, start_of
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.values import EvaluationKey
from siklus.workflows.record import Record

MOST_EVENTS = 10_000


@dataclass(frozen=True)
class Told:
    """One evaluation as its workflow and the store tell it."""

    record: Record
    row: evaluations.EvaluationRow
    entries: list[Entry]


async def must_agree(
    client: Client, store: Store, keys: Iterable[EvaluationKey], *, within: float = 0
) -> None:
    """Fail unless workflow, row and folded history are one for every evaluation.

    A record may be behind its workflow, or a replay behind the record, for so many seconds.
    """
    deadline = monotonic() + within
    wanted = list(keys)
    while wanted:
        records = await replayed(client, wanted)
        stories = [await told(store, records[key], key) for key in wanted]
        moving = [each for each in stories if each.row.revision != each.record.state.revision]
        if monotonic() >= deadline:
            moving = []
        for each in stories:
            if each not in moving:
                one_story(each)
        wanted = [each.record.state.key for each in moving]


async def told(store: Store, record: Record, key: EvaluationKey) -> Told:
    """Return an evaluation as it is told everywhere."""
    async with store.agency(key.agency) as connection:
        row = await evaluations.get(connection, key)
        rows = await history.page(connection, key, limit=MOST_EVENTS)
    assert row is not None, f"{key} has no row"
    return Told(record, row, [each.entry() for each in rows])


def one_story(told: Told) -> None:
    """Fail unless all three say the same, without a gap and with an unbroken chain."""
    state, entries = told.record.state, told.entries
    assert [entry.number for entry in entries] == list(range(1, state.revision + 1))
    assert not told.record.pending
    previous = begin(_start(told)).head
    for entry in entries:
        assert seal(previous, entry) == entry.hash
        previous = entry.hash
    assert fold(begin(_start(told)), entries) == state
    assert (told.row.revision, told.row.stage) == (state.revision, state.stage)
    assert told.row.document == told.record.projection("run-1").document


def _start(told: Told) -> Start:
    opened = told.entries[0].event
    assert isinstance(opened, EvaluationOpened)
    return start_of(told.record.state.key, told.record.state.terms, opened)


async def replayed(client: Client, keys: Iterable[EvaluationKey]) -> dict[EvaluationKey, Record]:
    """Return what the newest run of each evaluation keeps."""

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for key in keys:
            handle = client.get_workflow_handle(names.evaluation_workflow_id(key))
            yield await handle.fetch_history()

    replayer = Replayer(
        workflows=[shell.EvaluationWorkflow],
        data_converter=client.data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
        # A busy machine is no deadlock.
        debug_mode=True,
    )
    with _records_kept() as kept:
        await replayer.replay_workflows(histories())
    return {record.state.key: record for record in kept}


@contextmanager
def _records_kept() -> Iterator[list[Record]]:
    """Keep the record of every workflow that is replayed meanwhile."""
    kept: list[Record] = []

    class KeptRecord(Record):
        def __init__(self, start: Start | Carry, now: datetime) -> None:
            super().__init__(start, now)
            kept.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shell, "Record", KeptRecord)
        yield kept
