"""The demo's count of what was lost does find what was lost."""

from dataclasses import replace

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import tally
from siklus.activities.store.queries.tally import Acknowledged, Tally
from siklus.services.demo.count import Reckoning
from siklus.workflows.domain.values import AgencyId, CycleId, Digest, EvaluationKey, PersonId

AGENCY, CYCLE = AgencyId("reckoned"), CycleId("2027")
GOOD = Reckoning(
    name="demo",
    expected=24,
    record=Tally(24, 24, 24, 2, 60, 80, 0),
    lost=0,
    acknowledged=250,
    appeals_filed=2,
    mails=60,
    notices=80,
)


async def test_a_receipt_without_its_event_is_lost(store: Store) -> None:
    key = EvaluationKey(agency=AGENCY, cycle=CYCLE, person=PersonId("p-0001"))
    told = [Acknowledged(key, 1, Digest("a")), Acknowledged(key, 2, Digest("b"))]
    async with store.agency(AGENCY) as connection:
        await connection.execute(EVENT, {"agency": AGENCY, "cycle": CYCLE})

        assert await tally.lost(connection, AGENCY, CYCLE, told[:1]) == 0
        assert await tally.lost(connection, AGENCY, CYCLE, told) == 1
        other = [Acknowledged(key, 1, Digest("another command"))]
        assert await tally.lost(connection, AGENCY, CYCLE, other) == 1


def test_every_count_that_is_off_is_named() -> None:
    assert GOOD.disagreements() == []
    wrong = (
        replace(GOOD, lost=1),
        replace(GOOD, appeals_filed=3),
        replace(GOOD, mails=59),
        replace(GOOD, notices=81),
        replace(GOOD, record=replace(GOOD.record, completed=23)),
        replace(GOOD, record=replace(GOOD.record, waiting=1)),
    )
    assert [len(each.disagreements()) for each in wrong] == [1] * len(wrong)
    assert GOOD.line == "demo: 24 evaluations, 24 completed, 2 appeals, 60 mails, 0 lost"


EVENT = """
    INSERT INTO event (agency, cycle, person, segment, number, kind, occurred_at, recorded_at,
                       actor, command_digest, body, hash, run)
    VALUES (%(agency)s, %(cycle)s, 'p-0001', 1, 1, 'plan_submitted', now(), now(), 'p-0001', 'a',
            '{}', 'h', 'r')
"""
