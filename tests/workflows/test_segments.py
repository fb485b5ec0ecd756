"""A segment that closes hands over before its workflow ends, rated or not."""

from datetime import timedelta

from temporalio.client import Client

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level
from tests.workflows.desk import Desk, make_start
from tests.workflows.memory import Memory, worker_of


def transfer(desk: Desk, days: int) -> c.Transfer:
    closing_on = desk.start.served_from_on + timedelta(days=days - 1)
    return c.Transfer(closing_on=closing_on, prose={"reason": "SK 800/1"})


async def test_a_short_segment_hands_over_at_once(client: Client) -> None:
    memory = Memory()
    async with worker_of(client, memory):
        desk = await Desk.open(client, make_start())
        await desk.at("02-02")
        await desk.team(transfer(desk, 30))
        outcome = await desk.outcome()

    assert outcome.stage is Stage.SEGMENT_CLOSED
    assert memory.handed_over == [str(desk.key)]


async def test_a_longer_one_hands_over_once_its_interim_rating_came(client: Client) -> None:
    memory = Memory()
    async with worker_of(client, memory):
        desk = await Desk.open(client, make_start())
        await desk.at("06-02")
        receipt = await desk.team(transfer(desk, 150))
        waiting = list(memory.handed_over)
        await desk.supervisor(c.Rate(results=Level.AT, behaviour=Level.AT))
        outcome = await desk.outcome()

    assert (receipt.stage, waiting) == (Stage.INTERIM_RATING, [])
    assert outcome.stage is Stage.SEGMENT_CLOSED
    assert memory.handed_over == [str(desk.key)]


async def test_one_that_is_excluded_before_its_interim_rating_hands_over_as_unrated(
    client: Client,
) -> None:
    memory = Memory()
    async with worker_of(client, memory):
        desk = await Desk.open(client, make_start())
        await desk.at("06-02")
        await desk.team(transfer(desk, 150))
        ground = c.ExclusionGround.OTHER
        await desk.team(c.Exclude(ground=ground, prose={"reason": "Keliru"}))
        outcome = await desk.outcome()

    assert outcome.stage is Stage.EXCLUDED
    assert memory.handed_over == [str(desk.key)]
