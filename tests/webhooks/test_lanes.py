"""Places for deliveries: who was slow or failed waits among their like."""

import asyncio

from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.lanes import SLOW_SECONDS, Lanes
from siklus.activities.webhooks.sender import Fault, Outcome
from siklus.workflows.domain.values import AgencyId

GOOD, BAD, SLOW, OTHER = (Turn(AgencyId("a"), name) for name in ("good", "bad", "slow", "other"))
TAKEN = Outcome(200, None, 0.1)


async def holds(lanes: Lanes, turn: Turn) -> "asyncio.Task[None]":
    """Take a place, or queue for one, until cancelled."""

    async def hold() -> None:
        async with lanes.place(turn):
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_who_failed_or_was_slow_takes_no_place_of_others() -> None:
    lanes = Lanes(places=1)
    lanes.learn(BAD, Outcome(0, Fault.TIMEOUT, 15.0))
    lanes.learn(SLOW, Outcome(200, None, SLOW_SECONDS + 1))
    lanes.learn(GOOD, TAKEN)

    tasks = [await holds(lanes, turn) for turn in (BAD, SLOW, GOOD, OTHER)]

    assert [lanes.queues(turn) for turn in (BAD, SLOW, GOOD, OTHER)] == [False, True, False, True]
    assert (lanes.failing(BAD), lanes.failing(SLOW)) == (True, False)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not any(lanes.queues(turn) for turn in (BAD, SLOW, GOOD, OTHER))


async def test_who_answers_well_again_is_back_among_the_quick() -> None:
    lanes = Lanes(places=1)
    lanes.learn(SLOW, Outcome(0, Fault.TIMEOUT, 15.0))
    lanes.learn(BAD, Outcome(0, Fault.TIMEOUT, 15.0))
    lanes.learn(BAD, TAKEN)

    tasks = [await holds(lanes, turn) for turn in (SLOW, BAD)]

    assert not lanes.queues(BAD)
    assert not lanes.failing(BAD)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
