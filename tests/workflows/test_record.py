"""What a running evaluation keeps for the store, however long the store is away."""

from datetime import UTC, datetime

from siklus.workflows.carry import Carry
from siklus.workflows.domain.commands import Actor, Order, ReportProgress
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.evolve import fold
from siklus.workflows.domain.values import PersonId
from siklus.workflows.record import BATCH_BYTES, BATCH_ENTRIES, Record
from tests.domain.story import SITI, planned

NOW = datetime(2026, 2, 2, 3, tzinfo=UTC)


def test_a_long_outage_is_caught_up_in_bites_that_one_activity_can_carry() -> None:
    at_work = planned().state
    record = Record(Carry(evaluation=at_work), NOW)
    for number in range(200):
        command = ReportProgress(prose={"note": f"{number} " + "x" * 60_000})
        order = Order(
            actor=Actor(person=PersonId(SITI)), command=command, request_key=str(number), salt="s"
        )
        record.apply(decide(record.state, order, NOW), order)

    seen: list[Entry] = []
    while record.pending:
        bite = record.projection("run-1")
        assert len(bite.entries) <= BATCH_ENTRIES
        assert sum(len(said) for text in bite.texts for said in text.fields.values()) <= BATCH_BYTES
        assert bite.revision == bite.entries[-1].number
        assert {text.digest for text in bite.texts} == {e.event.prose for e in bite.entries}
        seen += bite.entries
        record.confirm(bite)

    assert len(seen) == 200
    assert record.projected == record.state.revision
    assert fold(at_work, seen) == record.state
