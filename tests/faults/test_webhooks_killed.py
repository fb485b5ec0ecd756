"""The worker killed by -9 amid webhooks: every recorded event arrives, under one id each."""

import asyncio
from collections import defaultdict
from time import monotonic
from typing import Any

import pytest
from standardwebhooks import Webhook

from siklus.services.local.stack import LocalStack
from siklus.v1 import subscription_service_pb2 as pb
from tests.e2e.agency import Agency, crowd, launched_agency
from tests.webhooks.receiver import Received, Receiver, answering

SIZE = 40
SOON_SECONDS = 1.0
"""From an event's record to its first attempt."""
ALL_SECONDS = 75.0
"""A killed worker's deliveries are its own for 30 s."""


@pytest.mark.prove
@pytest.mark.timeout(240)
async def test_every_event_of_a_real_agency_arrives_though_its_worker_was_killed() -> None:
    async with (
        Receiver() as receiver,
        LocalStack(worker_process=True, webhook_targets="127.0.0.0/8") as stack,
    ):
        year = stack.clock.now().year + 1
        async with launched_agency(stack, "killed", year=year, staff=crowd(SIZE)) as agency:
            secret = await subscribed(agency, receiver)
            waited = await noticed(agency, receiver)
            print(f"from the answer to a decision to its webhook: {waited * 1000:.0f} ms")
            assert waited < SOON_SECONDS

            people = agency.people(*(f"p{number:04}" for number in range(2, SIZE + 1)))
            slowly = asyncio.Event()
            receiver.answer = slow_until(slowly)
            for person in people:
                await person.submits_plan()
            await receiver.got(5)
            assert stack.worker is not None
            stack.worker.kill()
            slowly.set()
            await stack.worker.start()

            deadline = monotonic() + ALL_SECONDS
            while (taken := await delivered(agency)) < SIZE:
                assert monotonic() < deadline, taken
                await asyncio.sleep(0.5)

    ids = defaultdict(set)
    for each in receiver.came:
        ids[each.what].add(each.id)
        Webhook(secret).verify(each.body, each.headers)
    assert len(ids) == SIZE
    assert {len(found) for found in ids.values()} == {1}
    assert len(receiver.came) > SIZE, "nothing was under way when the worker was killed"
    print(f"{len(ids)} events, {len(receiver.came)} requests")


async def subscribed(agency: Agency, receiver: Receiver) -> str:
    request = pb.CreateSubscriptionRequest(
        parent=agency.name,
        request_id="subscribe",
        subscription_id="esb",
        url=receiver.url,
        kinds=["plan_submitted"],
    )
    answer: Any = await agency.admin.sends(request)
    return str(answer.secret)


async def delivered(agency: Agency) -> int:
    """Return how many events the receiver is known to have taken."""
    request = pb.ListDeliveriesRequest(
        parent=f"{agency.name}/subscriptions/esb",
        state=pb.DELIVERY_STATE_DELIVERED,
        page_size=200,
    )
    return len((await agency.admin.sends(request)).deliveries)


async def noticed(agency: Agency, receiver: Receiver) -> float:
    """Return the seconds from the answer to a decision until its webhook comes."""
    await agency.person("p0001").submits_plan()
    began = monotonic()
    await receiver.got(1)
    return monotonic() - began


def slow_until(event: asyncio.Event) -> Any:
    async def answer(received: Received) -> Any:
        await event.wait()
        return await answering(204)(received)

    return answer
